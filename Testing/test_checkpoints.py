from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from full_disk import a_full_disk

from SpineNetCore.errors import InputError
from SpineNetCore.learning import checkpoints
from SpineNetCore.learning.checkpoints import Training, resumed, save_checkpoint

STEPS = 6


@pytest.fixture
def path(tmp_path):
    return tmp_path / "work" / "student.pt"


def a_training(seed: int = 0) -> Training:
    torch.manual_seed(seed)
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1))
    optimiser = torch.optim.AdamW(network.parameters(), 0.1)
    return Training(network, optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, STEPS + 1))


def learn(training: Training, start: int, stop: int) -> None:
    for step in range(start, stop):
        batch = torch.randn(8, 3, generator=torch.Generator().manual_seed(step))
        training.step((training.network(batch) - batch.sum(1, keepdim=True)).square().mean())


def weights(training: Training) -> list[torch.Tensor]:
    return [value.clone() for value in training.network.state_dict().values()]


def are_equal(some: list[torch.Tensor], others: list[torch.Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(some, others, strict=True))


def test_a_resumed_training_ends_where_an_uninterrupted_one_does(path):
    whole, killed, revived = a_training(), a_training(), a_training(seed=1)
    learn(whole, 0, STEPS)
    learn(killed, 0, 3)
    save_checkpoint(killed, 3, path)
    start = resumed(revived, path)
    learn(revived, start, STEPS)

    assert start == 3
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert are_equal(weights(revived), weights(whole))
    assert revived.schedule.get_last_lr() == whole.schedule.get_last_lr()


def test_a_step_changes_the_weights_and_the_rate():
    training = a_training()
    before, rate = weights(training), training.schedule.get_last_lr()
    learn(training, 0, 1)

    assert not are_equal(weights(training), before)
    assert training.schedule.get_last_lr() != rate


def test_without_a_checkpoint_a_training_starts_afresh(path):
    training = a_training()
    before = weights(training)

    assert resumed(training, path) == 0
    assert are_equal(weights(training), before)


def test_a_training_killed_while_writing_keeps_its_last_checkpoint(path, monkeypatch):
    training = a_training()
    save_checkpoint(training, 1, path)
    kept = weights(training)
    learn(training, 1, 2)

    def killed(state, partial):
        partial.write_bytes(b"half a checkp")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(checkpoints.torch, "save", killed)
        save_checkpoint(training, 2, path)
    revived = a_training(seed=1)

    assert resumed(revived, path) == 1
    assert are_equal(weights(revived), kept)


def test_a_rate_that_waits_for_plateaus_falls_as_if_never_stopped(path):
    def plateau_training() -> Training:
        network = torch.nn.Linear(3, 1)
        optimiser = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.1, patience=1)
        return Training(network, optimiser, schedule, {"losses": []})

    killed, revived = plateau_training(), plateau_training()
    for loss in (1.0, 2.0):
        learn(killed, 0, 1)
        killed.judge(loss)
        killed.memory["losses"].append(loss)
    save_checkpoint(killed, 2, path)
    resumed(revived, path)
    revived.judge(3.0)

    assert killed.schedule.get_last_lr() == [0.1]
    assert revived.schedule.get_last_lr() == pytest.approx([0.01])
    assert revived.memory == {"losses": [1.0, 2.0]}


def test_a_checkpoint_of_another_configuration_is_refused_by_what_differs(path):
    save_checkpoint(replace(a_training(), facts={"batch": "64", "rate": "0.1"}), 1, path)
    other = replace(a_training(), facts={"batch": "256", "rate": "0.1"})
    with pytest.raises(InputError, match=r"student.pt' was made with batch 64, now it is 256: give another --work"):
        resumed(other, path)


def test_a_checkpoint_of_another_network_is_refused(path):
    save_checkpoint(a_training(), 1, path)
    network = torch.nn.Linear(3, 1)
    optimiser = torch.optim.AdamW(network.parameters(), 0.1)
    other = Training(network, optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, STEPS))
    with pytest.raises(InputError, match=r"student.pt' is of another network"):
        resumed(other, path)


@pytest.mark.parametrize("damage", [lambda b: b[:-100], lambda b: b"", lambda b: b"not a checkpoint"])
def test_a_broken_checkpoint_is_refused(path, damage):
    save_checkpoint(a_training(), 1, path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"student.pt' is broken or of another version: delete it"):
        resumed(a_training(), path)


def test_a_full_disk_is_said_and_keeps_the_checkpoint_before(path):
    small, large = a_training(), a_training()
    save_checkpoint(small, 1, path)
    large.memory["much"] = torch.zeros(100_000)
    said = r"student.pt' cannot be written \(.*\): make room or choose"
    with a_full_disk(50_000), pytest.raises(InputError, match=said):
        save_checkpoint(large, 2, path)

    assert resumed(a_training(), path) == 1
    assert [file.name for file in path.parent.iterdir()] == [path.name]
