"""DICOM slices stacked by where they lie: select, sort, validate, merge."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from SpineNetCore.anatomy import Affine, FloatArray
from SpineNetCore.dicom_headers import DAMAGE, DicomSlice, read_dataset, slices_of_file, without_warnings
from SpineNetCore.dicom_series import is_t2, sagittal_t2_series, series_of_file, suppresses_fat, title
from SpineNetCore.errors import InputError
from SpineNetCore.file_names import check_file_name
from SpineNetCore.file_volume import FileVolume
from SpineNetCore.image_files import read_image

DIRECTION_TOLERANCE = 1e-3
"""Largest difference of a direction cosine within a series: 0.2 mm at the rim of a 400 mm image, below a pixel."""

PIXEL_SPACING_TOLERANCE_MM = 1e-4
"""Largest difference of pixel spacing within a series: 0.1 mm over 1024 pixels, below a pixel."""

SAME_PLACE_MM = 0.01
"""Slices nearer than this are one slice twice: scanners write positions finer, and step by 0.3 mm at the least."""

GAP_TOLERANCE = 0.05
"""Largest departure of a step from the usual one, as a share of it: rounding is far below, a lost slice far above."""

DRIFT_TOLERANCE_MM = 0.5
"""How far a slice may lie sideways of the first, below a pixel: they would fit no grid with right angles."""

LONE_SLICE_MM = 4.0
"""ours: thickness of a lone slice that does not give its own, usual in lumbar protocols."""


def read_dicom(path: Path) -> FileVolume:
    """Read the sagittal T2 series of a folder, or the slice or frames of one file.

    [i, j, k] are columns, rows, and slices along their normal. Raises InputError where they make no regular stack.
    """
    check_file_name(path.resolve())
    series = sagittal_t2_series(path) if path.is_dir() else series_of_file(path)
    _check_alike(series.slices, path)
    stack = sorted(series.slices, key=_along_normal)
    step_mm = _step_mm(stack, path)
    return FileVolume(_merged(stack), _lps_from_ijk(stack, step_mm), path, (*series.notices, *_doubts(stack, step_mm)))


def _check_alike(series: list[DicomSlice], path: Path) -> None:
    first = series[0]
    for other in series[1:]:
        if other.shape != first.shape:
            raise _unlike(path, "matrix sizes", first.shape, other.shape)
        if np.abs(np.subtract(other.pixel_spacing_mm, first.pixel_spacing_mm)).max() > PIXEL_SPACING_TOLERANCE_MM:
            raise _unlike(path, "pixel spacings", first.pixel_spacing_mm, other.pixel_spacing_mm)
        difference = np.abs(_orientation(other) - _orientation(first)).max()
        if difference > DIRECTION_TOLERANCE:
            raise _unlike(path, "orientations", _orientation(first).tolist(), _orientation(other).tolist())


def _orientation(header: DicomSlice) -> NDArray[np.float64]:
    return np.concatenate([header.row_direction, header.column_direction]).round(4)


def _unlike(path: Path, what: str, one: object, other: object) -> InputError:
    return InputError(
        f"the slices of '{path}' have different {what} ({one} and {other}): give the folder of one series."
    )


def _along_normal(header: DicomSlice) -> float:
    return float(header.position_lps_mm @ header.normal)


def _step_mm(stack: list[DicomSlice], path: Path) -> float:
    """Distance between neighbouring slice centres, from their positions: thickness would leave the gaps out."""
    if len(stack) == 1:
        return stack[0].step_mm or LONE_SLICE_MM
    places_mm = np.array([header.position_lps_mm @ stack[0].normal for header in stack])
    steps_mm = np.diff(places_mm)
    _check_steps(steps_mm, places_mm, stack, path)
    _check_in_line(stack, path)
    return float(steps_mm.mean())


def _check_in_line(stack: list[DicomSlice], path: Path) -> None:
    """Slices of two stations, or of a patient who was moved, may lie as regularly as those of a sheared stack."""
    travels_mm = np.stack([header.position_lps_mm - stack[0].position_lps_mm for header in stack])
    sideways_mm = travels_mm - np.outer(travels_mm @ stack[0].normal, stack[0].normal)
    drift_mm = float(np.linalg.norm(sideways_mm, axis=1).max())
    if drift_mm > DRIFT_TOLERANCE_MM:
        raise InputError(
            f"the slices of '{path}' shift sideways by up to {drift_mm:.1f} mm against the first: give slices of one "
            "run alone, or resample the series to a grid with right angles."
        )


def _check_steps(
    steps_mm: NDArray[np.float64], places_mm: NDArray[np.float64], stack: list[DicomSlice], path: Path
) -> None:
    nearest = int(np.argmin(steps_mm))
    if steps_mm[nearest] < SAME_PLACE_MM:
        one, other = stack[nearest], stack[nearest + 1]
        where = f"lie at the same place ({places_mm[nearest]:.2f} mm along the slice normal)"
        if one.path == other.path:
            raise InputError(
                f"frames {one.frame + 1} and {other.frame + 1} of '{one.path}' {where}: export one image type and time "
                "point alone."
            )
        raise InputError(f"'{one.path.name}' and '{other.path.name}' of '{path}' {where}: remove one of the two.")
    # the lower median: with two steps, the shorter one is the usual one
    usual_mm = np.sort(steps_mm)[(len(steps_mm) - 1) // 2]
    uneven = np.flatnonzero(np.abs(steps_mm - usual_mm) > GAP_TOLERANCE * usual_mm)
    if len(uneven):
        first = int(uneven[0])
        raise InputError(
            f"the slices of '{path}' are unevenly spaced, as if some were missing: {steps_mm[first]:.2f} mm between "
            f"{places_mm[first]:.2f} and {places_mm[first + 1]:.2f} mm along the slice normal, elsewhere "
            f"{usual_mm:.2f} mm, so export the whole series again."
        )


def _merged(stack: list[DicomSlice]) -> FloatArray:
    rows, columns = stack[0].shape
    voxels = np.empty((columns, rows, len(stack)), dtype=np.float32)
    places: dict[Path, list[int]] = defaultdict(list)
    for k, header in enumerate(stack):
        places[header.path].append(k)
    for path, ks in places.items():
        pictures = _intensities(path, [stack[k] for k in ks])
        for k, picture in zip(ks, pictures, strict=True):
            voxels[:, :, k] = picture.T
    return voxels


def _intensities(path: Path, headers: list[DicomSlice]) -> list[NDArray[Any]]:
    """Rescaled [row, column] pictures of a file's frames."""
    try:
        with without_warnings():
            stored = read_dataset(path).pixel_array
    except RuntimeError:
        frames = _stored_by_itk(path)
    except (AttributeError, *DAMAGE) as error:
        raise InputError(f"'{path}' is cut off or has no pixels: copy it again whole.") from error
    else:
        frames = stored.reshape(-1, *headers[0].shape).astype(np.float32)
    is_padding = frames == (np.nan if headers[0].padding is None else headers[0].padding)
    if not is_padding.all():
        frames[is_padding] = frames[~is_padding].min()
    # in float64, as ITK does: the same scan then has the same voxels in 3D Slicer
    return [frames[header.frame].astype(np.float64) * header.slope + header.intercept for header in headers]


