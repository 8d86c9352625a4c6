from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from grader_making import PAPER, QUICK, TINY, write_detector, write_grader
from spider_making import write_spider_for_all_splits

from SpineNetCore.command_line import main
from SpineNetCore.commands import train_grader
from SpineNetCore.learning import courses, disc_examples, grader_recipe, recipes
from SpineNetCore.learning.datasets.graded_scans import Split
from SpineNetCore.learning.datasets.learned_patients import LearnedPatients
from SpineNetCore.learning.datasets.sources import read_sources
from SpineNetCore.learning.grader_recipe import Preset
from SpineNetCore.model_files import Storage, read_model
from SpineNetCore.models import (
    DETECTOR_FILE,
    GRADER_FILE,
    SWAPPED_GRADER_FILE,
    load_models,
    load_network,
    save_network,
)
from SpineNetCore.network import GradingNetwork, NetworkConfig, without_batch_norm

SAMPLE = Path(__file__).parents[1] / "Resources" / "Samples" / "spider_110_t2_space.nii.gz"


@pytest.fixture
def models(tmp_path):
    """A folder with an untrained detector, which finds nothing."""
    return write_detector(tmp_path / "models")


@pytest.fixture
def spider(tmp_path):
    folder = tmp_path / "spider"
    folder.mkdir()
    return write_spider_for_all_splits(folder)


@pytest.fixture
def tiny_presets(monkeypatch):
    """Presets that train a tiny network for a moment."""
    rounds = {Preset.QUICK: (QUICK, replace(QUICK, seed=1)), Preset.PAPER: (replace(PAPER, batch=8, epochs=2),)}
    monkeypatch.setattr(grader_recipe, "_ROUNDS", rounds)


def status(*arguments: object) -> int:
    return main(["train", "grader", *(str(argument) for argument in arguments)])


@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_a_grader_is_trained_and_written_with_its_log_and_curves(preset, spider, models, tmp_path, tiny_presets):
    work = tmp_path / "work"
    options = ("--spider", spider, "--work", work, "--output", models, "--preset", preset)
    none = ("--phantoms", 0) if preset == "quick" else ()  # the paper knows none
    assert status(*options, *none, "--device", "cpu") == 0

    network = load_network(models / GRADER_FILE)
    assert not network.config.batch_norm
    assert network.config.temperatures != NetworkConfig.temperatures
    assert (work / f"grader-{preset}-1.csv").read_text("utf-8").startswith("step,epoch,")
    assert (work / f"grader-{preset}-1.png").exists()
    assert (work / f"grader-{preset}-2.csv").exists() == (preset == "quick")
    assert len(list((work / "discs").iterdir())) == 4


@pytest.mark.usefixtures("tiny_presets")
@pytest.mark.parametrize(("options", "draws"), [((), True), (("--implants", 0), False), (("--preset", "paper"), False)])
def test_patients_discs_are_also_learned_from_with_lesions_drawn_into_them(
    options, draws, *, spider, models, tmp_path, caplog
):
    common = ("--spider", spider, "--work", tmp_path / "work", "--output", models, "--device", "cpu")
    assert status(*common, "--phantoms", 0, *options) == 0
    (said,) = (record.getMessage() for record in caplog.records if "lesions drawn into them" in record.getMessage())
    assert ("tables, 0 with lesions" not in said) == draws


def test_a_folder_without_a_detector_is_given_the_bundled_one_and_serves_an_analysis(
    spider, models, tmp_path, tiny_presets, monkeypatch
):
    monkeypatch.setattr(train_grader, "BUNDLED_MODELS", models)
    output = tmp_path / "output"
    options = ("--spider", spider, "--work", tmp_path / "work", "--output", output, "--phantoms", 0, "--device", "cpu")
    assert status(*options) == 0

    models_there = load_models(output)
    assert models_there.detector_file.digest == read_model(models / DETECTOR_FILE, "detector").digest
    assert models_there.grader_file.path == output / GRADER_FILE


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give --spider with a folder, --manifest with a table, or both"),
        (("--manifest", "no.csv"), "'no.csv' does not exist: give the table of labels"),
        (("--spider", "."), "is no SPIDER folder"),
    ],
)
def test_a_request_at_fault_is_refused_in_one_line_and_nothing_is_written(options, said, models, tmp_path, capsys):
    assert status("--work", tmp_path / "work", "--output", models, *options) == 2
    printed = capsys.readouterr().err

    assert printed.startswith("error: ")
    assert said in printed
    assert printed.count("\n") == 1
    assert not (tmp_path / "work").exists()
    assert not (models / GRADER_FILE).exists()


