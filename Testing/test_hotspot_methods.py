from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from lesion_making import a_lesioned_disc, a_tiny_network

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetCore.hotspots import HotspotSettings, blurred
from SpineNetCore.learning.hotspot_scorecard import captum_methods
from SpineNetCore.learning.hotspot_scorecard.cases import LesionedDisc
from SpineNetCore.learning.hotspot_scorecard.methods import METHOD_NAMES, Method, methods_named
from SpineNetCore.learning.hotspot_scorecard.sanity import LAYERS_FROM_TOP, undone_layer_by_layer
from SpineNetCore.network import GradingNetwork, NetworkConfig
from SpineNetCore.task_score import TaskScore
from SpineNetCore.views import FixedView


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> GradingNetwork:
    monkeypatch.setattr("SpineNetCore.scores.has_native_bfloat16", lambda device: False)
    monkeypatch.setattr(captum_methods, "NOISES", 4)
    return a_tiny_network()


@pytest.fixture
def disc() -> LesionedDisc:
    return a_lesioned_disc()


def the_method(name: str) -> Method:
    return methods_named([name], [2])[0]


def volume_of(disc: LesionedDisc) -> torch.Tensor:
    return FixedView().cut(torch.from_numpy(disc.context))[None]


def test_saliency_is_the_size_of_the_gradient_of_the_central_view(network: GradingNetwork, disc: LesionedDisc) -> None:
    volume = volume_of(disc).requires_grad_()
    network(volume)[Task.UPPER_ENDPLATE][0, 1].backward()
    expected = blurred(np.abs(volume.grad.numpy()), HotspotSettings().blur_px)[0]
    expected[0] = 0
    made = the_method("saliency").make(network, disc.context, disc.scores, 0)[0]
    np.testing.assert_allclose(made, expected, atol=1e-4 * expected.max())


def test_smoothgrad_without_noise_is_saliency(
    network: GradingNetwork, disc: LesionedDisc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captum_methods, "NOISE", 0.0)
    smooth = the_method("smoothgrad").make(network, disc.context, disc.scores, 0)
    plain = the_method("saliency").make(network, disc.context, disc.scores, 0)
    np.testing.assert_allclose(smooth, plain, atol=1e-4 * plain.max())


