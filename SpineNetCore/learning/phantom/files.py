"""A phantom as files: what `simulate` on the command line leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

from SpineNetCore.learning.phantom.truth import Phantom
from SpineNetCore.scan_files import write_volume


def write_phantom(phantom: Phantom, folder: Path, name: str) -> None:
    """Write `<name>.nii.gz`, `<name>_labels.nii.gz`, `<name>_lesions_<task>.nii.gz` and `<name>_truth.json`.

    Raises InputError where the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_volume(phantom.scan.voxels, phantom.scan, folder / f"{name}.nii.gz")
    write_volume(phantom.labels, phantom.scan, folder / f"{name}_labels.nii.gz")
    for task, lesions in phantom.lesions.items():
        write_volume(lesions, phantom.scan, folder / f"{name}_lesions_{task.value}.nii.gz")
    (folder / f"{name}_truth.json").write_text(json.dumps(_truth(phantom), indent=1) + "\n", encoding="utf-8")


def _truth(phantom: Phantom) -> dict[str, object]:
    """In the words of `report.json`."""
    return {
        "vertebrae": [
            {
                "level": vertebra.level,
                "centre_ras_mm": vertebra.centre_ras_mm.round(3).tolist(),
                "corners_ras_mm": vertebra.corners_ras_mm.round(3).tolist(),
                "half_width_mm": round(vertebra.half_width_mm, 3),
            }
            for vertebra in phantom.vertebrae
        ],
        "discs": [
            {
                "level": disc.level,
                "centre_ras_mm": disc.centre_ras_mm.round(3).tolist(),
                "label": disc.label,
                "height_mm": round(disc.height_mm, 3),
                "normal_height_mm": round(disc.normal_height_mm, 3),
                "grades": {task.value: grade for task, grade in disc.grades.items()},
            }
            for disc in phantom.discs
        ],
    }
