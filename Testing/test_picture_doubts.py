from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from spine_making import bundled_detector, some_slices

from SpineNetCore.detection import Reading
from SpineNetCore.learning.phantom import PhantomSettings, simulate
from SpineNetCore.learning.phantom.tissue import Tissues
from SpineNetCore.learning.unseen_phantoms import unseen_phantom
from SpineNetCore.localisation import find_spine
from SpineNetCore.picture_doubts import picture_doubts
from SpineNetCore.scan_files import read_scan

SAMPLE = Path(__file__).parents[1] / "Resources" / "Samples" / "spider_110_t2_space.nii.gz"

STIR = replace(Tissues(), marrow=0.05, fat=0.05, deep_fat=0.05)
T1 = Tissues(fluid=0.15, cord=0.33, nerve=0.27, marrow=0.5, annulus=0.25, muscle=0.27, fat=0.95, deep_fat=0.85)


@pytest.mark.parametrize(("tissues", "doubt"), [(Tissues(), ""), (T1, "T1-weighted"), (STIR, "suppressed")])
def test_a_scan_without_the_contrast_of_t2_is_doubted(monkeypatch, tissues, doubt):
    monkeypatch.setattr("SpineNetCore.learning.phantom.simulation.draw_tissues", lambda *_: tissues)
    scan = simulate(np.random.default_rng(700), PhantomSettings(slices=(5, 5))).scan
    spine = find_spine(scan, bundled_detector(), torch.device("cpu"))
    assert len(spine.discs) >= 5
    doubted = {said for said in ("T1-weighted", "suppressed") for warning in spine.warnings if said in warning}
    assert doubted == ({doubt} if doubt else set())


@pytest.mark.parametrize("brightness", [0.8, 2.0])
def test_where_the_canal_is_bright_nothing_is_doubted(brightness):
    assert picture_doubts(Reading((), np.zeros((1, 2, 2), np.float32), brightness, 0.3, 0.02)) == ()


@pytest.mark.parametrize(("noise_level", "is_doubted"), [(5, False), (33, True)])
def test_a_scan_that_drowns_in_noise_is_doubted(noise_level, is_doubted):
    scan = some_slices(read_scan(SAMPLE), 4, 7)
    rng = np.random.default_rng(7)
    noise = noise_level * rng.standard_normal((2, *scan.voxels.shape))
    noisy = replace(scan, voxels=np.hypot(scan.voxels + noise[0], noise[1]).astype(np.float32))
    warnings = find_spine(noisy, bundled_detector(), torch.device("cpu")).warnings
    assert bool([warning for warning in warnings if "is noisy" in warning]) == is_doubted


def test_slices_beside_the_canal_are_doubted_and_those_around_it_are_not():
    scan = unseen_phantom(1).scan
    some = (some_slices(scan, 0, 3), some_slices(scan, 0, 8))
    beside, around = (find_spine(one, bundled_detector(), torch.device("cpu")) for one in some)
    assert [warning for warning in beside.warnings if "canal is hardly seen on any slice" in warning]
    assert not [warning for warning in around.warnings if "canal" in warning]
