"""What the user chose, kept with the scene."""

# Without `from __future__ import annotations`: Slicer reads the types of a parameter node as they are.
from typing import Annotated

from slicer import vtkMRMLScalarVolumeNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper


@parameterNodeWrapper
class Parameters:
    """The choices in the panel that belong to the scene."""

    scan: vtkMRMLScalarVolumeNode
    views: Annotated[int, WithinRange(1, 54)] = 54
    hotspot_views: Annotated[int, WithinRange(1, 10000)] = 32
    opacity: Annotated[float, WithinRange(0, 1)] = 0.8
    threshold: Annotated[float, WithinRange(0, 1)] = 0.15
    this_disc_only: bool = False
    abnormal_only: bool = False
