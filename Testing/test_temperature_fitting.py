from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from grader_making import TINY, a_disc

from SpineNetCore.anatomy import Task
from SpineNetCore.errors import InputError
from SpineNetCore.learning.grader_loss import LabelBatch
from SpineNetCore.learning.temperature_fitting import fit_temperatures, fitted_temperatures
from SpineNetCore.network import GradingNetwork, NetworkConfig, without_batch_norm
from SpineNetCore.scores import score_discs
from SpineNetCore.temperature import tempered

ROWS = {task: row for row, task in enumerate(Task)}
WRONG = {Task.PFIRRMANN: 2.0, Task.NARROWING: 1.5, Task.UPPER_MARROW: 0.6, Task.LOWER_MARROW: 0.6}


@pytest.fixture(scope="module")
def told():
    """Probabilities of 4,000 discs that are surer or milder than labels drawn from the honest ones; those of narrowing
    tell none or some, of the marrow none or either side, and of the endplates nothing.
    """
    rng = np.random.default_rng(0)
    labels = LabelBatch(torch.zeros(4000, 6, 5, dtype=torch.bool), torch.ones(4000, 6), torch.zeros(4000).bool())
    chances, drawn = [], {}
    for task in Task:
        honest = rng.dirichlet(np.linspace(1, 0.4, len(task.grades)), 4000)
        drawn[task] = (rng.random((4000, 1)) > honest.cumsum(axis=1)).sum(axis=1).clip(0, len(task.grades) - 1)
        chances.append(torch.tensor(tempered(honest, 1 / WRONG.get(task, 1))))
    labels.admissible[torch.arange(4000), ROWS[Task.PFIRRMANN], drawn[Task.PFIRRMANN]] = True
    none = torch.tensor(drawn[Task.NARROWING] == 0)
    labels.admissible[:, ROWS[Task.NARROWING], 0] = none
    labels.admissible[:, ROWS[Task.NARROWING], 1:4] = ~none[:, None]
    labels.marrow_changed[:] = torch.tensor(drawn[Task.UPPER_MARROW] + drawn[Task.LOWER_MARROW] > 0)
    labels.admissible[:, ROWS[Task.UPPER_MARROW] :, 0] = ~labels.marrow_changed[:, None]
    labels.weights[:, ROWS[Task.UPPER_MARROW] :] /= 1 + labels.marrow_changed[:, None].float()
    return chances, labels


def test_fitted_temperatures_undo_others_by_whatever_labels_there_are(told):
    found = dict(zip(Task, fitted_temperatures(*told), strict=True))
    for task, temperature in WRONG.items():
        assert found[task] == pytest.approx(temperature, rel=0.12)
    assert found[Task.UPPER_ENDPLATE] == found[Task.LOWER_ENDPLATE] == 1


@pytest.mark.parametrize("earlier", [1.0, 2.0])
def test_a_few_discs_that_are_all_right_move_a_temperature_little_from_the_earlier_one(earlier, told):
    labels = LabelBatch(*(part[:3].clone() for part in vars(told[1]).values()))
    sure = [torch.full_like(of_task[:3], 1e-3).index_fill(1, torch.tensor(0), 1) for of_task in told[0]]
    labels.admissible[:, 0] = torch.tensor([True, False, False, False, False])
    assert earlier / 2 < fitted_temperatures(sure, labels, (earlier,) * 6)[0] < earlier


def test_sides_of_the_marrow_that_are_surely_and_wrongly_normal_are_made_milder():
    labels = LabelBatch(torch.zeros(50, 6, 5).bool(), torch.ones(50, 6), torch.arange(50) % 2 == 1)
    labels.admissible[::2, 4:, 0] = True
    normal = torch.tensor([[1.0, 0.0]]).repeat(50, 1)
    even = [torch.ones(50, len(task.grades)) for task in Task]
    found = fitted_temperatures([*even[:4], normal, normal], labels)
    assert min(found[4:]) > 3


@pytest.fixture
def network():
    torch.manual_seed(3)
    network = without_batch_norm(GradingNetwork(TINY).eval())
    for head in network.heads.values():
        torch.nn.init.normal_(head.fc8.weight, std=30)
    return network


def test_a_grader_is_made_milder_where_it_is_surely_wrong_and_keeps_every_grade(network):
    discs = [
        a_disc({Task.PFIRRMANN: {grade}, Task.UPPER_ENDPLATE: {1}}, brightness=50 * grade, marrow_changed=grade == 5)
        for grade in (1, 2, 3, 4, 5)
    ]
    contexts = np.stack([disc.context() for disc in discs])
    before = score_discs(network, contexts)
    network.config = replace(network.config, temperatures=(1.2,) * 6)
    fit_temperatures(network, discs, torch.device("cpu"))
    after = score_discs(network, contexts)

    temperatures = dict(zip(Task, network.config.temperatures, strict=True))
    assert temperatures.pop(Task.PFIRRMANN) > 1.1
    assert set(temperatures.values()) == {1.2}  # one label alone, or none
    assert [[s.grade for s in disc] for disc in after] == [[s.grade for s in disc] for disc in before]
    for disc, same in zip(before, after, strict=True):
        assert same[0].probabilities == pytest.approx(
            tempered(np.array([disc[0].probabilities]), network.config.temperatures[0])[0]
        )
        assert max(same[0].probabilities) < max(disc[0].probabilities)
        assert same[1].probabilities == pytest.approx(tempered(np.array([disc[1].probabilities]), 1.2)[0])


@pytest.mark.parametrize("temperatures", [(1.0,) * 5, *((1.0,) * 5 + (wrong,) for wrong in (0.0, np.nan, np.inf))])
def test_temperatures_are_one_per_task_and_above_zero(temperatures):
    with pytest.raises(InputError, match=r"are not 6 finite numbers above 0: give one per task"):
        NetworkConfig(temperatures=temperatures)
