from __future__ import annotations

import numpy as np
import pytest
import torch
from grader_making import TINY, a_disc

from SpineNetCore.anatomy import Task
from SpineNetCore.learning.grader_loss import balancing_weights, labels_of, set_loss
from SpineNetCore.learning.validation import balanced_accuracy, validated
from SpineNetCore.network import GradingNetwork
from SpineNetCore.views import FixedView


def test_balanced_accuracy_is_the_mean_recall_of_the_single_grades_that_occur():
    truth = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 1, 1], [0, 0, 0]], dtype=bool)
    scores = torch.tensor([[9.0, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9], [9, 0, 0], [9, 0, 0]])

    assert balanced_accuracy(scores, truth) == pytest.approx((2 / 3 + 1) / 2)


def test_one_grade_alone_tells_no_accuracy():
    assert balanced_accuracy(torch.zeros(2, 3), np.array([[1, 0, 0], [1, 0, 0]], dtype=bool)) is None


def test_discs_are_graded_whole_through_the_central_view_with_their_own_class_weights():
    torch.manual_seed(0)
    network = GradingNetwork(TINY).train()
    discs = [a_disc({Task.PFIRRMANN: {grade}}, slices=1, brightness=50 * grade) for grade in (1, 1, 2, 5)] * 10
    found = validated(network, discs, torch.device("cpu"))
    views = FixedView().cut(torch.from_numpy(np.stack([disc.context() for disc in discs])))
    with torch.no_grad():
        scores = network.eval()(views)

    assert found.loss == pytest.approx(float(set_loss(scores, labels_of(discs, balancing_weights(discs)))), rel=1e-4)
    assert set(found.accuracies) == {Task.PFIRRMANN}
    truth = np.stack([disc.admissible[0] for disc in discs])
    assert found.accuracies[Task.PFIRRMANN] == balanced_accuracy(scores[Task.PFIRRMANN], truth)


def test_a_validated_network_goes_on_learning():
    network = GradingNetwork(TINY)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    validated(network, [a_disc({Task.PFIRRMANN: {1}})], torch.device("cpu"))

    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