def test_a_second_grader_watches_the_test_patients_and_stands_beside_the_first(
    spider, models, tmp_path, tiny_presets, monkeypatch
):
    watched = []
    real_data = recipes.GraderData
    monkeypatch.setattr(recipes, "GraderData", lambda pools, discs, _: watched.append(discs) or real_data(pools, discs))
    options = ("--spider", spider, "--work", tmp_path / "work", "--output", models, "--phantoms", 0, "--device", "cpu")
    assert status(*options) == status(*options, "--swap-validation-and-test") == 0

    ((first,), (second,)) = ({disc.patient for disc in discs} for discs in watched)
    splits = {scan.patient: scan.split for scan in read_sources(spider, [])}
    assert (splits[first], splits[second]) == (Split.VALIDATION, Split.TEST)
    graders = [read_model(models / name, "grader") for name in (GRADER_FILE, SWAPPED_GRADER_FILE)]
    assert [LearnedPatients.from_note(stored.note).is_swapped for stored in graders] == [False, True]
    assert graders[0].digest != graders[1].digest


def test_a_grader_is_trained_further_from_its_file_and_remembers_all_its_patients(
    spider, models, tmp_path, tiny_presets, monkeypatch
):
    earlier = LearnedPatients(names=frozenset({"of another"}), scans=frozenset({"another"}))
    start = GradingNetwork(replace(QUICK.network, batch_norm=False))
    note = earlier.note | {"data": "scans of another"}
    save_network(start, tmp_path / "start.safetensors", note, Storage.FULL)
    monkeypatch.setattr(courses, "FURTHER_RECIPE", replace(QUICK, steps=1000, rate=1e-12, phantoms=0.5))
    options = ("--spider", spider, "--output", models, "--phantoms", 0, "--device", "cpu", "--storage", "full")
    further = ("--further", tmp_path / "start.safetensors", "--steps", 2)
    assert status(*options, "--work", tmp_path / "work", *further) == 0

    stored = read_model(models / GRADER_FILE, "grader")
    for name, tensor in start.state_dict().items():
        torch.testing.assert_close(stored.state[name], tensor, atol=1e-6, rtol=0)
    assert stored.note["data"].startswith("scans of another; SPIDER, CC BY 4.0")
    own = LearnedPatients.of(read_sources(spider, []), is_swapped=False)
    assert own.names and own.scans
    assert LearnedPatients.from_note(stored.note) == own.and_those(earlier)
    assert (tmp_path / "work" / "grader-further-1.csv").read_text().splitlines()[-1].startswith("2,")


def test_a_grader_that_takes_no_step_only_learns_how_sure_it_may_be(spider, models, tmp_path):
    earlier = LearnedPatients(names=frozenset({"of another"}))
    note = earlier.note | {"description": "grades discs"}
    save_network(without_batch_norm(GradingNetwork(TINY).eval()), tmp_path / "a.safetensors", note, Storage.HALF)
    start = tmp_path / "a.safetensors"
    options = ("--spider", spider, "--output", models, "--work", tmp_path / "work", "--further", start, "--steps", 0)
    assert status(*options) == 0

    stored, before = read_model(models / GRADER_FILE, "grader"), read_model(start, "grader")
    assert all(torch.equal(tensor, before.state[name]) for name, tensor in stored.state.items())
    assert stored.storage is Storage.HALF
    assert stored.config(NetworkConfig).temperatures != NetworkConfig.temperatures
    assert stored.digest != before.digest
    assert LearnedPatients.from_note(stored.note) == earlier
    assert stored.note["description"] == "grades discs; as sure as patients for validation allow"
    assert not list((tmp_path / "work").glob("grader*"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--steps 0 trains nothing"),
        (("--further", "start.safetensors"), "of the 0 scans of such no graded disc was found: give at least"),
        (("--further", "start.safetensors", "--phantoms", 3), "--phantoms is for training, but --steps 0 trains"),
        (("--further", "start.safetensors", "--implants", 0), "--implants is for training, but --steps 0 trains"),
    ],
)
def test_a_grader_without_steps_needs_a_grader_and_patients_to_be_fitted_to(
    options, said, tmp_path, capsys, monkeypatch
):
    write_grader(tmp_path / "start.safetensors")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.csv").write_text(f"scan,patient,level,pfirrmann\n{SAMPLE},1,L4-L5,3\n", "utf-8")
    given = ("--manifest", "labels.csv", "--work", "work", "--output", "models", "--steps", 0, *options)
    assert status(*given) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_patients_learned_from_do_not_tell_how_sure_a_grader_may_be(spider, models, tmp_path, capsys, caplog):
    watched = [scan for scan in read_sources(spider, []) if scan.split is Split.VALIDATION]
    known = LearnedPatients.of([replace(scan, split=Split.TRAIN) for scan in watched], is_swapped=False)
    start = write_grader(tmp_path / "start.safetensors", note=known.note)
    options = ("--spider", spider, "--output", models, "--work", tmp_path / "work", "--further", start)

    assert status(*options, "--steps", 0) == 2
    assert "of the 0 scans of such no graded disc was found" in capsys.readouterr().err
    assert f"{len(watched)} scans for validation are left out" in caplog.text
    assert status(*options, "--steps", 1, "--phantoms", 0, "--implants", 0, "--device", "cpu") == 0
    assert load_network(models / GRADER_FILE).config.temperatures == NetworkConfig.temperatures
    assert "no disc of a patient for validation tells how sure probabilities may be" in caplog.text


