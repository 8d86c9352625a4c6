"""SpineNet in 3D Slicer: the module and its entry; what it does stands in SpineNetLib and SpineNetCore."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

if importlib.util.find_spec("SpineNetCore") is None:  # a checkout among the additional module paths
    sys.path.append(str(Path(__file__).resolve().parent.parent))


HOMEPAGE = "https://github.com/spinenet-slicer/SlicerSpineNet"


class SpineNet(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        super().__init__(parent)
        from SpineNetLib.resources import ICON

        parent.title = "SpineNet"
        parent.icon = qt.QIcon(str(ICON))
        parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        parent.dependencies = []
        parent.contributors = ["SpineNet for 3D Slicer contributors"]
        parent.helpText = _(
            "Grades the lumbar discs of a T2-weighted sagittal MRI and shows the evidence for every grade as a heat "
            "map on the scan. Research use only, not a medical device."
        )
        parent.helpText += f' <a href="{HOMEPAGE}">{_("How to use it")}</a>'
        parent.acknowledgementText = _(
            "The method is that of Jamaludin, Kadir and Zisserman, SpineNet: automatically pinpointing classification "
            "evidence in spinal MRIs, MICCAI 2016. Models and sample derive from SPIDER, van der Graaf et al., "
            "Scientific Data 2024, CC BY 4.0."
        )
        slicer.app.connect("startupCompleted()", register_sample)


def register_sample() -> None:
    """Offer the scan that comes with SpineNet in the module Sample Data."""
    import SampleData

    from SpineNetLib.resources import ICON, SAMPLE, SAMPLE_CHECKSUM, SAMPLE_NAME

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="SpineNet",
        sampleName="SpineNetLumbarT2",
        uris=SAMPLE.as_uri(),
        fileNames=SAMPLE.name,
        checksums=SAMPLE_CHECKSUM,
        nodeNames=SAMPLE_NAME,
        thumbnailFileName=str(ICON),
    )


class SpineNetWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Joins the panel to the life of the application's window and scene."""

    def __init__(self, parent=None):
        self.panel = None  # first of all: without a parent, Slicer's class calls `setup` on its own
        self._is_entered = True  # Slicer sets a module up to enter it at once
        VTKObservationMixin.__init__(self)
        ScriptedLoadableModuleWidget.__init__(self, parent)

    def setup(self):
        super().setup()
        from SpineNetLib.panel import Panel
        from SpineNetLib.resources import PANEL
        from SpineNetLib.worker import Worker

        scene = slicer.mrmlScene
        widget = slicer.util.loadUI(str(PANEL))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(scene)
        self.logic = SpineNetLogic()
        self.panel = Panel(self.ui, scene, Worker())
        self.addObserver(scene, scene.StartCloseEvent, self._scene_closes)
        for event in (scene.EndCloseEvent, scene.EndImportEvent, scene.EndUndoEvent, scene.EndRedoEvent):
            self.addObserver(scene, event, self._scene_changed)
        self.panel.bind(self.logic.getParameterNode())

    def cleanup(self):
        """Slicer closes, or the module is loaded again."""
        if self.panel is not None:
            self.panel.close()
        self.removeObservers()

    def onReload(self):  # noqa: N802  Slicer's name
        """Slicer loads this file again; what it imports has to be found anew as well."""
        for name in [name for name in sys.modules if name.partition(".")[0] in {"SpineNetLib", "SpineNetCore"}]:
            del sys.modules[name]
        super().onReload()

    def enter(self):
        self._is_entered = True
        self.panel.bind(self.logic.getParameterNode())
        self.panel.refresh()

    def exit(self):
        self._is_entered = False
        self.panel.bind(None)

    def _scene_closes(self, _caller, _event):
        self.panel.close()

    def _scene_changed(self, _caller, _event):
        if self._is_entered:
            self.panel.bind(self.logic.getParameterNode())
            self.panel.refresh()


class SpineNetLogic(ScriptedLoadableModuleLogic):
    """Knows where the choices are kept."""

    def getParameterNode(self):  # noqa: N802  Slicer's name
        from SpineNetLib.parameters import Parameters

        return Parameters(super().getParameterNode())


class SpineNetTest(ScriptedLoadableModuleTest):
    """What Slicer runs at "Reload and Test"."""

    def runTest(self):  # noqa: N802  Slicer's name
        from SpineNetLib.self_test import check_sample

        slicer.mrmlScene.Clear()
        self.delayDisplay(_("SpineNet analyses its sample..."))
        check_sample(slicer.mrmlScene)
        self.delayDisplay(_("SpineNet graded its sample."))
