from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from report_making import STEP, a_report

from SpineNetCore import RESEARCH_USE_NOTICE
from SpineNetCore.anatomy import DISC_LEVELS, Task
from SpineNetCore.report_page import page_html
from SpineNetCore.scan import mapped

ROOT = Path(__file__).resolve().parent.parent
VOID = {"meta", "br", "stop", "image", "use", "rect", "line", "circle", "polygon"}


class Page(HTMLParser):
    """The tags of a page, with their attributes, and its visible text; balanced tags or an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data + " "

    def having(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        return [found for name, found in self.tags if name == tag and attributes.items() <= found.items()]


def picture(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/png;base64,")))))


@pytest.fixture(scope="module")
def a_page():
    return Page(page_html(a_report()))


def test_an_option_to_be_copied_is_never_broken_across_lines():
    html = page_html(replace(a_report(), warnings=("Check them; --shift-levels -1 moves them.",)))
    assert 'Check them; <span class="option">--shift-levels -1</span> moves them.' in html


def test_the_page_stands_alone():
    html = page_html(a_report())
    references = [value for _, found in Page(html).tags for name, value in found.items() if name in ("href", "src")]
    assert references
    assert all(reference.startswith(("data:image/png;base64,", "#")) for reference in references)
    assert not re.search(r"https?://|@import|<script|<link|<iframe", html)
    assert set(re.findall(r"url\((.*?)\)", html)) == {"#heat"}
    assert len(html) < 5_000_000


def test_every_reference_within_the_page_has_its_one_target(a_page):
    names = [found["id"] for _, found in a_page.tags if "id" in found]
    assert len(names) == len(set(names))
    assert {found["href"][1:] for found in a_page.having("use")} <= set(names)


def test_the_page_says_that_it_is_for_research(a_page):
    assert RESEARCH_USE_NOTICE in a_page.text
    assert "must not guide a patient's care" in a_page.text
    assert "a T13 would be called T12" in a_page.text


def test_a_page_is_made_without_pytorch():
    """As in a Slicer that only shows what was analysed elsewhere."""
    code = "import sys; sys.modules['torch'] = None; import SpineNetCore.report_page"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_names_and_texts_from_outside_are_escaped():
    hostile = replace(a_report(), scan=replace(a_report().scan, name="<script>alert(1)</script>"))
    html = page_html(hostile)
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "grades &lt;discs&gt;" in html
    assert "anna &amp; co.nii.gz" in html


def test_the_page_tells_what_was_found_and_what_was_used(a_page):
    for text in ("Anna <O'Neill> & Co", "Only 5 slices & no more.", "grading.safetensors", "0123456789ab", "54 views"):
        assert text in a_page.text
    assert "T12-L1 was not scored: too little of it lies inside the scan, <less> than half" in a_page.text
    assert "Jamaludin" in a_page.text
    assert "5 of 6" in a_page.text


def test_a_grade_stands_with_its_meaning_its_probability_and_a_shade():
    row = re.search(r'<tr><th scope="row">L4-L5</th>(.*?)</tr>', page_html(a_report())).group(1)
    cells = re.findall(r'<td class="(s\d)">(.*?)</td>', row)
    assert [shade for shade, _ in cells] == ["s4"] * 6
    for text in ("5</span>", "black, collapsed", "75 ± 6 %"):
        assert text in cells[0][1]


def test_a_normal_grade_has_no_shade():
    report = a_report()
    normal = tuple(replace(score, grade=score.task.grades[0]) for score in report.discs[3].scores)
    html = page_html(
        replace(report, discs=(*report.discs[:3], replace(report.discs[3], scores=normal), *report.discs[4:]))
    )
    row = re.search(r'<tr><th scope="row">L2-L3</th>(.*?)</tr>', html).group(1)
    normal_row = re.search(r'<tr><th scope="row">L3-L4</th>(.*?)</tr>', html).group(1)
    assert set(re.findall(r'class="(s\d)"', row)) == {"s4"}
    assert set(re.findall(r'class="(s\d)"', normal_row)) == {"s0"}


def test_every_scored_disc_has_one_heat_map_per_task(a_page):
    labels = [
        found["aria-label"] for found in a_page.having("svg") if "evidence hotspots" in found.get("aria-label", "")
    ]
    wanted = [(level, task.title) for level in DISC_LEVELS[1:] for task in Task]
    assert [tuple(label.split(": evidence")[0].split(", ")) for label in labels] == wanted
    assert len(a_page.having("image", **{"class": "heat"})) == len(wanted)


def test_the_evidence_is_shown_on_the_slice_where_it_is_strongest(a_page):
    for place, task in enumerate(Task):
        number = place % 5 + 1
        assert a_page.having("svg", **{"aria-label": f"L3-L4, {task.title}: evidence hotspots on slice {number}"})


def test_a_heat_map_shows_its_own_disc_only(a_page):
    heat = picture(a_page.having("image", **{"class": "heat"})[0]["href"])
    assert heat.max() == 255
    assert not heat[[0, -1]].any()


def test_a_disc_without_evidence_says_so():
    report = a_report()
    cold = {task: np.zeros_like(heat) for task, heat in report.hotspots.items()}
    html = page_html(replace(report, hotspots=cold))
    assert html.count("slice 3 of 5, no evidence inside this disc") == 30


def test_without_hotspots_the_page_shows_the_discs_alone():
    page = Page(page_html(a_report(hotspots=False)))
    assert "Evidence hotspots were not asked for" in page.text
    assert not page.having("image", **{"class": "heat"})
    assert len(page.having("svg", **{"class": "crop"})) == 5


def test_an_empty_scan_still_makes_a_page():
    report = a_report()
    discs = tuple(
        replace(disc, centre_ras_mm=None, reason="not found", scores=None, disc=None) for disc in report.discs
    )
    blank = replace(report.scan, voxels=np.zeros_like(report.scan.voxels))
    nothing = replace(report, scan=blank, vertebrae=(), discs=discs, disc_labels=np.zeros_like(report.disc_labels))
    page = Page(page_html(nothing))
    assert "L4-L5 was not scored: not found" in page.text
    assert len(page.having("image")) == 1


def test_the_overview_has_square_pixels_and_outlines_that_meet_the_picture():
    report = a_report()
    voxels = np.zeros_like(report.scan.voxels)
    voxels[:, STEP * 3 + 2 : STEP * 3 + 19, 12:29] = 100  # L3, whose corners are these voxels' centres
    page = Page(page_html(replace(report, scan=replace(report.scan, voxels=voxels))))
    overview = picture(page.having("image")[0]["href"])
    rows, columns = np.nonzero(overview > 128)
    height, width = overview.shape
    assert height / width == pytest.approx(140 * 1.5 / (40 * 2.5), rel=0.01)
    assert np.ptp(rows) / np.ptp(columns) == pytest.approx(17 * 1.5 / (17 * 2.5), rel=0.05)
    outline = np.array([[float(x) for x in pair.split(",")] for pair in page.having("polygon")[3]["points"].split()])
    pixel = width / 40
    assert outline.min(axis=0) == pytest.approx((columns.min() + 0.5 * pixel, rows.min() + 0.5), abs=1)
    assert outline.max(axis=0) == pytest.approx((columns.max() - 0.5 * pixel, rows.max() - 0.5), abs=2)


def test_a_crop_shows_its_disc_upright_in_the_middle():
    report = a_report()
    disc = report.discs[3].disc
    tilt = 0.3
    tilted = replace(
        disc,
        posterior=np.cos(tilt) * disc.posterior + np.sin(tilt) * disc.inferior,
        inferior=np.cos(tilt) * disc.inferior - np.sin(tilt) * disc.posterior,
    )
    indices = np.moveaxis(np.indices(report.scan.voxels.shape), 0, -1).astype(float)
    from_centre = mapped(report.scan.ras_from_ijk, indices) - disc.centre_ras_mm
    bar = (abs(from_centre @ tilted.inferior) < 4) & (abs(from_centre @ tilted.posterior) < 16)
    scan = replace(report.scan, voxels=np.where(bar, 100, 0).astype(np.float32))
    discs = (*report.discs[:3], replace(report.discs[3], disc=tilted), *report.discs[4:])
    page = Page(page_html(replace(report, scan=scan, discs=discs)))
    crop = picture(page.having("image", id="L3-L4-slice-3")[0]["href"]) > 128
    rows, columns = np.nonzero(crop)
    height, width = crop.shape
    assert (rows.mean(), columns.mean()) == pytest.approx((height / 2, width / 2), abs=4)
    assert np.cov(rows, columns)[0, 1] == pytest.approx(0, abs=0.05 * np.var(columns))  # 0.3 when not turned
    assert columns.std() > 2.5 * rows.std()
