from __future__ import annotations

import pytest
from grader_making import a_disc, a_lesion

from SpineNetCore.anatomy import Task
from SpineNetCore.learning import simulated_discs as module
from SpineNetCore.learning.disc_examples import DiscExample
from SpineNetCore.learning.simulated_discs import Simulation, simulated_discs, simulated_lesions


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

    monkeypatch.setattr(module, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(module, "_discs_of", discs_of)
    monkeypatch.setattr(module, "_lesions_of", lambda seed: [a_lesion(place=10 * seed) for _ in range(2)])
    monkeypatch.setattr(module, "_PHANTOMS_PER_FILE", 2)
    return seeds


def grades(examples: list[DiscExample]) -> list[int]:
    return [1 + int(example.admissible[0].argmax()) for example in examples]


def test_phantoms_are_simulated_once_and_more_are_added_to_them(simulated, tmp_path):
    first = simulated_discs(Simulation(4, 1), tmp_path)
    again = simulated_discs(Simulation(4, 1), tmp_path)
    more = simulated_discs(Simulation(5, 1), tmp_path)

    assert grades(first) == grades(again) == [1, 2, 3, 4]
    assert grades(more) == [1, 2, 3, 4, 5]
    assert simulated == [0, 1, 2, 3, 4]


def test_another_simulator_simulates_again(simulated, tmp_path, monkeypatch):
    code = tmp_path / "simulator.py"
    monkeypatch.setattr(module, "_CORE", tmp_path)
    monkeypatch.setattr(module, "_RESTS_ON", ("*.py",))
    for text in ("herniations = 1", "herniations = 2", "herniations = 1"):
        code.write_text(text)
        simulated_discs(Simulation(2, 1), tmp_path)

    assert simulated == [0, 1, 0, 1]


def test_all_that_phantoms_rest_on_is_there():
    assert all(list(module._CORE.glob(files)) for files in module._RESTS_ON)


def test_a_broken_file_of_phantoms_is_made_again(simulated, tmp_path, caplog):
    simulated_discs(Simulation(2, 1), tmp_path)
    (path,) = (tmp_path / "phantoms").iterdir()
    path.write_bytes(path.read_bytes()[:-300])

    assert grades(simulated_discs(Simulation(2, 1), tmp_path)) == [1, 2]
    assert f"'{path}' is broken and is made again" in caplog.text


def test_no_phantoms_are_no_work(simulated, tmp_path):
    assert simulated_discs(Simulation(0, 1), tmp_path) == []
    assert simulated == []


def test_lesions_are_kept_of_the_first_phantoms_alone_and_only_where_they_are_asked_for(
    simulated, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "_WITH_LESIONS", 3)
    places = [lesion.voxels[0] for lesion in simulated_lesions(Simulation(5, 1, with_lesions=True), tmp_path)]
    again = simulated_lesions(Simulation(5, 1, with_lesions=True), tmp_path)

    assert places == [0, 0, 10, 10, 20, 20]
    assert [lesion.voxels[0] for lesion in again] == places
    assert len(list((tmp_path / "phantoms").iterdir())) == 2
    assert simulated_lesions(Simulation(5, 1), tmp_path) == []
    assert len(simulated_lesions(Simulation(1, 1, with_lesions=True), tmp_path / "fewer")) == 2


def test_phantoms_without_a_lesion_leave_no_file(simulated, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_lesions_of", lambda _seed: [])

    assert simulated_lesions(Simulation(2, 1, with_lesions=True), tmp_path) == []
    assert not (tmp_path / "phantoms").exists()
