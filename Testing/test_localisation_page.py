from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from case_making import a_case, shifted_by_a_level, true_spine, with_disc_moved

from SpineNetCore import RESEARCH_USE_NOTICE
from SpineNetCore.errors import InputError
from SpineNetCore.learning.datasets.spider import Picture
from SpineNetCore.learning.localisation.conditions import AS_IT_IS, Condition, noisy
from SpineNetCore.learning.localisation.figures import failure_picture
from SpineNetCore.learning.localisation.lowest_discs import (
    PictureOutcome,
    is_measurable,
    picture_outcome,
    pictures_sentence,
)
from SpineNetCore.learning.localisation.page import PICTURES_PER_CONDITION, Evaluation, evaluation_page
from SpineNetCore.learning.localisation.result import write_evaluation
from SpineNetCore.learning.localisation.running import Job, measure_all
from SpineNetCore.learning.localisation.summary import summaries
from SpineNetCore.localisation import Spine
from SpineNetCore.scan import Scan, mapped


def find_shifted(_: Scan) -> Spine:
    return shifted_by_a_level(a_case())


def find_truth(_: Scan) -> Spine:
    return true_spine(a_case())


def find_all_but_one(_: Scan) -> Spine:
    return with_disc_moved(true_spine(a_case()), "L2-L3", down_mm=12.0)


def find_nothing(scan: Scan) -> Spine:
    raise InputError(f"No spine <here> on {scan.name!r}.")


def an_evaluation(*finders: object, conditions: tuple[Condition, ...] = (AS_IT_IS,)) -> Evaluation:
    rng = np.random.default_rng(0)
    measurements = measure_all([Job(a_case, find, conditions) for find in finders], rng)
    lines = summaries([measurement.outcome for measurement in measurements], rng)
    pictures = (PictureOutcome(3, 4.2, is_warned=True), PictureOutcome(9, None))
    return Evaluation((("Detector", "models/<a>"),), tuple(measurements), tuple(lines), pictures)


class Tags(HTMLParser):
    """Counts tags and checks that they nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.counts: dict[str, int] = {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag not in ("meta", "br", "image", "polygon", "circle"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_fetches_nothing() -> None:
    page = evaluation_page(an_evaluation(find_shifted, find_truth))
    assert Tags(page).open == []
    assert RESEARCH_USE_NOTICE in page
    assert "models/&lt;a&gt;" in page
    assert not re.findall(r'(?:href|src)="(?!data:)', page)


def test_a_failure_is_shown_with_what_is_there_and_what_was_said_and_a_success_is_not() -> None:
    page = evaluation_page(an_evaluation(find_shifted, find_truth))
    assert Tags(page).counts["figure"] == 1
    assert "1 scan with a failure" in page
    assert "L4-L5 called L5-S1" in page
    assert "Missed: L5-S1" in page
    assert "<p>None.</p>" in evaluation_page(an_evaluation(find_truth))


def test_a_refusal_is_shown_with_its_reason() -> None:
    assert "Refused: No spine &lt;here&gt; on" in evaluation_page(an_evaluation(find_nothing))


def test_of_many_failures_the_worst_are_shown_and_all_are_counted() -> None:
    finders = [find_all_but_one] * PICTURES_PER_CONDITION + [find_nothing]
    page = evaluation_page(an_evaluation(*finders))
    assert Tags(page).counts["figure"] == PICTURES_PER_CONDITION
    assert f"{len(finders)} scans with a failure, the worst {PICTURES_PER_CONDITION} shown" in page
    assert "Missed: T12-L1, L1-L2, L2-L3, L3-L4, L4-L5, L5-S1<br>Refused:" in page


def test_wrong_names_without_a_warning_come_first() -> None:
    page = evaluation_page(an_evaluation(find_nothing, find_shifted))
    assert page.index("Misnamed:") < page.index("Refused:")


def test_names_found_lie_over_the_names_that_are_true() -> None:
    case = a_case()
    picture = failure_picture(case, true_spine(case), "a picture")
    heights = {
        kind: [float(y) for y in re.findall(rf'class="{kind}" x="[^"]*" y="([^"]*)"', picture)]
        for kind in ("true-name", "disc-name")
    }
    assert len(heights["true-name"]) == len(heights["disc-name"]) == 6
    assert heights["true-name"] == pytest.approx(heights["disc-name"], abs=0.2)


def test_several_processes_measure_the_same_as_one() -> None:
    jobs = [Job(a_case, find, (AS_IT_IS, Condition("noise", noisy))) for find in (find_shifted, find_truth)]
    one, two = (measure_all(jobs, np.random.default_rng(3), workers) for workers in (1, 2))
    assert [m.picture for m in one] == [m.picture for m in two]
    assert [m.outcome.named for m in one] == [m.outcome.named for m in two] == [0, 0, 6, 6]


def test_pictures_are_right_where_l5_s1_is_the_reader_s_and_refusals_count_against() -> None:
    outcomes = [
        PictureOutcome(1, 3.0),
        PictureOutcome(2, 34.0),
        PictureOutcome(3, 9.0, is_warned=True),
        PictureOutcome(4, None),
        PictureOutcome(5, np.inf, is_warned=True),
    ]
    said = pictures_sentence(outcomes)
    assert "on 2 of 5 (40.0 (0.0-80.0) %); 1 refused, 1 read wrongly without a warning" in said


@pytest.mark.parametrize(
    ("rows", "place", "expected"), [(300, (100.0, 80.0), True), (300, None, False), (700, (100.0, 80.0), False)]
)
def test_only_pictures_of_credible_size_with_a_place_are_measured(
    rows: int, place: tuple[float, float] | None, expected: bool
) -> None:
    assert is_measurable(Picture(7, np.zeros((rows, 200), np.uint8), 1.0, lowest_disc=place)) == expected


def test_one_picture_has_no_interval() -> None:
    assert "on 1 of 1 (100.0 %)" in pictures_sentence([PictureOutcome(1, 3.0)])


def test_a_picture_is_measured_from_the_place_set_by_eye() -> None:
    case = a_case()
    spine = true_spine(case)
    lowest = spine.disc("L5-S1")
    assert lowest is not None
    picture = Picture(7, np.zeros((300, 200), np.uint8), 1.0, lowest_disc=(100.0, 80.0))
    place = mapped(picture.scan.ras_from_ijk, np.array([0.0, 100.0, 80.0]))
    moved = replace(spine, discs=(replace(lowest, centre_ras_mm=place + np.array([0.0, 3.0, -4.0])),))

    assert picture_outcome(picture, lambda _: moved) == PictureOutcome(7, pytest.approx(5.0))
    assert picture_outcome(picture, lambda _: replace(moved, discs=())).away_mm == np.inf
    assert picture_outcome(picture, find_nothing).away_mm is None


def test_the_result_is_the_page_and_its_tables(tmp_path: Path) -> None:
    write_evaluation(an_evaluation(find_shifted), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "localisation.csv",
        "localisation.html",
        "pictures.csv",
    ]
    assert (tmp_path / "out" / "pictures.csv").read_text("utf-8").splitlines()[1:] == ["3,4.2,1,1", "9,,0,0"]


def test_a_breakdown_while_writing_leaves_an_earlier_result_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    write_evaluation(an_evaluation(find_shifted), folder)
    earlier = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr("SpineNetCore.learning.localisation.result.evaluation_page", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_evaluation(an_evaluation(find_truth), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == earlier


def test_a_folder_that_holds_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match=r"holds other files, such as 'letter.txt'"):
        write_evaluation(an_evaluation(find_truth), tmp_path)
