from __future__ import annotations

import pytest
from dicom_writing import AXIAL, picture, save, slice_dataset, write_series

from SpineNetCore.dicom_headers import SeriesKey
from SpineNetCore.dicom_series import is_t2, sagittal_t2_series
from SpineNetCore.errors import InputError

PLACES = [-8.8, -4.4, 0.0, 4.4]


def chosen_name(folder) -> str:
    return sagittal_t2_series(folder).slices[0].series.description


def refusal_of(folder) -> str:
    with pytest.raises(InputError) as refusal:
        sagittal_t2_series(folder)
    assert str(folder) in str(refusal.value)
    return str(refusal.value)


def test_the_sagittal_t2_series_is_chosen(tmp_path):
    write_series(tmp_path / "a", [*PLACES, 8.8], SeriesInstanceUID="1.1", SeriesDescription="t1_tse_sag", EchoTime=10)
    write_series(tmp_path / "b", PLACES, SeriesInstanceUID="1.2", SeriesDescription="t2_tse_sag")
    write_series(
        tmp_path / "c", PLACES, SeriesInstanceUID="1.3", SeriesDescription="t2_tra", ImageOrientationPatient=list(AXIAL)
    )

    assert chosen_name(tmp_path) == "t2_tse_sag"


@pytest.mark.parametrize(("study", "date", "is_told"), [("2", "", True), ("1", "", False), ("2", "20200101", False)])
def test_the_like_series_of_another_examination_is_told_unless_dates_part_them(study, date, is_told, tmp_path):
    of_day = {"SeriesDescription": "t2_tse_sag", "StudyDate": "20240301" if date else ""}
    write_series(tmp_path / "a", [*PLACES, 8.8], SeriesInstanceUID="1.1", StudyInstanceUID="1", **of_day)
    write_series(
        tmp_path / "b", PLACES, SeriesInstanceUID="1.2", StudyInstanceUID=study, **of_day | {"StudyDate": date}
    )
    chosen = sagittal_t2_series(tmp_path)

    assert len(chosen.slices) == 5
    said = "'t2_tse_sag' of another examination suits as well: give a folder with that series alone"
    assert (said in chosen.notices[0]) == is_told


@pytest.mark.parametrize("name", ["t2_stir_sag", "T2 TIRM sag", "t2_tse_fs_sag", "T2 SAG FATSAT", "sag localizer t2"])
def test_fat_suppressed_series_and_localisers_come_after_plain_t2(name, tmp_path):
    write_series(tmp_path / "a", [*PLACES, 8.8], SeriesInstanceUID="1.1", SeriesDescription=name)
    write_series(tmp_path / "b", PLACES, SeriesInstanceUID="1.2", SeriesDescription="Sag T2")

    assert chosen_name(tmp_path) == "Sag T2"


@pytest.mark.parametrize(
    "tags",
    [
        {"SeriesDescription": "t2_tse_sag_thoracic"},
        {"SeriesDescription": "t2_tse_sag BWS"},
        {"SeriesDescription": "sag t2 C-spine"},
        {"SeriesDescription": "T SPINE SAG T2"},
        {"SeriesDescription": "t2_tse_sag", "BodyPartExamined": "TSPINE"},
        {"SeriesDescription": "ep2d_diff_sag_ADC"},
        {"SeriesDescription": "t2_haste_myelo_sag"},
        {"SeriesDescription": "WATER: Sag T2 FSE Flex"},
        {"SeriesDescription": "SUB t2_tse_sag"},
        {"SeriesDescription": "sag b800", "ScanningSequence": "EP"},
        {"SeriesDescription": "t2_tse_sag", "StudyDate": "20190101"},
    ],
)
def test_other_parts_of_the_body_other_pictures_and_earlier_days_come_after_the_lumbar_t2(tags, tmp_path):
    of_day = {"StudyDate": "20240301"}
    write_series(tmp_path / "other", [0.0, 4.4, 8.8], SeriesInstanceUID="1.2.9", **(of_day | tags))
    write_series(tmp_path / "plain", [0.0, 4.4], first_seed=9, SeriesDescription="t2_tse_sag", **of_day)
    chosen = sagittal_t2_series(tmp_path)
    assert {header.series.uid for header in chosen.slices} == {"1.2.3"}
    assert chosen.notices[0] == "Of 2 DICOM series, 't2_tse_sag' of 2024-03-01 was read."


@pytest.mark.parametrize("name", ["t2_thoracolumbar", "t2_tse_sag_LWS", "Sag T2 L-Spine", "t2_tse", "rachis lombaire"])
def test_lumbar_and_unnamed_series_are_of_no_other_part(name, tmp_path):
    write_series(tmp_path / "other", [0.0, 4.4, 8.8], SeriesInstanceUID="1.2.9", SeriesDescription="t2 sag cervical")
    write_series(tmp_path / "this", [0.0, 4.4], first_seed=9, SeriesDescription=name)
    assert {header.series.description for header in sagittal_t2_series(tmp_path).slices} == {name}


