"""What a DICOM file says of its slices, be it a plain file or an enhanced one with many frames."""

from __future__ import annotations

import logging
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from SpineNetCore.errors import InputError

UNIT_TOLERANCE = 1e-2
"""How far stored directions may be from perpendicular unit vectors; they are then made exact. ours: two decimals."""

DAMAGE = (
    BytesLengthException,
    InvalidDicomError,
    NotImplementedError,
    EOFError,
    OSError,
    ValueError,
    KeyError,
    struct.error,
)
"""What pydicom raises on files that are cut off or damaged."""

_MR_MODALITIES = ("MR", "OT", "")

_FIRST_GROUPS = (b"\x02\0", b"\x08\0")
"""Of the elements that files begin with: 0002 and 0008, in the usual order of bytes."""


@dataclass(frozen=True)
class SeriesKey:
    """What the slices of one series share; their echo times may differ a little. date: of the study, YYYYMMDD; study:
    its UID.
    """

    uid: str
    description: str
    echo_time_ms: float | None
    is_gradient_echo: bool
    has_fat_saturation: bool
    is_echo_planar: bool = False
    body_part: str = ""
    date: str = ""
    study: str = ""


@dataclass(frozen=True)
class DicomSlice:
    """The header of one slice: a file, or one frame of a multi-frame file.

    position_lps_mm: (3,) centre of the first pixel. row_direction, column_direction: (3,) perpendicular LPS unit
    vectors along which the column index and the row index grow. pixel_spacing_mm: between rows, between columns.
    shape: rows, columns. step_mm: SpacingBetweenSlices or else SliceThickness, None where neither is given.
    Stored values times `slope` plus `intercept` are intensities, but for `padding`, which fills up the picture.
    """

    path: Path
    frame: int
    patient: str
    series: SeriesKey
    position_lps_mm: NDArray[np.float64]
    row_direction: NDArray[np.float64]
    column_direction: NDArray[np.float64]
    pixel_spacing_mm: tuple[float, float]
    shape: tuple[int, int]
    step_mm: float | None
    slope: float
    intercept: float
    padding: float | None = None

    @property
    def normal(self) -> NDArray[np.float64]:
        """(3,) LPS unit vector along which slices are stacked."""
        return np.asarray(np.cross(self.row_direction, self.column_direction), dtype=np.float64)

    @property
    def is_sagittal(self) -> bool:
        return int(np.argmax(np.abs(self.normal))) == 0


def is_dicom(path: Path) -> bool:
    """Whether a file carries the mark of DICOM after its preamble, or begins with an element, as old ones do.

    Raises InputError where it cannot be opened.
    """
    try:
        with path.open("rb") as file:
            start = file.read(132)
            return start[128:] == b"DICM" or _is_element(start[:8])
    except OSError as error:
        raise InputError(f"'{path}' cannot be opened ({error.strerror}): give a file that may be read.") from error


def _is_element(start: bytes) -> bool:
    """Whether a file's first bytes are an element's: of the first groups, then a type or a length below 64 kB."""
    has_type = start[4:6].isalpha() and start[4:6].isupper()
    return start[:2] in _FIRST_GROUPS and start[3:4] == b"\0" and (has_type or start[6:8] == b"\0\0")


def read_dataset(path: Path, *, stop_before_pixels: bool = False) -> Dataset:
    """A file's elements, with or without a preamble; raises one of `DAMAGE` where it is cut off or damaged."""
    dataset = dcmread(path, stop_before_pixels=stop_before_pixels, force=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        syntax = ImplicitVRLittleEndian if dataset.original_encoding[0] else ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


def slices_of_file(path: Path) -> list[DicomSlice]:
    """Headers of a file's frames, one for a plain file; raises InputError where it is no MR image with a place."""
    try:
        with without_warnings():
            dataset = read_dataset(path, stop_before_pixels=True)
            _check_mr_image(dataset, path)
            return [_slice(dataset, path, frame) for frame in range(int(dataset.get("NumberOfFrames") or 1))]
    except DAMAGE as error:
        raise InputError(f"'{path}' is a damaged DICOM file: copy it again whole.") from error


@contextmanager
def without_warnings() -> Iterator[None]:
    """Hold back pydicom's warnings of odd values and its log of failures: the user gets one sentence of ours."""
    log = logging.getLogger("pydicom")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)  # which its children heed, unlike a disabled parent
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def _check_mr_image(dataset: Dataset, path: Path) -> None:
    modality = str(dataset.get("Modality") or "").upper()
    if not (dataset.get("Rows") and dataset.get("Columns")):
        raise InputError(f"'{path}' holds no image (its Modality is '{modality}'): give a sagittal T2 series.")
    if modality not in _MR_MODALITIES:
        raise InputError(f"'{path}' is not an MR image (its Modality is '{modality}'): give a sagittal T2 series.")
    colours = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
    if colours != "MONOCHROME2":
        raise InputError(f"'{path}' is stored in '{colours}' colours: export it in grey (MONOCHROME2).")


