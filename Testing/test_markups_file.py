from __future__ import annotations

import numpy as np
import pytest

from SpineNetCore.errors import InputError
from SpineNetCore.given_spine import read_spine
from SpineNetCore.markups_file import points_from_fcsv, points_from_markups


def markups(*points, system="LPS", **changes):
    """The content of a markups file: points are (label, position) or (label, position, status)."""
    listed = [
        {"label": point[0], "position": point[1], "positionStatus": point[2] if len(point) > 2 else "defined"}
        for point in points
    ]
    return {"markups": [{"type": "Fiducial", "coordinateSystem": system, "controlPoints": listed} | changes]}


def test_points_are_ras_whatever_the_file_keeps(tmp_path):
    for system, position in (("LPS", [-1.0, -2.0, 3.0]), ("RAS", [1.0, 2.0, 3.0])):
        points = points_from_markups(markups(("L4/5", position), system=system), tmp_path)
        assert list(points) == ["L4-L5"]
        np.testing.assert_array_equal(points["L4-L5"], [1, 2, 3])


def test_points_without_a_place_are_passed_over(tmp_path):
    content = markups(("L4-L5", [0, 0, 0]), ("F-1", [0, 0, 0], "undefined"), ("F-2", [0, 0, 0], "preview"))
    assert list(points_from_markups(content, tmp_path)) == ["L4-L5"]


@pytest.mark.parametrize(
    ("system", "position"), [("LPS", "-1,-2,3"), ("RAS", "1,2,3"), ("0", "1,2,3"), ("1", "-1,-2,3")]
)
def test_the_older_file_is_read_too(tmp_path, system, position):
    path = tmp_path / "points.fcsv"
    path.write_text(
        f"# Markups fiducial file version = 4.11\n# CoordinateSystem = {system}\n# columns = id,x,y,z,ow,ox,oy,oz,vis\n"
        f"vtkMRMLMarkupsFiducialNode_0,{position},0,0,0,1,1,1,0,L5-S1,,\n"
    )
    np.testing.assert_array_equal(points_from_fcsv(path)["L5-S1"], [1, 2, 3])


def test_points_without_a_place_are_passed_over_in_an_older_file_too(tmp_path):
    path = tmp_path / "points.fcsv"
    rows = [f"n,1,2,3,0,0,0,1,1,1,0,{level},,,{status},0" for level, status in (("L4-L5", 0), ("L5-S1", 2))]
    path.write_text("\n".join(["# CoordinateSystem = RAS", *rows]))
    assert list(points_from_fcsv(path)) == ["L5-S1"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"markups": 3}, "no markups file"),
        ({"markups": [3]}, "no markups file"),
        (markups(("F-1", [0, 0, 0])), "a point called 'F-1': call each by its disc"),
        (markups(("L4-L5", [0, 0, 0]), ("L4/5", [0, 0, 9])), "marks L4-L5 more than once"),
        (markups(("L4-L5", [0, 0])), r"places 'L4-L5' at \[0, 0\]"),
        (markups(("L4-L5", [0, 0, "far"])), "three numbers in mm"),
        (markups(("L4-L5", [0, 0, float("inf")])), "three numbers in mm"),
        (markups(("L4-L5", [0, 0, 10**400])), "three numbers in mm"),
        (markups(("L4-L5", [0, 0, 0]), system="XYZ"), "the coordinate system 'XYZ'"),
        (markups(("L4-L5", [0, 0, 0]), coordinateUnits="um"), "in 'um'"),
    ],
)
def test_points_that_cannot_be_read_are_refused_by_what_is_wrong(content, said, tmp_path):
    with pytest.raises(InputError, match=said):
        points_from_markups(content, tmp_path)


@pytest.mark.parametrize(("text", "said"), [("1,2,3\n", "3 columns"), ("0,1,2,3,0,0,0,1,1,1,0,L5-S1", "system ''")])
def test_an_older_file_that_is_none_is_refused(text, said, tmp_path):
    path = tmp_path / "points.fcsv"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        points_from_fcsv(path)


def test_an_older_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "points.fcsv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is no text"):
        read_spine(path, None)


def test_an_older_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        points_from_fcsv(tmp_path)
