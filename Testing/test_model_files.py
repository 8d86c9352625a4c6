from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from full_disk import a_full_disk
from safetensors import safe_open
from safetensors.torch import save_file

from SpineNetCore import __version__
from SpineNetCore.errors import InputError
from SpineNetCore.model_files import Storage, read_model, save_model
from SpineNetCore.models import load_network, save_network
from SpineNetCore.network import BranchPoint, GradingNetwork, NetworkConfig

CONFIG = NetworkConfig(branch_point=BranchPoint.CONV4, fc6=6, fc7=5, conv_widths=(4, 4, 4, 4, 4))
FC6 = "heads.pfirrmann.fc6.linear.weight"


@dataclass(frozen=True)
class OtherConfig:
    inputs: int = 3
    widths: tuple[int, ...] = (2, 4)
    branch_point: BranchPoint = BranchPoint.NONE


@pytest.fixture
def network() -> GradingNetwork:
    torch.manual_seed(0)
    network = GradingNetwork(CONFIG).eval()
    network.slice_means.copy_(torch.rand(9))
    return network


@pytest.fixture
def model_file(network: GradingNetwork, tmp_path: Path) -> Path:
    path = tmp_path / "models" / "grader.safetensors"
    save_network(network, path, {"trained_on": "phantoms"}, Storage.FULL)
    return path


def rewritten(path: Path, tensors: dict[str, Any] | None = None, metadata: dict[str, str] | None = None) -> Path:
    """The same file with some tensors or metadata replaced; None removes a tensor."""
    with safe_open(path, framework="pt") as file:
        held = {name: file.get_tensor(name) for name in file.keys()} | (tensors or {})  # noqa: SIM118
        notes = file.metadata() | (metadata or {})
    save_file({name: tensor for name, tensor in held.items() if tensor is not None}, path, notes)
    return path


def test_a_network_kept_in_full_comes_back_exactly(network: GradingNetwork, model_file: Path) -> None:
    loaded = load_network(model_file)
    assert loaded.config == CONFIG
    assert not loaded.training
    assert loaded.state_dict().keys() == network.state_dict().keys()
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


def test_eight_bit_weights_are_off_by_at_most_half_a_step_of_their_own_channel(
    network: GradingNetwork, tmp_path: Path
) -> None:
    save_network(network, tmp_path / "grader.safetensors")
    loaded = load_network(tmp_path / "grader.safetensors").state_dict()
    for name, tensor in network.state_dict().items():
        if tensor.ndim < 2:
            assert torch.equal(loaded[name], tensor), name
        else:
            half_step = tensor.flatten(1).abs().amax(dim=1) / 127 / 2
            assert bool(((loaded[name] - tensor).flatten(1).abs().amax(dim=1) <= half_step * 1.001).all()), name
    volumes = torch.rand(2, 9, 112, 224)
    stored, original = load_network(tmp_path / "grader.safetensors")(volumes), network(volumes)
    for task in original:
        torch.testing.assert_close(stored[task].softmax(1), original[task].softmax(1), rtol=0, atol=0.01)


def test_half_and_eight_bit_files_are_a_half_and_a_quarter_of_the_size(tmp_path: Path) -> None:
    module = torch.nn.Linear(500, 200)
    sizes = {}
    for storage in Storage:
        path = tmp_path / f"{storage.value}.safetensors"
        save_model(module, OtherConfig(), "other", path, storage=storage)
        sizes[storage] = path.stat().st_size
    assert sizes[Storage.HALF] / sizes[Storage.FULL] == pytest.approx(1 / 2, rel=0.03)
    assert sizes[Storage.EIGHT_BIT] / sizes[Storage.FULL] == pytest.approx(1 / 4, rel=0.05)


@pytest.mark.parametrize("storage", Storage)
def test_a_channel_of_zeros_stays_zero(storage: Storage, tmp_path: Path) -> None:
    module = torch.nn.Linear(3, 2)
    torch.nn.init.zeros_(module.weight)
    save_model(module, OtherConfig(), "other", tmp_path / "other.safetensors", storage=storage)
    assert torch.equal(read_model(tmp_path / "other.safetensors", "other").state["weight"], torch.zeros(2, 3))


def test_any_module_is_kept_with_its_own_configuration_and_note(tmp_path: Path) -> None:
    module, config = torch.nn.Conv2d(3, 2, 5), OtherConfig(inputs=7, widths=(1, 2, 3), branch_point=BranchPoint.FC7)
    path = tmp_path / "other.safetensors"
    save_model(module, config, "vertebrae", path, note={"epochs": 3}, storage=Storage.FULL)
    stored = read_model(path, "vertebrae")
    empty = torch.nn.Conv2d(3, 2, 5, device="meta")
    stored.fill(empty)
    assert stored.config(OtherConfig) == config
    assert stored.note == {"epochs": 3}
    assert torch.equal(empty.weight, module.weight)


def test_the_file_says_which_tool_wrote_it(model_file: Path) -> None:
    with safe_open(model_file, framework="pt") as file:
        metadata = file.metadata()
    assert metadata["tool_version"] == __version__
    assert json.loads(metadata["config"])["branch_point"] == "conv4"


