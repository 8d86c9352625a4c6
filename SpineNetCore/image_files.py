"""NIfTI, NRRD and MetaImage files through SimpleITK, complete or refused."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from SpineNetCore.anatomy import Affine
from SpineNetCore.errors import InputError
from SpineNetCore.file_names import check_file_name
from SpineNetCore.file_volume import RAS_FROM_LPS, FileVolume
from SpineNetCore.meta_image_checks import check_meta_image
from SpineNetCore.nifti_checks import NIFTI_HEADER_BYTES, NiftiHeader, check_nifti, cut_off
from SpineNetCore.scan import mapped, spacing_of

_PLACING_FORMATS = ("NiftiImageIO", "NrrdImageIO", "MetaImageIO", "GDCMImageIO")
"""Formats that say where voxels lie in the patient; pictures (PNG, JPEG, TIFF ...) do not."""

_ANATOMICAL = re.compile(r"superior|^[LR][AP]S", re.IGNORECASE)
"""Spaces of NRRD whose axes are the patient's, not a scanner's or a graphics card's."""

_SAME_PLACE_MM = 0.5
"""How far corners by sform and qform may lie apart. ours: rounding is far below, below a pixel."""


def read_image(path: Path) -> FileVolume:
    """Read one 3-D image with its place in the patient; raises InputError where it is anything else or cut off."""
    check_file_name(path.resolve())
    reader = _header(path)
    _check_volume(reader, path)
    _check_format(reader, path)
    image = _voxels(reader, path)
    lps_from_ijk = _lps_from_ijk(image)
    voxels = sitk.GetArrayFromImage(image).transpose(2, 1, 0)
    return FileVolume(voxels, lps_from_ijk, path, _doubts(reader, lps_from_ijk))


def _doubts(reader: sitk.ImageFileReader, lps_from_ijk: Affine) -> tuple[str, ...]:
    """Of a NIfTI file that lies in two places: ITK goes by the qform unless the sform is the scanner's."""
    if reader.GetImageIO() != "NiftiImageIO" or int(reader.GetMetaData("sform_code")) == 0:
        return ()
    rows = [[float(number) for number in reader.GetMetaData(f"srow_{axis}").split()] for axis in "xyz"]
    corners = np.array(list(product(*((0.0, side - 1.0) for side in reader.GetSize()))))
    by_sform = mapped(np.array([*rows, [0, 0, 0, 1]]), corners)
    away_mm = float(np.linalg.norm(by_sform - mapped(RAS_FROM_LPS @ lps_from_ijk, corners), axis=1).max())
    if away_mm <= _SAME_PLACE_MM:
        return ()
    return (
        f"The file says in two ways where it lies, by its qform and by its sform, up to {away_mm:.0f} mm apart: the "
        "qform was taken, as ITK does, and programs that do otherwise lay the results elsewhere.",
    )


def write_image(voxels: NDArray[Any], lps_from_ijk: Affine, path: Path) -> None:
    """Write [i, j, k] voxels at their place, compressed; undone by `read_image`, raises InputError where it cannot."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels.transpose(2, 1, 0)))
    spacing_mm = spacing_of(lps_from_ijk)
    image.SetSpacing(spacing_mm.tolist())
    image.SetOrigin(lps_from_ijk[:3, 3].tolist())
    image.SetDirection((lps_from_ijk[:3, :3] / spacing_mm).ravel().tolist())
    try:
        with _silence():
            sitk.WriteImage(image, str(path), useCompression=True)
    except RuntimeError as error:
        raise InputError(
            f"cannot write '{path}': give a file ending in .nii.gz, .nrrd or .mha in a folder that can be written to."
        ) from error
    if path.name.endswith(".gz") and not _ends_whole(path, NIFTI_HEADER_BYTES + voxels.nbytes):
        raise InputError(f"'{path}' could not be written whole: make room on its disk, or choose another folder.")


def _ends_whole(path: Path, unpacked_bytes: int) -> bool:
    """Whether a packed file ends with the size of all that was to go in: ITK passes over a disk that is full."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 4, 0))
        return file.read() == (unpacked_bytes % 2**32).to_bytes(4, "little")


def _header(path: Path) -> sitk.ImageFileReader:
    reader = sitk.ImageFileReader()
    try:
        with _silence():
            image_format = sitk.ImageFileReader.GetImageIOFromFileName(str(path))
            if image_format in _PLACING_FORMATS:
                reader.SetFileName(str(path))
                reader.SetImageIO(image_format)
                reader.ReadImageInformation()
    except RuntimeError as error:
        raise _unreadable(path, str(error)) from error
    if not image_format:
        raise _unreadable(path, "no format")
    if image_format not in _PLACING_FORMATS:
        raise InputError(
            f"'{path}' is a plain picture ({image_format.removesuffix('ImageIO')}) without a place in the patient: "
            "give a NIfTI, NRRD or MHA file, or DICOM."
        )
    return reader


def _unreadable(path: Path, reason: str) -> InputError:
    if "orthonormal" in reason:
        return InputError(
            f"'{path}' has skewed axes in its affine, or numbers that are no place: resample it to a grid with right "
            "angles, or export it again."
        )
    size = path.stat().st_size
    return InputError(
        f"'{path}' ({size} bytes) cannot be read as an image: give a whole NIfTI, NRRD or MHA file, or DICOM."
    )


def _check_volume(reader: sitk.ImageFileReader, path: Path) -> None:
    size = " x ".join(str(side) for side in reader.GetSize())
    kind = sitk.GetPixelIDValueAsString(reader.GetPixelID())
    if reader.GetDimension() != 3:
        raise InputError(f"'{path}' has {reader.GetDimension()} dimensions ({size}): give one 3-D scan.")
    if reader.GetNumberOfComponents() != 1 or "complex" in kind:
        raise InputError(
            f"'{path}' has {reader.GetNumberOfComponents()} numbers per voxel ({kind}), such as colours: "
            "give a scan with one intensity per voxel."
        )


def _check_format(reader: sitk.ImageFileReader, path: Path) -> None:
    """What each format's reader would pass over in silence."""
    image_format = reader.GetImageIO()
    if image_format == "NiftiImageIO":
        check_nifti(path, _nifti_header(reader))
    elif image_format == "MetaImageIO":
        check_meta_image(path)
    elif image_format == "NrrdImageIO":
        space = reader.GetMetaData("NRRD_space") if reader.HasMetaDataKey("NRRD_space") else "not given"
        if not _ANATOMICAL.search(space):
            raise InputError(
                f"'{path}' does not say how it lies in the patient (its field 'space' is {space}): "
                "export it again with its orientation."
            )


def _nifti_header(reader: sitk.ImageFileReader) -> NiftiHeader:
    return NiftiHeader(
        qform_code=int(reader.GetMetaData("qform_code")),
        sform_code=int(reader.GetMetaData("sform_code")),
        datatype=int(reader.GetMetaData("datatype")),
        bits_per_voxel=int(reader.GetMetaData("bitpix")),
        data_offset=int(float(reader.GetMetaData("vox_offset"))),
        size=reader.GetSize(),
    )


def _voxels(reader: sitk.ImageFileReader, path: Path) -> sitk.Image:
    try:
        with _silence():
            return reader.Execute()
    except RuntimeError as error:
        raise cut_off(path) from error


def _lps_from_ijk(image: sitk.Image) -> Affine:
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return affine


@contextmanager
def _silence() -> Iterator[None]:
    """Hold back what ITK's libraries print to standard error themselves: the user gets one sentence of ours."""
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        standard_error = os.dup(2)
    except OSError:  # a program with windows need not have one
        yield
        return
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
