"""Draws the README's picture, a phantom on the left and a real scan on the right: `python -m Testing.phantom_picture`.

The real one is the bundled sample, patient 110 of SPIDER (CC BY 4.0, see `Resources/Samples/README.md`): whoever shows
the picture says so.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import ndimage

from SpineNetCore.anatomy import Point
from SpineNetCore.learning.phantom import Phantom, PhantomSettings, asked_prevalence, simulate
from SpineNetCore.pictures import Pixels, png
from SpineNetCore.scan import Scan, mapped
from SpineNetCore.scan_files import read_scan

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "Resources" / "Screenshots" / "phantom.png"
SAMPLE = ROOT / "Resources" / "Samples" / "spider_110_t2_space.nii.gz"
SAMPLE_L3_RAS_MM = np.array([9.0, -125.6, -128.9])
SEED = 129
LIKE_THE_SAMPLE = PhantomSettings(
    slices=(1, 1),
    slice_thickness_mm=(1.8, 1.8, 1.8),
    in_plane_mm=(0.469, 0.469),
    height_mm=(300.0, 300.0),
    width_fraction=(0.8, 0.8),
    cut_off_probability=0.0,
    scoliosis_mm=(0.0, 1.0),
    prevalence=asked_prevalence(["pfirrmann=0,0,0.45,0.55,0", "narrowing=0.4,0.5,0.1,0", "upper_marrow=0.05"]),
    contrast=0.0,
    noise=(0.05, 0.09),
    blur_mm=(0.45, 0.6),
    ghosting=(0.0, 0.01),
)
"""One mid-sagittal slice of the sample's resolution."""

PIXEL_MM, HEIGHT, WIDTH, GAP = 0.6, 420, 240, 8
IN_FRONT, MARROW = 150, 0.32
"""Columns ahead of L3's centre; and how bright its marrow is shown."""


def main() -> None:
    """The phantom on the left, the sample on the right."""
    phantom = simulate(np.random.default_rng(SEED), LIKE_THE_SAMPLE)
    sides = drawn(phantom.scan, l3(phantom)), drawn(read_scan(SAMPLE), SAMPLE_L3_RAS_MM)
    gap = np.full((HEIGHT, GAP), 255, dtype=np.uint8)
    PICTURE.write_bytes(png(np.concatenate([sides[0], gap, sides[1]], axis=1)))


def l3(phantom: Phantom) -> Point:
    return next(vertebra.centre_ras_mm for vertebra in phantom.vertebrae if vertebra.level == "L3")


def drawn(scan: Scan, centre_ras_mm: Point) -> Pixels:
    """(HEIGHT, WIDTH) of the slice through L3's centre, which lies halfway down; its marrow is equally dark in both."""
    middle, row, column = mapped(scan.ijk_from_ras, centre_ras_mm[None])[0]
    image = scan.voxels[int(np.clip(round(middle), 0, len(scan.voxels) - 1))]
    rows = row + (np.arange(HEIGHT) - HEIGHT // 2) * PIXEL_MM / scan.spacing_mm[1]
    columns = column + (np.arange(WIDTH) - IN_FRONT) * PIXEL_MM / scan.spacing_mm[2]
    shown = ndimage.map_coordinates(image, np.meshgrid(rows, columns, indexing="ij"), order=3)
    near = slice(HEIGHT // 2 - 10, HEIGHT // 2 + 10), slice(IN_FRONT - 10, IN_FRONT + 10)
    return np.rint(np.clip(MARROW * shown / np.median(shown[near]), 0, 1) * 255).astype(np.uint8)


if __name__ == "__main__":
    main()
