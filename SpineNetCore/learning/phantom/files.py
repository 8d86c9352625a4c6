"""A phantom as files: what `simulate` on the command line leaves behind."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from SpineNetCore import RESEARCH_USE_NOTICE
from SpineNetCore.errors import InputError
from SpineNetCore.learning.phantom.grades import Grades
from SpineNetCore.learning.phantom.truth import DiscTruth, Phantom
from SpineNetCore.scan_files import write_volume
from SpineNetCore.whole_results import STAGING_PREFIX

SecondReading = Mapping[str, Grades]
"""The second reader's grades of every disc in view, by its level."""


def write_phantom(phantom: Phantom, folder: Path, name: str, second_reading: SecondReading | None = None) -> None:
    """Write one phantom's files, all on the scan's grid and the truth last: where that is, they are whole.

    `<name>.nii.gz`: the scan. `<name>_labels.nii.gz`: `PhantomLabel` of every voxel. `<name>_lesions_<task>.nii.gz`:
    voxels that led to a grade, holding their disc's `label`. `<name>_truth.json`, in the words of `report.json`:

    - `notice`: what phantoms are for;
    - `vertebrae`: `level`, `centre_ras_mm`, `corners_ras_mm` (AS, PS, PI, AI on its own mid-sagittal plane),
      `half_width_mm` (lateral);
    - `discs`: `level`, `centre_ras_mm`, `label` (1 = L5-S1 ... 6 = T12-L1, on upwards), `height_mm` and
      `normal_height_mm` (what its level should have), `grades` (task to the clinic's number), and, only with a second
      reading, `second_reader_grades` likewise.

    Raises InputError where the folder cannot be written; of this phantom nothing new is then left there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=STAGING_PREFIX) as staging:
            paths = _write_files(phantom, Path(staging), name, second_reading)
            (folder / paths[-1].name).unlink(missing_ok=True)  # an earlier truth would vouch for files half replaced
            for path in paths:
                path.replace(folder / path.name)
    except OSError as error:
        raise InputError(
            f"'{name}' cannot be written to '{folder}' ({error.strerror or error}): make room or choose another folder."
        ) from error


def _write_files(phantom: Phantom, folder: Path, name: str, second_reading: SecondReading | None) -> list[Path]:
    volumes: dict[str, NDArray[Any]] = {f"{name}.nii.gz": phantom.scan.voxels, f"{name}_labels.nii.gz": phantom.labels}
    volumes |= {f"{name}_lesions_{task.value}.nii.gz": lesions for task, lesions in phantom.lesions.items()}
    for file_name, volume in volumes.items():
        write_volume(volume, phantom.scan, folder / file_name)
    truth = folder / f"{name}_truth.json"
    truth.write_text(json.dumps(_truth(phantom, second_reading), indent=1) + "\n", encoding="utf-8")
    return [*(folder / file_name for file_name in volumes), truth]


def _truth(phantom: Phantom, second_reading: SecondReading | None) -> dict[str, object]:
    return {
        "notice": f"A simulated scan and its truth. {RESEARCH_USE_NOTICE}",
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
            _disc(disc) | ({"second_reader_grades": _by_name(second_reading[disc.level])} if second_reading else {})
            for disc in phantom.discs
        ],
    }


def _disc(disc: DiscTruth) -> dict[str, object]:
    return {
        "level": disc.level,
        "centre_ras_mm": disc.centre_ras_mm.round(3).tolist(),
        "label": disc.label,
        "height_mm": round(disc.height_mm, 3),
        "normal_height_mm": round(disc.normal_height_mm, 3),
        "grades": _by_name(disc.grades),
    }


def _by_name(grades: Grades) -> dict[str, int]:
    return {task.value: grade for task, grade in grades.items()}
