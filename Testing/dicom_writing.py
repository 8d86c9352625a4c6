"""Small DICOM files for tests, written slice by slice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

SAGITTAL = (0, 1, 0, 0, 0, -1)
AXIAL = (1, 0, 0, 0, 1, 0)
ROWS, COLUMNS = 40, 36
SPACING = (0.9, 0.7)


def picture(seed: int) -> np.ndarray:
    """uint16 [row, column], different for every seed."""
    return np.random.default_rng(seed).integers(0, 1000, (ROWS, COLUMNS)).astype(np.uint16)


def slice_dataset(pixels: np.ndarray, position: tuple[float, float, float], **tags: object) -> FileDataset:
    """One MR slice; keywords set or replace DICOM attributes, None removes one."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.PatientID, dataset.SeriesInstanceUID = "MR", "P1", "1.2.3"
    dataset.SeriesDescription, dataset.EchoTime = "t2_tse_sag", 100.0
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelSpacing, dataset.SliceThickness = list(SPACING), 3.0
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = list(position), list(SAGITTAL)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation, dataset.PixelData = 0, pixels.tobytes()
    for keyword, value in tags.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def save(dataset: FileDataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_series(folder: Path, places_mm: list[float], first_seed: int = 0, **tags: object) -> list[Path]:
    """A sagittal series with a slice at each LPS x, its picture seeded by its rank in the list."""
    return [
        save(slice_dataset(picture(first_seed + rank), (x, -20.0, 30.0), **tags), folder / f"{first_seed + rank}.dcm")
        for rank, x in enumerate(places_mm)
    ]
