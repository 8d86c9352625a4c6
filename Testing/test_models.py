from __future__ import annotations

from pathlib import Path

import pytest
import torch

from SpineNetCore.errors import InputError
from SpineNetCore.model_files import DETECTOR_KIND, Storage, save_model
from SpineNetCore.models import DETECTOR_FILE, GRADER_FILE, chosen_device, load_models, save_network
from SpineNetCore.network import GradingNetwork, NetworkConfig
from SpineNetCore.vertebra_network import VertebraNetwork, VertebraNetworkConfig


@pytest.fixture
def detector() -> VertebraNetwork:
    torch.manual_seed(1)
    return VertebraNetwork(VertebraNetworkConfig(widths=(4, 6))).eval()


@pytest.fixture
def grader() -> GradingNetwork:
    torch.manual_seed(2)
    return GradingNetwork(NetworkConfig(fc6=4, fc7=4, conv_widths=(4, 4, 4, 4, 4))).eval()


@pytest.fixture
def a_folder(tmp_path, detector, grader) -> Path:
    save_model(detector, detector.config, DETECTOR_KIND, tmp_path / DETECTOR_FILE, storage=Storage.FULL)
    save_network(grader, tmp_path / GRADER_FILE, storage=Storage.FULL)
    return tmp_path


def test_what_was_saved_is_loaded_and_answers_alike(a_folder, detector, grader):
    models = load_models(a_folder)
    picture, volume = torch.rand(1, 1, 8, 8), torch.rand(1, 9, 112, 224)

    assert models.detector.config == detector.config
    assert torch.allclose(models.detector(picture).corners, detector(picture).corners)
    for task, scores in grader(volume).items():
        assert torch.allclose(models.grader(volume)[task], scores, atol=1e-6)


def test_loaded_networks_are_ready_to_look_with(a_folder):
    models = load_models(a_folder)

    assert not models.detector.training and not models.grader.training
    assert not any(tensor.is_meta for tensor in models.detector.state_dict().values())


def test_models_remember_their_files(a_folder):
    models = load_models(a_folder)

    assert (models.detector_file.path.name, models.grader_file.path.name) == (DETECTOR_FILE, GRADER_FILE)
    assert models.detector_file.digest != models.grader_file.digest


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere.*does not exist.*--models"):
        load_models(tmp_path / "nowhere")


@pytest.mark.parametrize("name", [DETECTOR_FILE, GRADER_FILE])
def test_a_missing_model_is_named(a_folder, name):
    (a_folder / name).unlink()

    with pytest.raises(InputError, match=name):
        load_models(a_folder)


def test_a_model_in_the_other_s_place_is_refused(a_folder):
    (a_folder / GRADER_FILE).write_bytes((a_folder / DETECTOR_FILE).read_bytes())

    with pytest.raises(InputError, match="holds a 'detector' where a 'grader' is needed"):
        load_models(a_folder)


def test_a_detector_whose_tensors_do_not_fit_is_refused(a_folder, detector):
    wider = VertebraNetworkConfig(widths=(4, 7))
    save_model(detector, wider, DETECTOR_KIND, a_folder / DETECTOR_FILE)

    with pytest.raises(InputError, match="should have shape"):
        load_models(a_folder)


@pytest.mark.parametrize(
    ("name", "has_gpu", "device"),
    [
        ("auto", True, "cuda"),
        ("auto", False, "cpu"),
        ("cpu", True, "cpu"),
        ("cpu", False, "cpu"),
        ("cuda", True, "cuda"),
    ],
)
def test_auto_takes_the_gpu_where_there_is_one(monkeypatch, name, has_gpu, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)

    assert chosen_device(name) == torch.device(device)


def test_cuda_without_a_gpu_is_refused_with_the_way_out(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    with pytest.raises(InputError, match=r"--device cuda.*use --device cpu or auto"):
        chosen_device("cuda")
