"""As much of the Slicer application as needs no window: a scene with its logics, and slice views as pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
import vtkmodules.vtkRenderingContextOpenGL2
import vtkmodules.vtkRenderingFreeType
import vtkmodules.vtkRenderingOpenGL2  # noqa: F401  these three draw nothing unless they were imported
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import vtk_to_numpy

from SpineNetCore.file_volume import RAS_FROM_LPS, FileVolume
from SpineNetCore.scan import Scan
from SpineNetLib.scan_nodes import Node, place_volume, ras_from_ijk, volume_of

# Their constructors teach the scene its node classes; without the markups' and the segmentations' logic a saved scene
# loses its markups, or the process ends at the first segmentation.
_LOGICS = {
    "Colors": "vtkSlicerColorLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Models": "vtkSlicerModelsLogic",
    "Units": "vtkSlicerUnitsLogic",
}
_MANAGERS = ("Markups", "Ruler", "OrientationMarker", "ColorLegend")


class HeadlessSlicer:
    """A scene as the application sets one up."""

    def __init__(self, cache: Path) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        self.views: list[SliceView] = []
        self.scene = slicer.vtkMRMLScene()
        slicer.mrmlScene = self.scene
        self._files = slicer.vtkDataIOManager()
        self._cache = slicer.vtkCacheManager()
        self._cache.SetRemoteCacheDirectory(str(cache))
        self._files.SetCacheManager(self._cache)
        self.scene.SetDataIOManager(self._files)
        self.scene.SetCacheManager(self._cache)
        self.scene.SetRootDirectory(str(cache))
        self.scene.SetURL(str(cache / "scene.mrml"))
        self.logic = slicer.vtkSlicerApplicationLogic()
        self.logic.SetMRMLScene(self.scene)
        self.logic.SetHomeDirectory(str(cache))
        self.logic.SetSliceLogics(vtk.vtkCollection())
        self.logic.SetViewLogics(vtk.vtkCollection())
        self._modules = [
            self._module(name, kind) for name, kind in {"Colors": "vtkSlicerColorLogic", **_LOGICS}.items()
        ]
        slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance().SetMRMLApplicationLogic(self.logic)
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene, True)

    def close(self) -> None:
        """Take everything apart in order: left to the garbage collector, a view may outlive the scene it looks at."""
        for view in self.views:
            view.close()
        self.scene.Clear(1)
        slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance().SetMRMLApplicationLogic(None)
        for module in reversed(self._modules):
            module.SetMRMLScene(None)
            module.SetMRMLApplicationLogic(None)
        self.logic.SetMRMLScene(None)
        slicer.mrmlScene = None

    def _module(self, name: str, kind: str) -> Any:
        module = getattr(slicer, kind)()
        module.SetMRMLApplicationLogic(self.logic)
        module.SetMRMLScene(self.scene)
        self.logic.SetModuleLogic(name, module)
        return module


def scan_node(scene: Node, scan: Scan) -> Node:
    """The scan as Slicer would load it from its file."""
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", scan.name)
    voxels = scan.file_grid.file_from_standard(scan.voxels)
    place_volume(node, FileVolume(voxels, RAS_FROM_LPS @ scan.file_grid.ras_from_file_ijk, Path(scan.name)))
    node.CreateDefaultDisplayNodes()
    return node


def reordered(volume: FileVolume, axes: tuple[int, int, int], backwards: tuple[int, ...]) -> FileVolume:
    """The same voxels at the same places, along other axes, of which some run backwards."""
    old_from_new = np.zeros((4, 4))
    old_from_new[3, 3] = 1
    for new, old in enumerate(axes):
        old_from_new[old, new] = -1 if new in backwards else 1
        old_from_new[old, 3] = volume.voxels.shape[old] - 1 if new in backwards else 0
    voxels = np.flip(volume.voxels.transpose(axes), backwards)
    return replace(volume, voxels=voxels, lps_from_ijk=volume.lps_from_ijk @ old_from_new)


def reorder(node: Node, axes: tuple[int, int, int], backwards: tuple[int, ...]) -> None:
    """Let a scan node keep its voxels as another file of the same scan would."""
    place_volume(node, reordered(volume_of(node), axes, backwards))


def moved(node: Node, *shift_mm: float) -> Node:
    """Put a node under a new transform, which is returned."""
    matrix = vtk.vtkMatrix4x4()
    for row, value in enumerate(shift_mm):
        matrix.SetElement(row, 3, value)
    transform = node.GetScene().AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    transform.SetMatrixTransformToParent(matrix)
    node.SetAndObserveTransformNodeID(transform.GetID())
    return transform


def turned_over(node: Node, *axes: int) -> None:
    """Reverse a scan for good along these of its index axes, about its own middle: one mirrors it, two turn it."""
    ras_from_old = ras_from_ijk(node)
    new_from_old = np.eye(4)
    for axis in axes:
        new_from_old[axis, axis] = -1
        new_from_old[axis, 3] = node.GetImageData().GetDimensions()[axis] - 1
    matrix = vtk.vtkMatrix4x4()
    slicer.util.updateVTKMatrixFromArray(matrix, ras_from_old @ new_from_old @ np.linalg.inv(ras_from_old))
    moved(node).SetMatrixTransformToParent(matrix)
    node.HardenTransform()


def bent(node: Node) -> vtk.vtkThinPlateSplineTransform:
    """Put a node under a new transform that bends space, which is returned."""
    bend, before, after = vtk.vtkThinPlateSplineTransform(), vtk.vtkPoints(), vtk.vtkPoints()
    for x, y, z, lift in ((0, 0, 0, 25), (100, 0, 0, 25), (0, 100, 0, 30), (0, 0, 100, 20), (-100, -100, -100, 35)):
        before.InsertNextPoint(x, y, z)
        after.InsertNextPoint(x, y, z + lift)
    bend.SetBasisToR()
    bend.SetSourceLandmarks(before)
    bend.SetTargetLandmarks(after)
    transform = node.GetScene().AddNewNodeByClass("vtkMRMLTransformNode", "bend")
    transform.SetAndObserveTransformToParent(bend)
    node.SetAndObserveTransformNodeID(transform.GetID())
    return bend


class SliceView:
    """One slice view, drawn off screen."""

    def __init__(self, application: HeadlessSlicer, name: str, orientation: str, size: tuple[int, int]) -> None:
        self._renderer = vtk.vtkRenderer()
        self._renderer.GetActiveCamera().ParallelProjectionOn()
        self._window = vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(0)
        self._window.SetSize(*size)
        self._window.AddRenderer(self._renderer)
        self._interactor = vtk.vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        self._interactor.Initialize()
        self._logic = slicer.vtkMRMLSliceLogic()
        self._logic.SetMRMLApplicationLogic(application.logic)
        self._logic.SetMRMLScene(application.scene)
        application.logic.GetSliceLogics().AddItem(self._logic)
        self.node = self._logic.AddSliceNode(name)
        self.node.SetOrientation(orientation)
        self.node.SetMappedInLayout(1)
        self._logic.ResizeSliceNode(*size)
        self._managers = self._displayable_managers()
        self._image = vtk.vtkImageMapper()
        self._image.SetColorWindow(255)
        self._image.SetColorLevel(127.5)
        actor = vtk.vtkActor2D()
        actor.SetMapper(self._image)
        actor.GetProperty().SetDisplayLocationToBackground()
        self._renderer.AddViewProp(actor)
        application.views.append(self)

    @property
    def layers(self) -> Any:
        return self._logic.GetSliceCompositeNode()

    def picture(self) -> NDArray[np.uint8]:
        """What the view shows, [row, column, red green blue], the first row on top."""
        self._logic.UpdatePipeline()
        self._image.SetInputConnection(self._logic.GetImageDataConnection())
        self._window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self._window)
        grab.ReadFrontBufferOff()
        grab.Update()
        image = grab.GetOutput()
        columns, rows, _ = image.GetDimensions()
        return np.array(vtk_to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, -1)[::-1])

    def close(self) -> None:
        self._managers.SetMRMLDisplayableNode(None)
        self._image.SetInputConnection(None)
        self._renderer.RemoveAllViewProps()
        self._logic.SetMRMLScene(None)
        self._window.Finalize()

    def pixel_of(self, place_ras_mm: NDArray[np.float64]) -> tuple[int, int]:
        """Row and column of a place in the picture."""
        matrix = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(self.node.GetXYToRAS(), matrix)
        x, y, _, _ = matrix.MultiplyPoint((*place_ras_mm.tolist(), 1.0))
        return self.node.GetDimensions()[1] - 1 - round(y), round(x)

    def _displayable_managers(self) -> Any:
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        for name in _MANAGERS:
            manager = f"vtkMRML{name}DisplayableManager"
            if not factory.IsDisplayableManagerRegistered(manager):
                factory.RegisterDisplayableManager(manager)
        group = slicer.vtkMRMLDisplayableManagerGroup()
        group.SetRenderer(self._renderer)
        group.Initialize(factory, self._renderer)
        group.SetMRMLDisplayableNode(self.node)
        return group
