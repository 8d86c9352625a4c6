from __future__ import annotations

import pytest
import torch
from grader_making import a_disc

from SpineNetCore.anatomy import Task
from SpineNetCore.learning import recipes
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.learning.recipes import Simulation
from SpineNetCore.vertebra_network import VertebraNetwork, VertebraNetworkConfig


@pytest.fixture
def simulated(monkeypatch) -> list[int]:
    """Seeds that were simulated, in this process, each giving one disc."""
    seeds: list[int] = []

    class Here:
        def __init__(self, workers: int) -> None:
            pass

        def __enter__(self) -> Here:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def map(self, function, items, chunksize: int):
            return map(function, items)

    def discs_of(seed: int) -> list[DiscExample]:
        seeds.append(seed)
        return [a_disc({Task.PFIRRMANN: {1 + seed % 5}}, slices=1)]

    monkeypatch.setattr(recipes, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(recipes, "_discs_of", discs_of)
    monkeypatch.setattr(recipes, "_PHANTOMS_PER_FILE", 2)
    return seeds


def grades(examples: list[DiscExample]) -> list[int]:
    return [1 + int(example.admissible[0].argmax()) for example in examples]


def test_phantoms_are_simulated_once_and_more_are_added_to_them(simulated, tmp_path):
    first = recipes._phantom_discs(Simulation(4, 1), tmp_path)
    again = recipes._phantom_discs(Simulation(4, 1), tmp_path)
    more = recipes._phantom_discs(Simulation(5, 1), tmp_path)

    assert grades(first) == grades(again) == [1, 2, 3, 4]
    assert grades(more) == [1, 2, 3, 4, 5]
    assert simulated == [0, 0, 1, 2, 3, 0, 0, 4]  # every time the first, to see whether the simulator is the same


def test_another_simulator_simulates_again(simulated, tmp_path, monkeypatch):
    recipes._phantom_discs(Simulation(2, 1), tmp_path)
    monkeypatch.setattr(recipes, "_discs_of", lambda seed: [a_disc({Task.PFIRRMANN: {5}}, slices=1)])

    assert grades(recipes._phantom_discs(Simulation(2, 1), tmp_path)) == [5, 5]


def test_a_broken_file_of_phantoms_is_made_again(simulated, tmp_path, caplog):
    recipes._phantom_discs(Simulation(2, 1), tmp_path)
    (path,) = (tmp_path / "phantoms").iterdir()
    path.write_bytes(path.read_bytes()[:-300])

    assert grades(recipes._phantom_discs(Simulation(2, 1), tmp_path)) == [1, 2]
    assert f"'{path}' is broken and is made again" in caplog.text


def test_no_phantoms_are_no_work(simulated, tmp_path):
    assert recipes._phantom_discs(Simulation(0, 1), tmp_path) == []
    assert simulated == []


def test_no_fold_trains_the_weights_of_another_on(monkeypatch, tmp_path):
    def trained_in_place(network, *_how):
        with torch.no_grad():
            network.tissue.bias += 1
        return network

    monkeypatch.setattr(recipes, "train_detector", trained_in_place)
    monkeypatch.setattr(recipes.spider, "slabs", lambda _folder: [])
    monkeypatch.setattr(recipes, "_self_labelled_pictures", lambda _plan, _network: [])
    start = VertebraNetwork(VertebraNetworkConfig(widths=(1,)))
    before = start.tissue.bias.detach().clone()
    plans = [recipes._DetectorPlan(tmp_path, tmp_path, fold, start, []) for fold in (None, 0, 1)]
    networks = [recipes._learned_on_patients(plan) for plan in plans]

    assert all(torch.equal(network.tissue.bias, before + 2) for network in networks)
    assert torch.equal(start.tissue.bias, before)
