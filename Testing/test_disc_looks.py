from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from grader_making import MIDDLE, a_disc
from scipy import ndimage

from SpineNetCore.disc_volume import CONTEXT_SHAPE
from SpineNetCore.learning import disc_looks
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.learning.disc_looks import Quality, SliceDraw, draw_looks, draw_slices
from SpineNetCore.views import RandomViewRanges, View, draw_view, look

CPU = torch.device("cpu")
PLACES = np.arange(CONTEXT_SHAPE[0])
RANGES = RandomViewRanges()


def generators(count: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in range(count)]


def smooth(example: DiscExample) -> DiscExample:
    """A disc whose slices are ramps, on which it hardly matters when the contrast is changed."""
    ramp = np.linspace(40, 220, CONTEXT_SHAPE[2]).astype(np.uint8)
    return replace(example, slices=np.broadcast_to(ramp, example.slices.shape).copy())


@pytest.mark.parametrize("slices", [1, 5, 13])
def test_the_middle_slice_or_the_only_one_is_kept_as_it_is(slices):
    example = a_disc({}, slices)
    for rng in generators(8):
        draw = draw_slices(rng, example)
        kept = replace(draw, exponent=1.0).shown(example, PLACES)

        assert (kept[MIDDLE] == example.slices[slices // 2]).all()
        assert draw.gains[MIDDLE] == 1
        assert 0.5 < draw.exponent < 2


def test_thick_stacks_are_blanked_evenly_around_the_middle():
    example = a_disc({}, slices=13)
    shown = {tuple(draw_slices(rng, example).shown(example, PLACES).any(axis=(1, 2))) for rng in generators(60)}

    assert {sum(slices) for slices in shown} >= {1, 3, 5, 13}
    assert all(slices == slices[::-1] for slices in shown)


def test_a_lone_slice_is_repeated_with_small_shifts_and_gains():
    example = a_disc({}, slices=1)
    draws = [draw_slices(rng, example) for rng in generators(20)]
    counts = {int((draw.sources == 0).sum()) for draw in draws}
    wide = next(draw for draw in draws if (draw.sources == 0).sum() > 1)
    as_bright = replace(wide, exponent=1.0, gains=np.ones_like(wide.gains))
    middle, neighbour = as_bright.shown(example, PLACES)[[MIDDLE, MIDDLE + 1]]
    shifts = [(row, column) for row in range(-2, 3) for column in range(-2, 3)]

    assert 1 in counts
    assert max(counts) > 5
    assert any((np.roll(middle, shift, (0, 1)) == neighbour).all() for shift in shifts)
    assert 0.9 < wide.gains[MIDDLE + 1] < 1.1
    assert wide.gains[MIDDLE + 1] != 1


def test_looks_at_discs_as_they_are_are_the_views_of_their_contexts():
    discs = [a_disc({}, slices) for slices in (1, 4, 5, 9, 12, 13)]
    looks = draw_looks(generators(6), discs, RANGES, varies_slices=False)
    views = [draw_view(rng, RANGES) for rng in generators(6)]
    contexts = torch.from_numpy(np.stack([disc.context() for disc in discs]))

    assert looks.views == tuple(views)
    torch.testing.assert_close(looks.seen(CPU), look(contexts, views), rtol=0, atol=1e-5)


def test_contrast_and_gains_change_the_intensities(monkeypatch):
    gains = np.linspace(0.5, 1.7, 13).astype(np.float32)
    own = np.arange(13) - MIDDLE + 4
    draw = SliceDraw(np.where((own >= 0) & (own < 9), own, -1), np.zeros((13, 2), dtype=np.int64), gains, 1.5)
    monkeypatch.setattr(disc_looks, "draw_slices", lambda rng, example: draw)
    monkeypatch.setattr(
        disc_looks, "draw_view", lambda rng, ranges: View(slice_shift=1, intensity=0.1, is_flipped=True)
    )
    example = smooth(a_disc({}, slices=9))
    seen = draw_looks(generators(1), [example], RANGES, varies_slices=True).seen(CPU)[0]
    shown = example.context()[11:2:-1, 40:152, 48:272]
    expected = np.clip(np.minimum(shown**1.5 * gains[11:2:-1, None, None], 1) + 0.1 * (shown > 0), 0, 1)

    assert seen.numpy() == pytest.approx(expected, abs=0.5 / 255 + 1e-4)
    assert seen[0].max() == 0


def seen_with(quality: Quality, example: DiscExample, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """The disc straight on, with a quality and nothing else changed."""
    draw = replace(disc_looks._as_they_are(example), quality=quality)
    monkeypatch.setattr(disc_looks, "draw_slices", lambda rng, example: draw)
    monkeypatch.setattr(disc_looks, "draw_view", lambda rng, ranges: View())
    return draw_looks(generators(1), [example], RANGES, varies_slices=True).seen(CPU)[0].numpy()


def test_noise_is_as_strong_as_asked_and_another_in_every_slice(monkeypatch):
    example = smooth(a_disc({}, slices=5))
    clean = seen_with(Quality(), example, monkeypatch)
    noisy = seen_with(Quality(noise=0.05, places=np.arange(18).reshape(9, 2)), example, monkeypatch)
    added = (noisy - clean)[2:7]

    assert added.std() == pytest.approx(0.05, rel=0.05)
    assert abs(added.mean()) < 0.005
    assert np.abs(np.corrcoef(added.reshape(5, -1)) - np.eye(5)).max() < 0.2
    assert noisy[[0, 1, 7, 8]].max() == 0


@pytest.mark.parametrize(("softness", "less_or_more"), [(1.0, -1), (0.4, -1), (-0.7, 1)])
def test_a_soft_look_varies_less_and_a_sharp_one_more(softness, less_or_more, monkeypatch):
    example = replace(a_disc({}, slices=9), slices=a_disc({}, slices=9, brightness=100).slices + np.uint8(60))
    plain, changed = (seen_with(Quality(softness=share), example, monkeypatch) for share in (0.0, softness))

    assert np.sign(changed.std() - plain.std()) == less_or_more
    assert changed.mean() == pytest.approx(plain.mean(), abs=0.005)


def test_qualities_are_drawn_for_some_looks_only():
    qualities = [draw_slices(rng, a_disc({}, slices=9)).quality for rng in generators(60)]

    assert 5 < sum(quality.noise > 0 for quality in qualities) < 35
    assert 5 < sum(quality.softness != 0 for quality in qualities) < 35
    assert max(quality.noise for quality in qualities) <= 0.06


def test_a_look_is_the_same_alone_and_among_others():
    discs = [a_disc({}, slices) for slices in (9, 1, 13, 5, 9, 13)]
    together = draw_looks(generators(6), discs, RANGES, varies_slices=True).seen(CPU)
    alone = [
        draw_looks([rng], [disc], RANGES, varies_slices=True).seen(CPU)[0]
        for rng, disc in zip(generators(6), discs, strict=True)
    ]

    assert torch.equal(together, torch.stack(alone))
    assert together.min() >= 0
    assert together.max() <= 1
    assert together.is_contiguous(memory_format=torch.channels_last)


def test_a_softer_picture_is_the_mean_of_five_by_five_pixels():
    sharp = np.random.default_rng(0).random((2, 3, 20, 30), dtype=np.float32)
    expected = ndimage.uniform_filter(sharp, (1, 1, 5, 5), mode="nearest")
    assert np.allclose(disc_looks._softened(torch.from_numpy(sharp)).numpy(), expected, atol=1e-6)