def test_what_was_begun_from_one_grader_does_not_go_on_from_another(spider, models, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(courses, "FURTHER_RECIPE", replace(QUICK, steps=2))
    statuses = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        save_network(GradingNetwork(QUICK.network), tmp_path / f"{seed}.safetensors")
        options = ("--spider", spider, "--work", tmp_path / "work", "--output", models, "--phantoms", 0)
        statuses.append(status(*options, "--device", "cpu", "--further", tmp_path / f"{seed}.safetensors"))
    assert statuses == [0, 2]
    assert "starting weights" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--swap-validation-and-test",), "--further and --swap-validation-and-test exclude each other"),
        ((), "is the second of two graders"),
    ],
)
def test_exchanged_patients_and_further_training_exclude_each_other(options, said, tmp_path, capsys):
    second = tmp_path / "second.safetensors"
    save_network(GradingNetwork(QUICK.network), second, LearnedPatients(is_swapped=True).note)
    assert status("--further", second, *options, "--work", tmp_path / "work", "--output", tmp_path) == 2
    assert said in capsys.readouterr().err


def test_a_grader_that_is_not_there_cannot_be_trained_further(tmp_path, capsys):
    assert status("--further", tmp_path / "a", "--work", tmp_path / "work", "--output", tmp_path) == 2
    assert f"There is no grader '{tmp_path / 'a'}' to train further" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option",
    [
        ("--swap-validation-and-test",),
        ("--further", "a.safetensors"),
        ("--steps", "0"),
        ("--preset", "quick"),
        ("--device", "cpu"),
        ("--implants", "0"),
    ],
)
def test_the_detector_takes_no_option_of_the_grader(option, tmp_path, capsys):
    assert main(["train", "detector", *option, "--work", str(tmp_path / "work"), "--output", str(tmp_path)]) == 2
    assert f"{option[0]} is for the grader alone: leave it out for the detector." in capsys.readouterr().err


def test_the_detector_begins_with_phantoms(tmp_path, capsys):
    assert (
        main(
            [
                "train",
                "detector",
                "--phantoms",
                "0",
                "--spider",
                ".",
                "--work",
                str(tmp_path / "work"),
                "--output",
                str(tmp_path),
            ]
        )
        == 2
    )
    assert "--phantoms 0 leaves the detector nothing to begin with" in capsys.readouterr().err


def test_the_detector_asks_for_the_reduced_copy_before_it_simulates(tmp_path, capsys):
    assert (
        main(
            [
                "train",
                "detector",
                "--spider",
                str(tmp_path),
                "--work",
                str(tmp_path / "work"),
                "--output",
                str(tmp_path),
            ]
        )
        == 2
    )
    assert "give the folder of the reduced SPIDER copy" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("option", ["--work", "--output"])
def test_a_file_in_the_place_of_a_folder_is_refused_at_once(option, spider, tmp_path, capsys):
    (tmp_path / "a.csv").write_text("mine")
    folders = {"--work": tmp_path / "work", "--output": tmp_path} | {option: tmp_path / "a.csv"}
    assert status("--spider", spider, *(part for pair in folders.items() for part in pair)) == 2
    assert "a.csv' is no folder: give --work and --output folders" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(("option", "value"), [("--workers", "0"), ("--workers", "62"), ("--phantoms", "1000001")])
def test_numbers_that_cannot_be_are_refused(option, value, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        status("--work", tmp_path, option, value)
    assert f"{option}: '{value}' is not a whole number from" in capsys.readouterr().err


def test_the_detector_takes_no_manifest(models, tmp_path, capsys):
    assert (
        main(
            [
                "train",
                "detector",
                "--manifest",
                "labels.csv",
                "--work",
                str(tmp_path / "work"),
                "--output",
                str(tmp_path),
            ]
        )
        == 2
    )
    assert "give --spider and no --manifest" in capsys.readouterr().err


def test_each_preset_says_what_it_is(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    said = " ".join(capsys.readouterr().out.split())

    assert all(preset.description in said for preset in Preset)


def test_a_preparation_that_was_stopped_goes_on(spider, models, tmp_path, tiny_presets, monkeypatch):
    cut = []

    def stopped_at_the_second(scan, detector):
        cut.append(scan.patient)
        if len(cut) == 2:
            raise KeyboardInterrupt
        return real_cut(scan, detector)

    for patient in (1, 2, 3, 5):  # no two scans alike
        image = spider / "images" / f"{patient}_t2.mha"
        image.write_bytes(image.read_bytes()[:-1] + bytes([patient]))
    real_cut = disc_examples.cut_discs
    monkeypatch.setattr(disc_examples, "cut_discs", stopped_at_the_second)
    options = ("--spider", spider, "--work", tmp_path / "work", "--output", models, "--phantoms", 0, "--device", "cpu")

    with pytest.raises(KeyboardInterrupt):
        status(*options)
    assert status(*options) == 0
    assert len(cut) == len(set(cut)) + 1


def test_lesions_are_drawn_into_the_discs_of_some_patient(tmp_path, capsys):
    assert status("--implants", 2, "--work", tmp_path / "work", "--output", tmp_path) == 2
    assert "--implants draws into patients' discs: give --spider DIR or --manifest FILE" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()
