"""The network here is an oracle that knows a drawn picture by heart and sees nothing on any other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from SpineNetCore import naming_override
from SpineNetCore.learning import self_labelling
from SpineNetCore.learning.datasets.spider import Picture
from SpineNetCore.learning.self_labelling import ReadPicture, read_picture, self_labelled
from SpineNetCore.learning.slice_examples import UNKNOWN, SliceExample
from SpineNetCore.vertebra_network import CORNER_UNIT_MM, PIXEL_MM, Tissue, VertebraMaps

SHAPE = (222, 120)
TOPS, HEIGHT, GAP = (8, 42, 76, 110, 144, 178), 26, 8
FRONT, BACK = 40, 74
CORNERS = np.array([[[t, FRONT], [t, BACK - 1], [t + HEIGHT - 1, BACK - 1], [t + HEIGHT - 1, FRONT]] for t in TOPS])
PICTURE = Picture(3, np.indices(SHAPE).sum(axis=0).clip(50, 250).astype(np.uint8), PIXEL_MM)
DISCS = len(TOPS) - 1


class Oracle(torch.nn.Module):
    """Sure of every pixel's tissue but the doubtful ones, and of every body's corners."""

    stride = 1

    def __init__(self, tissue: np.ndarray, corners: np.ndarray = CORNERS, doubtful: np.ndarray | None = None) -> None:
        super().__init__()
        pixels = np.moveaxis(np.indices(SHAPE), 0, -1)
        nearest = np.linalg.norm(pixels[:, :, None] - corners.mean(axis=1), axis=-1).argmin(axis=-1)
        offsets = (corners[nearest] - pixels[:, :, None]) * PIXEL_MM / CORNER_UNIT_MM
        self.offsets = torch.from_numpy(offsets.reshape(*SHAPE, 8).transpose(2, 0, 1)).float()
        scores = 9.0 * np.eye(len(Tissue))[tissue]
        if doubtful is not None:
            scores[doubtful] = scores[doubtful] / 9
        self.scores = torch.from_numpy(scores.transpose(2, 0, 1)).float()

    def forward(self, x: torch.Tensor) -> VertebraMaps:
        if x.shape[-2:] == SHAPE:
            return VertebraMaps(self.scores[None], self.offsets[None])
        nothing = 9.0 * torch.eye(len(Tissue))[Tissue.BACKGROUND][None, :, None, None]
        return VertebraMaps(nothing.expand(1, -1, *x.shape[-2:]), torch.zeros(1, 8, *x.shape[-2:]))


def drawn_tissue() -> np.ndarray:
    """Five bodies above S1, the discs between them, the lowest being L5-S1, and the canal behind."""
    tissue = np.full(SHAPE, Tissue.BACKGROUND, dtype=np.uint8)
    tissue[6:216, 84:96] = Tissue.CANAL
    for top in TOPS:
        tissue[top : top + HEIGHT, FRONT:BACK] = Tissue.SACRUM if top == TOPS[-1] else Tissue.BODY
        tissue[top - GAP : top, FRONT:BACK] = Tissue.LOWEST_DISC if top == TOPS[-1] else Tissue.DISC
    tissue[: TOPS[0]] = Tissue.BACKGROUND
    return tissue


@pytest.fixture(scope="module")
def reading() -> ReadPicture:
    found = read_picture(PICTURE, DISCS, Oracle(drawn_tissue()))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def example(reading) -> SliceExample:
    return self_labelled(reading, Oracle(drawn_tissue()))


def test_a_spine_that_the_network_is_sure_of_is_read(reading):
    assert [vertebra.level for vertebra in reading.spine.vertebrae] == ["L1", "L2", "L3", "L4", "L5", "S1"]
    assert reading.scan.spacing_mm == pytest.approx((4.0, PIXEL_MM, PIXEL_MM))


@pytest.mark.parametrize(("discs_in_view", "is_read"), [(4, False), (5, True), (6, True), (7, False)])
def test_a_spine_must_be_as_long_as_the_table_says(discs_in_view, is_read):
    assert (read_picture(PICTURE, discs_in_view, Oracle(drawn_tissue())) is not None) == is_read


def test_a_wrongly_stated_pixel_size_is_corrected():
    stated = replace(PICTURE, spacing_mm=PIXEL_MM / 0.7)
    reading = read_picture(stated, DISCS, Oracle(drawn_tissue()))

    assert reading is not None
    assert reading.scan.spacing_mm[1:] == pytest.approx((PIXEL_MM, PIXEL_MM))


def test_a_spine_without_a_sacrum_is_not_read():
    tissue = drawn_tissue()
    tissue[tissue == Tissue.SACRUM] = Tissue.BACKGROUND

    assert read_picture(PICTURE, DISCS, Oracle(tissue)) is None


def test_a_reader_s_lowest_disc_names_a_spine_that_the_network_misreads():
    tissue = drawn_tissue()
    tissue[tissue == Tissue.SACRUM] = Tissue.BODY
    tissue[TOPS[-1] - GAP : TOPS[-1], FRONT:BACK] = Tissue.DISC
    tissue[TOPS[-2] - GAP : TOPS[-2], FRONT:BACK] = Tissue.LOWEST_DISC
    tissue[TOPS[-2] : TOPS[-2] + HEIGHT, FRONT:BACK] = Tissue.SACRUM
    read_by_reader = replace(PICTURE, lowest_disc=(TOPS[-1] - GAP / 2, (FRONT + BACK) / 2))
    misread, reading = (read_picture(picture, DISCS, Oracle(tissue)) for picture in (PICTURE, read_by_reader))

    assert misread is not None
    assert len(misread.spine.vertebrae) == len(TOPS) - 1
    assert reading is not None
    assert len(reading.spine.vertebrae) == len(TOPS)
    assert np.array_equal(self_labelled(reading, Oracle(tissue)).tissue, drawn_tissue())


def test_a_picture_on_which_the_reader_s_disc_is_not_found_is_not_read():
    below = replace(PICTURE, lowest_disc=(TOPS[-1] + HEIGHT + 4, (FRONT + BACK) / 2))

    assert read_picture(below, DISCS, Oracle(drawn_tissue())) is None


def test_where_s1_is_missed_no_spacing_makes_l4_l5_the_reader_s_disc(monkeypatch):
    """Smaller pixels bring the disc above within reach."""
    tissue = drawn_tissue()
    tissue[TOPS[-1] - GAP :] = Tissue.BACKGROUND
    tissue[TOPS[-2] : TOPS[-2] + HEIGHT, FRONT:BACK] = Tissue.SACRUM
    tissue[TOPS[-2] - GAP : TOPS[-2], FRONT:BACK] = Tissue.LOWEST_DISC
    monkeypatch.setattr(self_labelling, "_SPACING_FACTORS", (1.0,))
    monkeypatch.setattr(naming_override, "_FARTHEST_MM", 50.0)
    below = replace(PICTURE, lowest_disc=(TOPS[-1] - GAP / 2, (FRONT + BACK) / 2))

    assert read_picture(below, DISCS - 1, Oracle(tissue)) is None
    assert read_picture(PICTURE, DISCS - 1, Oracle(tissue)) is not None


@pytest.mark.parametrize("doubt", [{"warnings": ("The sacrum was not found.",)}, {"shifts": {0: 0.94, 1: 0.06}}])
def test_a_doubtful_spine_is_not_read(reading, doubt, monkeypatch):
    monkeypatch.setattr(self_labelling, "find_spine", lambda *_, **__: replace(reading.spine, **doubt))

    assert read_picture(PICTURE, DISCS, Oracle(drawn_tissue())) is None


def test_what_the_network_is_sure_of_becomes_the_truth(example):
    assert np.array_equal(example.tissue, drawn_tissue())
    assert example.spacing_mm == (PIXEL_MM, PIXEL_MM)
    assert example.image.shape == SHAPE
    assert example.image.min() >= 0
    assert example.image.max() <= 1
    assert np.corrcoef(example.image.ravel(), PICTURE.pixels.ravel())[0, 1] > 0.9


def test_every_body_gets_its_own_corners(example):
    assert len(example.corners) == len(TOPS)
    for top, truth in zip(TOPS, CORNERS, strict=True):
        votes = np.unique(example.body[top : top + HEIGHT, FRONT:BACK])
        assert len(votes) == 1
        known = slice(0, 2) if top == TOPS[-1] else slice(0, 4)
        assert example.corners[votes[0] - 1, known] == pytest.approx(truth[known], abs=1e-3)
    assert np.array_equal(example.body > 0, np.isin(drawn_tissue(), (Tissue.BODY, Tissue.SACRUM)))


def test_where_s1_ends_stays_unknown(example):
    lowest = example.body[TOPS[-1] + 5, FRONT + 5]

    assert np.isnan(example.corners[lowest - 1, 2:]).all()
    assert np.isfinite(np.delete(example.corners, lowest - 1, axis=0)).all()


def test_doubtful_pixels_stay_unknown(reading):
    doubtful = np.zeros(SHAPE, dtype=bool)
    doubtful[100:110, 20:100] = True
    labelled = self_labelled(reading, Oracle(drawn_tissue(), doubtful=doubtful))

    assert (labelled.tissue[doubtful] == UNKNOWN).all()
    assert (labelled.body[doubtful] == 0).all()
    assert np.array_equal(labelled.tissue[~doubtful], drawn_tissue()[~doubtful])


def test_a_disc_takes_the_kind_that_its_place_in_the_chain_asks_for(reading):
    tissue = drawn_tissue()
    tissue[TOPS[1] - GAP : TOPS[1], FRONT:BACK] = Tissue.LOWEST_DISC
    tissue[TOPS[-1] - GAP : TOPS[-1], FRONT:BACK] = Tissue.DISC

    assert np.array_equal(self_labelled(reading, Oracle(tissue)).tissue, drawn_tissue())


def test_what_lies_outside_the_chain_teaches_nothing(reading):
    false_body, false_disc = (slice(60, 86), slice(2, 30)), (slice(100, 106), slice(2, 12))
    tissue = drawn_tissue()
    tissue[false_body], tissue[false_disc] = Tissue.BODY, Tissue.DISC
    corners = np.concatenate([CORNERS, [[[60, 2], [60, 29], [85, 29], [85, 2]]]])
    labelled = self_labelled(reading, Oracle(tissue, corners))

    for place in (false_body, false_disc):
        assert (labelled.tissue[place] == UNKNOWN).all()
        assert (labelled.body[place] == 0).all()
    assert len(labelled.corners) == len(TOPS)


def test_a_disc_in_the_sacrum_is_taught_to_be_none(reading):
    in_sacrum = slice(210, 216), slice(100, 118)
    tissue = drawn_tissue()
    tissue[in_sacrum] = Tissue.LOWEST_DISC

    assert (self_labelled(reading, Oracle(tissue)).tissue[in_sacrum] == Tissue.BACKGROUND).all()