def test_the_digest_changes_with_the_weights_and_not_with_the_note(network: GradingNetwork, tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"{name}.safetensors" for name in "abc")
    save_network(network, first, {"trained_on": "phantoms"})
    save_network(network, second, {"trained_on": "patients"})
    with torch.no_grad():
        next(network.parameters()).mul_(2)
    save_network(network, third)
    digests = [read_model(path, "grader").digest for path in (first, second, third)]
    assert digests[0] == digests[1] != digests[2]
    assert re.fullmatch("[0-9a-f]{12}", digests[0])


def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.safetensors.*--models"):
        load_network(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("kept", [0, 5, 200, -1])
def test_a_truncated_file_is_refused(model_file: Path, kept: int) -> None:
    model_file.write_bytes(model_file.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"grader\.safetensors.*broken.*reinstall"):
        load_network(model_file)


def test_a_pickle_is_refused_unread(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "grader.safetensors")
    with pytest.raises(InputError, match="broken or no safetensors file"):
        load_network(tmp_path / "grader.safetensors")


def test_a_safetensors_file_of_another_program_is_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, tmp_path / "grader.safetensors")
    with pytest.raises(InputError, match="not written by SpineNet"):
        load_network(tmp_path / "grader.safetensors")


def test_a_model_of_another_kind_is_refused(model_file: Path) -> None:
    with pytest.raises(InputError, match="holds a 'grader' where a 'vertebrae' is needed"):
        read_model(model_file, "vertebrae")


def test_another_format_version_is_refused(model_file: Path) -> None:
    with pytest.raises(InputError, match="has format 99 but this version reads 1"):
        load_network(rewritten(model_file, metadata={"format_version": "99"}))


@pytest.mark.parametrize(
    "config", ['{"fc6": "wide"}', '{"colour": 3}', "[]", "not json", '{"branch_point": "conv9"}', '{"rows": 3}']
)
def test_a_configuration_that_does_not_fit_is_refused(model_file: Path, config: str) -> None:
    with pytest.raises(InputError):
        load_network(rewritten(model_file, metadata={"config": config}))


def test_a_missing_tensor_is_named_with_its_shape(model_file: Path) -> None:
    with pytest.raises(InputError, match=rf"'{FC6}' of model '.*' should have shape \(6, 72\) but has no place"):
        load_network(rewritten(model_file, {FC6: None}))


def test_a_tensor_of_another_shape_is_named_with_both_shapes(model_file: Path) -> None:
    with pytest.raises(InputError, match=rf"'{FC6}'.*should have shape \(6, 72\) but has \(6, 71\).*reinstall"):
        load_network(rewritten(model_file, {FC6: torch.zeros(6, 71)}))


def test_a_tensor_too_many_is_named(model_file: Path) -> None:
    with pytest.raises(InputError, match="'surprise'"):
        load_network(rewritten(model_file, {"surprise": torch.zeros(2)}))


def test_eight_bit_weights_without_their_scale_are_refused(network: GradingNetwork, tmp_path: Path) -> None:
    save_network(network, tmp_path / "grader.safetensors")
    with pytest.raises(InputError, match=f"'{FC6}#scale'"):
        load_network(rewritten(tmp_path / "grader.safetensors", {FC6 + "#scale": None}))


def test_weights_that_are_no_numbers_are_refused(model_file: Path) -> None:
    with pytest.raises(InputError, match=f"'{FC6}'.*no numbers"):
        load_network(rewritten(model_file, {FC6: torch.full((6, 72), torch.nan)}))


@pytest.mark.parametrize("note", ["{oops", "[1]", "3"])
def test_a_note_that_is_no_object_is_refused(note, model_file):
    with pytest.raises(InputError, match=r"The note .* is no JSON object"):
        read_model(rewritten(model_file, metadata={"note": note}), "grader")


def test_weights_in_whole_numbers_are_refused(model_file):
    path = rewritten(model_file, {FC6.replace("weight", "bias"): torch.zeros(6, dtype=torch.int32)})

    with pytest.raises(InputError, match=r"should be torch\.float32 but is torch\.int32"):
        load_network(path)


@pytest.mark.parametrize("change", [{"fc6": -1}, {"fc7": 0}, {"slices": 0}, {"dropout": 1.5}, {"conv_pads": [-1] * 5}])
def test_a_configuration_that_no_network_can_have_is_refused_with_its_file(change, model_file):
    with safe_open(model_file, framework="pt") as file:
        config = json.loads(file.metadata()["config"])
    path = rewritten(model_file, metadata={"config": json.dumps(config | change)})

    with pytest.raises(InputError, match=r"in model '.*grader.safetensors' does not fit"):
        load_network(path)


def test_others_may_read_a_model_as_they_may_any_file(model_file, tmp_path):
    (tmp_path / "any").touch()
    assert model_file.stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_full_disk_is_said_and_keeps_the_model_before(network, model_file):
    before = model_file.read_bytes()
    with a_full_disk(2_000), pytest.raises(InputError, match=r"grader.safetensors' cannot be written .*: make room"):
        save_network(network, model_file)

    assert model_file.read_bytes() == before
    assert [path.name for path in model_file.parent.iterdir()] == [model_file.name]
