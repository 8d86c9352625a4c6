from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from report_making import a_report
from spine_making import LUMBAR, a_column, an_empty_scan, vertebrae_of

from SpineNetCore.anatomy import DISC_LEVELS
from SpineNetCore.errors import InputError
from SpineNetCore.given_spine import read_spine
from SpineNetCore.localisation import discs_between
from SpineNetCore.report_json import json_text
from SpineNetCore.report_types import DiscResult


@pytest.fixture
def a_scan():
    return an_empty_scan(slices=5, turn_deg=(12.0, -9.0, 15.0))


@pytest.fixture
def content(a_scan):
    """What `report.json` says of the scan, parsed; the third disc's centre lies 2 mm off the middle."""
    vertebrae = vertebrae_of(a_scan, a_column())
    discs = list(discs_between(vertebrae, a_scan))
    discs[2] = replace(discs[2], centre_ras_mm=discs[2].centre_ras_mm + 2 * discs[2].inferior)
    results = tuple(DiscResult(disc.level, disc.centre_ras_mm, "untried", None, disc) for disc in discs)
    report = replace(a_report(), scan=a_scan, vertebrae=vertebrae, discs=results)
    return json.loads(json_text(replace(report, warnings=("Check them.", "It is T1."), naming_doubts=("Check them.",))))


@pytest.fixture
def read(a_scan, tmp_path):
    """Reads the spine out of a report of that content."""

    def spine(content):
        path = tmp_path / "edited.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return read_spine(path, a_scan)

    return spine


def test_a_report_gives_back_its_vertebrae_and_discs(read, content, a_scan):
    spine = read(content)
    assert [vertebra.level for vertebra in spine.vertebrae] == list(LUMBAR)
    assert [disc.level for disc in spine.discs] == list(DISC_LEVELS)
    for vertebra, truth in zip(spine.vertebrae, vertebrae_of(a_scan, a_column()), strict=True):
        np.testing.assert_allclose(vertebra.corners_ras_mm, truth.corners_ras_mm, atol=1e-4)
        assert vertebra.half_width_mm == truth.half_width_mm
        assert vertebra.confidence == truth.confidence
    truths = discs_between(vertebrae_of(a_scan, a_column()), a_scan)
    for place, (disc, truth) in enumerate(zip(spine.discs, truths, strict=True)):
        moved = 2 * truth.inferior if place == 2 else 0
        np.testing.assert_allclose(disc.centre_ras_mm, truth.centre_ras_mm + moved, atol=1e-3)
        for given, true in (
            (disc.posterior, truth.posterior),
            (disc.inferior, truth.inferior),
            (disc.left, truth.left),
        ):
            np.testing.assert_allclose(given, true, atol=1e-3)
        assert (disc.width_mm, disc.height_mm) == pytest.approx((truth.width_mm, truth.height_mm), abs=1e-3)
    said, *doubts = spine.warnings
    assert "edited.json" in said
    assert doubts == content["warnings"]
    assert spine.naming_doubts == ("Check them.",)
    assert spine.naming_confidence == content["naming"]["confidence"]
    assert len(spine.shifts) == 1 + len(content["naming"]["alternatives"])


def test_remarks_on_reading_a_report_do_not_pile_up(read, content):
    third, fourth = content["discs"][2:4]
    third["level"], fourth["level"] = fourth["level"], third["level"]
    once = read(content).warnings
    again = read(content | {"warnings": list(once)}).warnings
    assert again == once
    third["level"], fourth["level"] = fourth["level"], third["level"]
    mended = read(content | {"warnings": list(again)}).warnings
    assert not any("was placed" in warning for warning in mended)


def test_a_warning_taken_out_is_no_doubt_about_names_either(read, content):
    assert read(content | {"warnings": []}).naming_doubts == ()


def test_without_naming_and_warnings_the_reader_is_sure(read, content):
    del content["naming"], content["warnings"]
    spine = read(content)
    assert spine.shifts == {0: 1.0}
    assert len(spine.warnings) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"naming": 3}, "the naming 3: give an object"),
        ({"naming": {"confidence": 1}}, "no list of alternatives"),
        ({"naming": {"confidence": 7, "alternatives": []}}, "the confidence 7: give a number from 0 to 1"),
        ({"warnings": "doubt"}, "warnings that are no list of sentences: take them out"),
        ({"naming": {"confidence": 1, "alternatives": [], "doubts": [1]}}, "doubts that are no list of sentences"),
    ],
)
def test_doubts_that_cannot_be_read_are_refused(read, content, change, said):
    with pytest.raises(InputError, match=said):
        read(content | change)


def test_a_vertebra_left_out_between_two_names_is_refused(read, content):
    del content["discs"]
    levels = [vertebra["level"] for vertebra in content["vertebrae"]]
    del content["vertebrae"][3]
    for vertebra, level in zip(content["vertebrae"], levels[1:], strict=True):
        vertebra["level"] = level
    with pytest.raises(InputError, match=r"leaves \d\d mm between L3 and L4, too much for a disc: add the vertebra"):
        read(content)


def test_directions_are_put_back_onto_the_scans_own_slices_exactly(read, content, a_scan):
    for disc in read(content).discs:
        axes = np.stack([disc.posterior, disc.inferior, disc.left])
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
        assert disc.left @ a_scan.ras_from_ijk[:3, 0] == pytest.approx(a_scan.spacing_mm[0])


