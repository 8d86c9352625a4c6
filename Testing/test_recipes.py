from __future__ import annotations

import torch

from SpineNetCore.learning import recipes
from SpineNetCore.vertebra_network import VertebraNetwork, VertebraNetworkConfig


def test_no_fold_trains_the_weights_of_another_on(monkeypatch, tmp_path):
    def trained_in_place(network, pools, *_how):
        assert [len(pool.examples) for pool in pools] == [1], "a pool without examples cannot be drawn from"
        with torch.no_grad():
            network.tissue.bias += 1
        return network

    monkeypatch.setattr(recipes, "train_detector", trained_in_place)
    monkeypatch.setattr(recipes.spider, "slabs", lambda _folder: [])
    monkeypatch.setattr(recipes, "_self_labelled_pictures", lambda _plan, _network: [])
    start = VertebraNetwork(VertebraNetworkConfig(widths=(1,)))
    before = start.tissue.bias.detach().clone()
    plans = [recipes._DetectorPlan(tmp_path, tmp_path, fold, start, ["a slice"]) for fold in (None, 0, 1)]
    networks = [recipes._learned_on_patients(plan) for plan in plans]

    assert all(torch.equal(network.tissue.bias, before + 2) for network in networks)
    assert torch.equal(start.tissue.bias, before)
