from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from spider_making import write_spider

from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.graded_scans import GradedScan, ScanFile, Split
from SpineNetCore.learning.datasets.sources import read_sources
from SpineNetCore.learning.datasets.splits import swapped, with_splits

TABLE, OTHER = Path("one.csv"), Path("other.csv")


def scans_of(patients: int, source: Path = TABLE, each: int = 1) -> list[GradedScan]:
    return [
        GradedScan(f"p{patient}", source, ScanFile(Path(f"{patient}-{k}.nii")), {})
        for patient in range(patients)
        for k in range(each)
    ]


def splits_of(scans: list[GradedScan]) -> dict[str, Split]:
    return {scan.patient: scan.split for scan in scans}


def test_patients_are_split_80_10_10():
    counts = Counter(splits_of(with_splits(scans_of(60, each=2))).values())

    assert counts == {Split.TRAIN: 48, Split.VALIDATION: 6, Split.TEST: 6}


def test_all_scans_of_a_patient_are_in_one_split():
    split = with_splits(scans_of(40, each=3))

    assert all(len({scan.split for scan in split if scan.patient == patient}) == 1 for patient in splits_of(split))


def test_splits_depend_on_the_seed_and_not_on_the_order():
    scans = scans_of(50)

    assert splits_of(with_splits(scans, 7)) == splits_of(with_splits(scans[::-1], 7))
    assert splits_of(with_splits(scans, 7)) != splits_of(with_splits(scans, 8))


def test_three_patients_are_enough_for_three_splits():
    assert set(splits_of(with_splits(scans_of(3))).values()) == set(Split)


def test_a_given_split_stays_and_counts_towards_its_tenth():
    given = [replace(scan, split=Split.TEST) for scan in scans_of(20)[:8]]
    split = splits_of(with_splits(given + scans_of(20)[8:]))

    assert {split[f"p{k}"] for k in range(8)} == {Split.TEST}
    assert Counter(split.values()) == {Split.TEST: 8, Split.VALIDATION: 2, Split.TRAIN: 10}


def test_reserved_patients_change_no_other_s_split():
    reserved = [replace(s, patient=f"q{s.patient}", split=Split.TEST, is_reserved=True) for s in scans_of(40)]
    split = splits_of(with_splits(scans_of(30) + reserved))

    assert {patient: one for patient, one in split.items() if patient[0] == "p"} == splits_of(with_splits(scans_of(30)))
    assert {one for patient, one in split.items() if patient[0] == "q"} == {Split.TEST}


def test_a_given_split_holds_for_the_patients_other_scans_and_sources():
    scans = [replace(scans_of(1)[0], split=Split.VALIDATION), *scans_of(1), *scans_of(1, OTHER)]

    assert [scan.split for scan in with_splits(scans)] == [Split.VALIDATION] * 3


def test_every_source_is_split_by_itself():
    split = with_splits(scans_of(20) + [replace(s, patient=f"q{s.patient}") for s in scans_of(10, OTHER)])

    assert Counter(scan.split for scan in split if scan.source == OTHER) == {
        Split.TRAIN: 8,
        Split.VALIDATION: 1,
        Split.TEST: 1,
    }


def test_a_patient_that_two_sources_put_into_two_splits_is_refused_by_name():
    scans = [replace(scans_of(1)[0], split=Split.TRAIN), replace(scans_of(1, OTHER)[0], split=Split.TEST)]
    with pytest.raises(InputError, match=r"Patient 'p0' is in 'train' by 'one.csv' and in 'test' by 'other.csv': put"):
        with_splits(scans)


def test_a_manifest_may_not_train_on_a_patient_whom_spider_keeps_out(tmp_path):
    folder = write_spider(tmp_path)
    manifest = folder / "labels.csv"
    manifest.write_text("scan,patient,level,pfirrmann,split\nt2_SPACE/5_t2_SPACE.nii.gz,4,L5-S1,3,train\n")
    with pytest.raises(InputError, match=r"Patient '4' is in 'test' by .*radiological_gradings.csv' and in 'train' by"):
        read_sources(folder, [manifest])


def test_spider_and_manifests_are_read_together(tmp_path):
    folder = write_spider(tmp_path)
    manifest = folder / "labels.csv"
    manifest.write_text("scan,patient,level,pfirrmann\nt2_SPACE/5_t2_SPACE.nii.gz,anna,L5-S1,3\n")

    assert splits_of(read_sources(folder, [manifest])).keys() == {"1", "4", "anna"}


def test_one_file_under_two_names_is_refused(tmp_path):
    for name, patient in (("one", "anna"), ("two", "bert")):
        (tmp_path / "scan.nii").touch()
        (tmp_path / f"{name}.csv").write_text(f"scan,patient,level,pfirrmann\nscan.nii,{patient},L5-S1,3\n")
    with pytest.raises(InputError, match=r"scan.nii' shows patient 'bert' by .* and patient 'anna' by .*: give it one"):
        read_sources(None, [tmp_path / "one.csv", tmp_path / "two.csv"])


def test_a_disc_graded_by_two_tables_is_refused(tmp_path):
    (tmp_path / "scan.nii").touch()
    for name, level in (("one", "L5-S1"), ("two", "L4-L5"), ("three", "L4-L5")):
        (tmp_path / f"{name}.csv").write_text(f"scan,patient,level,pfirrmann\nscan.nii,anna,{level},3\n")
    tables = [tmp_path / f"{name}.csv" for name in ("one", "two", "three")]

    assert len(read_sources(None, tables[:2])) == 2
    with pytest.raises(InputError, match=r"L4-L5 of '.*scan.nii' is graded by '.*two.csv' and by '.*three.csv': keep"):
        read_sources(None, tables)


def test_without_any_source_one_is_asked_for():
    with pytest.raises(InputError, match="give --spider with a folder, --manifest with a table, or both"):
        read_sources(None, [])


def test_swapping_exchanges_validation_and_test_and_is_its_own_undo():
    scans = with_splits(scans_of(20))
    first, second = splits_of(scans), splits_of(swapped(scans))

    assert [p for p, split in first.items() if split is Split.TEST] == [
        p for p, split in second.items() if split is Split.VALIDATION
    ]
    assert {p for p, split in first.items() if split is Split.TRAIN} == {
        p for p, split in second.items() if split is Split.TRAIN
    }
    assert swapped(swapped(scans)) == scans