def test_fat_suppression_is_known_from_the_scan_options_too(tmp_path):
    write_series(
        tmp_path / "a", [*PLACES, 8.8], SeriesInstanceUID="1.1", SeriesDescription="Sag T2 A", ScanOptions=["PFP", "FS"]
    )
    write_series(tmp_path / "b", PLACES, SeriesInstanceUID="1.2", SeriesDescription="Sag T2 B")

    assert chosen_name(tmp_path) == "Sag T2 B"


def test_the_series_with_more_slices_is_chosen_among_equals(tmp_path):
    write_series(tmp_path / "a", PLACES, SeriesInstanceUID="1.1", SeriesDescription="Sag T2 short")
    write_series(tmp_path / "b", [*PLACES, 8.8], SeriesInstanceUID="1.2", SeriesDescription="Sag T2 long")

    assert chosen_name(tmp_path) == "Sag T2 long"


def test_what_was_chosen_among_several_is_told_and_which_would_suit_as_well(tmp_path):
    write_series(tmp_path / "a", PLACES, SeriesInstanceUID="1.1", SeriesDescription="Sag T2")
    assert sagittal_t2_series(tmp_path).notices == ()

    write_series(tmp_path / "b", PLACES, SeriesInstanceUID="1.2", SeriesDescription="Sag T1", EchoTime=10)
    assert sagittal_t2_series(tmp_path).notices == ("Of 2 DICOM series, 'Sag T2' was read.",)

    write_series(tmp_path / "c", PLACES, SeriesInstanceUID="1.3", SeriesDescription="Sag T2 again")
    (notice,) = sagittal_t2_series(tmp_path).notices
    assert notice.startswith("Of 3 DICOM series, 'Sag T2' was read. 'Sag T2 again' suits as well")


def test_the_two_echoes_of_one_series_are_parted_and_the_late_one_chosen(tmp_path):
    for echo_ms in (20, 100):
        write_series(tmp_path / str(echo_ms), PLACES, SeriesDescription="double echo", EchoTime=echo_ms)

    chosen = sagittal_t2_series(tmp_path).slices

    assert [header.series.echo_time_ms for header in chosen] == [100.0] * 4


def test_a_series_whose_echo_time_varies_a_little_stays_whole(tmp_path):
    for place, echo_ms in zip(PLACES, (99.4, 99.6, 100.4, 100.6), strict=True):
        write_series(tmp_path / str(place), [place], EchoTime=echo_ms)

    assert len(sagittal_t2_series(tmp_path).slices) == 4


@pytest.mark.parametrize(
    ("name", "echo_time_ms", "expected"),
    [
        ("Sag T2", None, True),
        ("sT2W_TSE", 90.0, True),
        ("t1_tse_sag_T12-S1", 90.0, False),
        ("spine", 100.0, True),
        ("spine", 12.0, False),
        ("spine", None, False),
    ],
)
def test_t2_is_told_by_name_and_else_by_echo_time(name, echo_time_ms, expected):
    assert is_t2(SeriesKey("1.2", name, echo_time_ms, False, False)) is expected


def test_a_lone_t1_series_is_chosen(tmp_path):
    write_series(tmp_path, PLACES, SeriesDescription="t1_tse_sag")

    assert chosen_name(tmp_path) == "t1_tse_sag"


def test_folders_are_searched_below_and_other_files_left_out(tmp_path):
    write_series(tmp_path / "study" / "series", PLACES)
    (tmp_path / "notes.txt").write_text("not an image")
    save(slice_dataset(picture(9), (0, 0, 0), Modality="SR"), tmp_path / "study" / "report.dcm")
    save(slice_dataset(picture(9), (0, 0, 0), ImagePositionPatient=None), tmp_path / "study" / "screenshot.dcm")

    assert len(sagittal_t2_series(tmp_path).slices) == 4


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("not an image")

    assert "holds no DICOM image: give" in refusal_of(tmp_path)


def test_a_folder_of_reports_only_is_refused_with_the_reason(tmp_path):
    save(slice_dataset(picture(9), (0, 0, 0), Modality="SR"), tmp_path / "report.dcm")

    assert "that can be used: " in refusal_of(tmp_path)
    assert "Modality is 'SR'" in refusal_of(tmp_path)


def test_two_patients_are_refused(tmp_path):
    write_series(tmp_path / "a", PLACES)
    write_series(tmp_path / "b", PLACES, SeriesInstanceUID="1.9", PatientID="P2")

    assert "holds 2 patients ('P1', 'P2')" in refusal_of(tmp_path)


def test_a_folder_without_a_sagittal_series_is_refused(tmp_path):
    write_series(tmp_path, PLACES, SeriesDescription="t2_tra", ImageOrientationPatient=list(AXIAL))

    assert "holds no sagittal series, only 't2_tra'" in refusal_of(tmp_path)