def test_smoothgrad_is_the_size_of_the_mean_signed_gradient_of_the_copies_it_drew(
    network: GradingNetwork, disc: LesionedDisc, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = captum_methods._class_score, []

    def recording(grader: GradingNetwork, score: TaskScore) -> Callable[[torch.Tensor], torch.Tensor]:
        scored = real(grader, score)
        return lambda volumes: seen.append(volumes.detach().clone()) or scored(volumes)

    monkeypatch.setattr(captum_methods, "_class_score", recording)
    made = the_method("smoothgrad").make(network, disc.context, disc.scores[:1], 0)[0]
    copies = torch.cat(seen).requires_grad_()
    network(copies)[Task.UPPER_ENDPLATE][:, 1].sum().backward()
    assert len(copies) == captum_methods.NOISES
    expected = blurred(copies.grad.mean(dim=0).abs().numpy()[None], HotspotSettings().blur_px)[0]
    expected[0] = 0
    np.testing.assert_allclose(made, expected, atol=1e-4 * expected.max())


def test_smoothgrad_repeats_with_its_seed_and_leaves_other_draws_alone(
    network: GradingNetwork, disc: LesionedDisc
) -> None:
    torch.manual_seed(11)
    untouched = torch.rand(1)
    torch.manual_seed(11)
    first, again, other = (
        the_method("smoothgrad").make(network, disc.context, disc.scores, seed) for seed in (0, 0, 1)
    )
    assert torch.rand(1) == untouched
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("branching_late", [False, True])
def test_grad_cam_weighs_the_last_rectified_map_by_its_mean_gradient(
    network: GradingNetwork, disc: LesionedDisc, branching_late: bool
) -> None:
    if branching_late:
        torch.manual_seed(3)
        config = NetworkConfig(network.config.branch_point.CONV4, fc6=8, fc7=8, conv_widths=(8,) * 5)
        network = GradingNetwork(config).eval()
    place = network.heads["upper_endplate"] if branching_late else network.shared
    untouched = network(volume_of(disc))[Task.UPPER_ENDPLATE][0, 1]
    kept: list[torch.Tensor] = []
    place.conv5.linear.register_forward_hook(lambda module, inputs, output: kept.append(output.relu()) or kept[-1])
    place.conv5.relu = torch.nn.Identity()
    score = network(volume_of(disc))[Task.UPPER_ENDPLATE][0, 1]
    torch.testing.assert_close(score, untouched)
    (gradient,) = torch.autograd.grad(score, kept[0])
    coarse = (kept[0] * gradient.mean(dim=(2, 3), keepdim=True)).sum(dim=1).relu()[0].detach().numpy()

    made = the_method("gradcam").make(network, disc.context, disc.scores[:1], 0)[0]
    assert coarse.max() > 0
    at_centres = made[4, 9::19, 8::17][: coarse.shape[0], : coarse.shape[1]]
    assert np.corrcoef(at_centres.ravel(), coarse.ravel())[0, 1] > 0.95
    np.testing.assert_array_equal(made[1], made[8])


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_every_method_gives_a_map_per_score_dark_in_slices_that_are_not_there(
    network: GradingNetwork, disc: LesionedDisc, name: str
) -> None:
    maps = the_method(name).make(network, disc.context, disc.scores, 0)
    assert maps.shape == (2, 9, 112, 224)
    assert maps.min() >= 0
    assert (maps[:, 0] == 0).all()
    assert maps[0, 1:].max() > 0


@pytest.mark.parametrize(
    ("task", "side"),
    [(Task.UPPER_MARROW, -1), (Task.UPPER_ENDPLATE, -1), (Task.PFIRRMANN, 0), (Task.LOWER_ENDPLATE, 1)],
)
def test_the_fixed_place_is_a_task_s_own_whatever_the_disc_or_the_network(
    network: GradingNetwork, task: Task, side: int
) -> None:
    disc = a_lesioned_disc(tasks=(task,))
    fixed = the_method("fixed")
    spot = fixed.make(network, disc.context, disc.scores, 0)
    row = np.unravel_index(spot[0].argmax(), spot[0].shape)[1]
    assert np.sign(row - 55.5) * (abs(row - 55.5) > 1) == side
    np.testing.assert_array_equal(fixed.make(a_tiny_network(), disc.context**2, disc.scores, 7), spot)


def test_ours_is_there_once_for_each_number_of_views_and_the_quickest_is_checked() -> None:
    methods = methods_named(["ours"], [32, 8, 8])
    assert [method.title for method in methods] == ["ours, 8 views", "ours, 32 views"]
    assert [method.is_checked for method in methods] == [True, False]


def test_without_captum_its_methods_are_refused_and_the_others_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("SpineNetCore.learning.hotspot_scorecard.methods.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"need the extra 'evaluate'.*pip install captum.*--methods saliency ours"):
        methods_named(METHOD_NAMES, [8])
    assert len(methods_named(["saliency", "ours"], [8])) == 2


def test_layers_are_undone_from_the_top_and_the_network_itself_stays(network: GradingNetwork) -> None:
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    undone_layers = []
    for layer, undone in undone_layer_by_layer(network, seed=0):
        undone_layers.append(layer)
        for name, tensor in undone.state_dict().items():
            if name.endswith("weight"):
                is_undone = any(part in undone_layers for part in name.split("."))
                assert torch.equal(tensor, before[name]) is not is_undone, f"{name} after {layer}"
    assert tuple(undone_layers) == LAYERS_FROM_TOP
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    again = list(undone_layer_by_layer(network, seed=0))[-1][1]
    assert all(
        torch.equal(a, b) for a, b in zip(undone.state_dict().values(), again.state_dict().values(), strict=True)
    )