def _slice(dataset: Dataset, path: Path, frame: int) -> DicomSlice:
    row_direction, column_direction = _directions(dataset, path, frame)
    between_rows, between_columns = _placing_numbers(dataset, "PixelSpacing", 2, path, frame)
    return DicomSlice(
        path=path,
        frame=frame,
        patient=str(dataset.get("PatientID") or dataset.get("PatientName") or ""),
        series=_series(dataset, frame),
        position_lps_mm=_placing_numbers(dataset, "ImagePositionPatient", 3, path, frame),
        row_direction=row_direction,
        column_direction=column_direction,
        pixel_spacing_mm=(float(between_rows), float(between_columns)),
        shape=(int(dataset.Rows), int(dataset.Columns)),
        step_mm=_number(dataset, "SpacingBetweenSlices", frame) or _number(dataset, "SliceThickness", frame),
        slope=_number(dataset, "RescaleSlope", frame) or 1.0,
        intercept=_number(dataset, "RescaleIntercept", frame) or 0.0,
        padding=_number(dataset, "PixelPaddingValue", frame),
    )


def _directions(dataset: Dataset, path: Path, frame: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Row and column direction, made exactly perpendicular and of unit length."""
    stored = _placing_numbers(dataset, "ImageOrientationPatient", 6, path, frame).reshape(2, 3)
    if np.abs(stored @ stored.T - np.eye(2)).max() > UNIT_TOLERANCE:
        raise InputError(
            f"'{path}' has an ImageOrientationPatient of {stored.ravel().tolist()}, which is not two perpendicular "
            "directions: export it again with its orientation."
        )
    along_row = stored[0] / np.linalg.norm(stored[0])
    normal = np.cross(along_row, stored[1])
    return along_row, np.cross(normal / np.linalg.norm(normal), along_row)


def _series(dataset: Dataset, frame: int) -> SeriesKey:
    return SeriesKey(
        uid=str(dataset.get("SeriesInstanceUID") or ""),
        description=str(dataset.get("SeriesDescription") or ""),
        echo_time_ms=_number(dataset, "EchoTime", frame) or _number(dataset, "EffectiveEchoTime", frame),
        is_gradient_echo="GR" in _words(dataset, "ScanningSequence"),
        has_fat_saturation="FS" in _words(dataset, "ScanOptions"),
        is_echo_planar="EP" in _words(dataset, "ScanningSequence"),
        body_part=str(dataset.get("BodyPartExamined") or ""),
        date=str(dataset.get("StudyDate") or ""),
        study=str(dataset.get("StudyInstanceUID") or ""),
    )


def _words(dataset: Dataset, keyword: str) -> list[str]:
    value = dataset.get(keyword) or ""
    return [value] if isinstance(value, str) else [str(word) for word in value]


def _placing_numbers(dataset: Dataset, keyword: str, count: int, path: Path, frame: int) -> NDArray[np.float64]:
    numbers = _numbers(dataset, keyword, frame)
    usable = len(numbers) == count and np.isfinite(numbers).all()
    if not usable or (keyword == "PixelSpacing" and numbers.min() <= 0):
        raise InputError(
            f"'{path}' does not say where it lies in the patient ({keyword} is {numbers.tolist() or 'missing'}): "
            "export the original series, not a screenshot."
        )
    return numbers


def _number(dataset: Dataset, keyword: str, frame: int) -> float | None:
    numbers = _numbers(dataset, keyword, frame)
    return float(numbers[0]) if len(numbers) == 1 and np.isfinite(numbers[0]) else None


def _numbers(dataset: Dataset, keyword: str, frame: int) -> NDArray[np.float64]:
    """The numbers under a keyword, from the file or from its frame's functional groups; empty where there are none."""
    values = (place.get(keyword) for place in _places(dataset, frame))
    value: Any = next((value for value in values if value is not None), [])
    try:
        return np.atleast_1d(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError):
        return np.empty(0)


def _places(dataset: Dataset, frame: int) -> Iterator[Any]:
    yield dataset
    for sequence, item in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        groups = dataset.get(sequence) or []
        if item < len(groups):
            yield from (element.value[0] for element in groups[item] if element.VR == "SQ" and element.value)