def _stored_by_itk(path: Path) -> FloatArray:
    """Stored [frame, row, column] values that are compressed in a way that pydicom cannot decode by itself.

    SimpleITK can, but it rescales all frames as the first is to be.
    """
    first = slices_of_file(path)[0]
    rescaled = read_image(path).voxels.transpose(2, 1, 0).astype(np.float32)
    return np.asarray((rescaled - np.float32(first.intercept)) / np.float32(first.slope))


def _lps_from_ijk(stack: list[DicomSlice], step_mm: float) -> Affine:
    first = stack[0]
    between_rows, between_columns = first.pixel_spacing_mm
    affine = np.eye(4)
    affine[:3, 0] = first.row_direction * between_columns
    affine[:3, 1] = first.column_direction * between_rows
    affine[:3, 2] = first.normal * step_mm
    affine[:3, 3] = first.position_lps_mm
    return affine


def _doubts(stack: list[DicomSlice], step_mm: float) -> tuple[str, ...]:
    doubts = []
    said_mm = stack[0].step_mm or step_mm
    if round(step_mm / said_mm) in (2, 3) and abs(step_mm / said_mm - round(step_mm / said_mm)) < GAP_TOLERANCE:
        doubts.append(
            f"The slices lie {step_mm:.1f} mm apart, where their headers say {said_mm:.1f} mm: some may be missing "
            "between them."
        )
    if not is_t2(stack[0].series):
        doubts.append(
            f"The series '{title(stack[0].series)}' does not say that it is T2-weighted: the grades hold for T2 only."
        )
    if suppresses_fat(stack[0].series):
        doubts.append(
            f"The series '{title(stack[0].series)}' suppresses fat, which darkens marrow: the grades hold for T2 "
            "without that."
        )
    if len(stack) == 1:
        doubts.append("One slice was read: give the folder of its series, if there is one, to have all of it seen.")
    if len(stack) == 1 and not stack[0].step_mm:
        doubts.append(f"The slice does not say how thick it is: {LONE_SLICE_MM:g} mm was taken.")
    return tuple(doubts)
