"""Vertebrae and discs out of a label map drawn or computed elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from SpineNetCore.anatomy import Disc, Vertebra
from SpineNetCore.disc_centring import BAND, along_disc
from SpineNetCore.errors import InputError
from SpineNetCore.label_bodies import vertebrae_from_labels
from SpineNetCore.label_conventions import told_convention
from SpineNetCore.label_map import LabelMap, read_label_map
from SpineNetCore.localisation import NAMED_BY_READER, Spine, discs_between
from SpineNetCore.scan import Scan, mapped
from SpineNetCore.spine_checks import OUT_OF_PLACE_MM, check_bodies, has_sides_of_a_body

_BEYOND_ENDPLATES_MM = 4.0


def spine_from_labels(path: Path, scan: Scan, labels_name: str | None) -> Spine:
    """Read a label map in one of `CONVENTIONS` on any grid, told from its values unless `labels_name` names it.

    A disc's centre lies in its own label where it has one near it. Raises InputError where there is no lumbar vertebra
    in it.
    """
    labels = read_label_map(path, scan)
    convention = told_convention(labels.heights_mm(), labels_name, f"'{path}'")
    labelled = vertebrae_from_labels(labels, convention)
    vertebrae = tuple(vertebra for vertebra in labelled if has_sides_of_a_body(vertebra))
    if not vertebrae:
        raise InputError(f"'{path}' shows no vertebral body on the scan '{scan.name}': label whole vertebrae.")
    present = {convention.vertebrae.get(value) for value in labels.heights_mm()}
    check_bodies(vertebrae, path, scan)
    named, doubts = _without_neighbours_of_extras(vertebrae, present)
    values = {
        level: [v for v, name in convention.discs.items() if name == level] for level in convention.discs.values()
    }
    discs = []
    for disc in discs_between(named, scan):
        centred, away_mm = _centred(disc, labels, values.get(disc.level, []))
        if away_mm > OUT_OF_PLACE_MM:
            centred = disc
            doubts.append(
                f"The label of {disc.level} lies {away_mm:.0f} mm from midway between its vertebrae: check both."
            )
        discs.append(centred)
    said = f"The label map was read in the values of {convention.name}."
    return Spine(vertebrae, tuple(discs), NAMED_BY_READER, (said, *doubts))


def _without_neighbours_of_extras(
    vertebrae: tuple[Vertebra, ...], present: set[str | None]
) -> tuple[tuple[Vertebra, ...], list[str]]:
    """A supernumerary vertebra parts its neighbours: what lies between them is no disc."""
    doubts, parted = [], set()
    for extra, upper, lower in (("L6", "L5", "S1"), ("T13", "T12", "L1")):
        if extra in present:
            doubts.append(f"The labels name a vertebra {extra}: the discs above and below it are not graded.")
            parted.add(lower if extra == "L6" else upper)
    return tuple(vertebra for vertebra in vertebrae if vertebra.level not in parted), doubts


def _centred(disc: Disc, labels: LabelMap, values: list[int]) -> tuple[Disc, float]:
    """The disc with its centre at mid-height of its own label around its axis, or at the label's nearest voxel.

    And how far that moves it, in millimetres.
    """
    own = np.isin(labels.voxels, values)
    if not own.any():
        return disc, 0.0
    reach = disc.height_mm / 2 + _BEYOND_ENDPLATES_MM
    offsets_mm, points = along_disc(disc, disc.inferior, reach, (disc.posterior, BAND * disc.width_mm))
    share = np.isin(labels.values_at(points), values).mean(axis=1)
    if share.any():
        offset_mm = float(np.average(offsets_mm, weights=share))
        centre = disc.centre_ras_mm + offset_mm * disc.inferior
        if labels.values_at(centre) in values:
            return replace(disc, centre_ras_mm=centre), abs(offset_mm)
    places = mapped(labels.ras_from_ijk, np.argwhere(own).astype(np.float64))
    away_mm = np.linalg.norm(places - disc.centre_ras_mm, axis=1)
    nearest = int(away_mm.argmin())
    return replace(disc, centre_ras_mm=places[nearest]), float(away_mm[nearest])
