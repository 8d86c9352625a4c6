"""SpineNet in 3D Slicer: the module and its entry; what it does stands in SpineNetLib and SpineNetCore."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

if importlib.util.find_spec("SpineNetCore") is None:  # a checkout among the additional module paths
    sys.path.append(str(Path(__file__).resolve().parent.parent))

SAMPLE_CHECKSUM = "SHA256:5d863c689f7671c52b7d5e951ea7ae2be52880b5a928fbfbe05295f58ee70b4b"


class SpineNet(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        super().__init__(parent)
        parent.title = "SpineNet"
        parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        parent.dependencies = []
        parent.contributors = ["SpineNet for 3D Slicer contributors"]
        parent.helpText = _(
            "Grades the lumbar discs of a T2-weighted sagittal MRI and shows the evidence for every grade as a heat "
            "map on the scan. Research use only, not a medical device."
        )
        parent.acknowledgementText = _(
            "The method is that of Jamaludin, Kadir and Zisserman, SpineNet: automatically pinpointing classification "
            "evidence in spinal MRIs, MICCAI 2016."
        )
        slicer.app.connect("startupCompleted()", register_sample)


def register_sample() -> None:
    """Offer the scan that comes with SpineNet in the module Sample Data."""
    import SampleData

    from SpineNetLib.analysis_panel import SAMPLE

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="SpineNet",
        sampleName="SpineNetLumbarT2",
        uris=SAMPLE.as_uri(),
        fileNames=SAMPLE.name,
        checksums=SAMPLE_CHECKSUM,
        nodeNames=SAMPLE.name.removesuffix(".nii.gz"),
    )


class SpineNetWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Joins the panel to the life of the application's window and scene."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.panel = None

    def setup(self):
        super().setup()
        import SpineNetCore
        from SpineNetLib.panel import Panel
        from SpineNetLib.worker import Worker

        file = Path(SpineNetCore.__file__).resolve().parents[1] / "Resources" / "UI" / "SpineNet.ui"
        widget = slicer.util.loadUI(str(file))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = SpineNetLogic()
        self.panel = Panel(self.ui, slicer.mrmlScene, Worker())
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._scene_closes)
        for event in (scene.EndCloseEvent, scene.EndImportEvent):
            self.addObserver(scene, event, self._scene_changed)
        self.panel.bind(self.logic.getParameterNode())

    def cleanup(self):
        """Slicer closes, or the module is loaded again."""
        if self.panel is not None:
            self.panel.close()
        self.removeObservers()

    def enter(self):
        self.panel.bind(self.logic.getParameterNode())
        self.panel.refresh()

    def exit(self):
        self.panel.bind(None)

    def _scene_closes(self, _caller, _event):
        self.panel.close()

    def _scene_changed(self, _caller, _event):
        self.panel.bind(self.logic.getParameterNode())
        self.panel.refresh()


class SpineNetLogic(ScriptedLoadableModuleLogic):
    """Knows where the choices are kept."""

    def getParameterNode(self):  # noqa: N802  Slicer's name
        from SpineNetLib.parameters import Parameters

        return Parameters(super().getParameterNode())