def test_a_moved_centre_without_geometry_takes_it_from_the_vertebrae(read, content):
    centre = content["discs"][4]["centre_ras_mm"]
    centre[2] += 1.5
    content["discs"][4]["geometry"] = None
    spine = read(content)
    np.testing.assert_allclose(spine.disc("L4-L5").centre_ras_mm, centre)
    assert spine.disc("L4-L5").width_mm == pytest.approx(35, abs=0.1)


def test_discs_far_from_their_vertebrae_are_taken_with_a_word(read, content):
    third, fourth = content["discs"][2:4]
    third["level"], fourth["level"] = fourth["level"], third["level"]
    content["warnings"] = []
    _said, *warnings = read(content).warnings
    assert [warning.split(" was placed ")[0] for warning in warnings] == ["L2-L3", "L3-L4"]


def test_vertebrae_with_exchanged_names_are_refused(read, content):
    third, fourth = content["vertebrae"][2:4]
    third["level"], fourth["level"] = fourth["level"], third["level"]
    with pytest.raises(InputError, match=r"places the vertebra L2 below L3: check the names"):
        read(content)


def test_a_disc_taken_away_by_the_reader_is_absent_with_a_reason(read, content):
    content["discs"][0]["centre_ras_mm"] = None
    spine = read(content)
    assert spine.disc("T12-L1") is None
    assert spine.reason_for_absence("T12-L1") == "T12-L1 not found: not in 'edited.json'."


def test_vertebrae_alone_are_enough(read, content):
    del content["discs"]
    assert [disc.level for disc in read(content).discs] == list(DISC_LEVELS)


def turn_over(geometry):
    geometry["inferior_ras"] = [-value for value in geometry["inferior_ras"]]


def spoilt(change):
    def spoil(content):
        change(content)
        return content

    return spoil


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda _: "{oops", "no JSON that can be read"),
        (lambda _: "[" * 100_000, "no JSON that can be read"),
        (lambda _: "[1]", "holds no JSON object"),
        (lambda _: "{}", "has no list of vertebrae"),
        (spoilt(lambda c: c.update(vertebrae=[1])), "has no list of vertebrae"),
        (spoilt(lambda c: c.update(vertebrae=[], discs=[])), "holds no disc"),
        (spoilt(lambda c: c["vertebrae"][0].update(level="L9")), "the level 'L9': give one of T8"),
        (spoilt(lambda c: c["vertebrae"][0].update(level=["L1"])), r"the level \['L1'\]"),
        (spoilt(lambda c: c["vertebrae"][0].update(level="L5")), "names L5 more than once"),
        (spoilt(lambda c: c["discs"][0].update(level="L5-S1")), "names L5-S1 more than once"),
        (spoilt(lambda c: c["discs"][0].update(level="T8-T9")), "the level 'T8-T9'"),
        (spoilt(lambda c: c["vertebrae"][2]["corners_ras_mm"].pop()), "4 x 3 finite numbers"),
        (spoilt(lambda c: c["vertebrae"][2].update(corners_ras_mm="here")), "the corners_ras_mm 'here'"),
        (spoilt(lambda c: c["vertebrae"][2]["corners_ras_mm"][0].__setitem__(0, float("nan"))), "finite numbers"),
        (spoilt(lambda c: c["vertebrae"][2]["corners_ras_mm"][0].__setitem__(2, 1e6)), r"draws L2 with sides of"),
        (spoilt(lambda c: c["vertebrae"][2].update(half_width_mm="wide")), "half_width_mm 'wide'"),
        (spoilt(lambda c: c["vertebrae"][2].update(confidence=2)), "confidence 2: give a number from 0 to 1"),
        (spoilt(lambda c: c["vertebrae"].pop()), "the disc L5-S1 without both of its vertebrae"),
        (spoilt(lambda c: c["discs"][1].update(centre_ras_mm=[0, 0])), "3 finite numbers"),
        (spoilt(lambda c: c["discs"][1].update(centre_ras_mm=[0, 900, 0])), r"L1-L2 at \(0.0, 900.0, 0.0\) mm RAS"),
        (spoilt(lambda c: c["discs"][1].update(geometry=7)), "geometry 7: give an object"),
        (spoilt(lambda c: c["discs"][1]["geometry"].update(width_mm=0)), "width_mm 0"),
        (spoilt(lambda c: c["discs"][1]["geometry"].update(left_ras=[0, 0, 0])), "own sagittal slices"),
        (spoilt(lambda c: turn_over(c["discs"][1]["geometry"])), "own sagittal slices"),
        (spoilt(lambda c: c["discs"][1].update(centre_ras_mm=[0, 10**400, 0])), "3 finite numbers"),
        (
            spoilt(lambda c: c["discs"][1]["geometry"].update(left_ras=c["discs"][1]["geometry"]["inferior_ras"])),
            "left",
        ),
    ],
)
def test_a_report_that_cannot_be_used_is_refused_by_what_is_wrong(read, content, spoil, said):
    with pytest.raises(InputError, match=said) as refused:
        read(spoil(content))
    assert "edited.json" in str(refused.value)


def test_vertebrae_of_another_patient_do_not_fit(read, content):
    for vertebra in content["vertebrae"]:
        vertebra["corners_ras_mm"] = (np.array(vertebra["corners_ras_mm"]) + 200).tolist()
    with pytest.raises(InputError, match=r"places T12 at .* outside the scan 'a scan'"):
        read(content)


def test_a_file_that_is_not_there_is_refused(a_scan, tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.json' is no file"):
        read_spine(tmp_path / "nowhere.json", a_scan)
