import csv
from dataclasses import replace

import numpy as np
import pytest

from mpm_mmpose.formats import Scene, write_scene
from mpm_mmpose.pose.keypoints import get_keypoint_set
from mpm_mmpose.version import __version__


def read(path):
    lines = path.read_text().splitlines()
    comments = [line for line in lines if line.startswith("#")]
    return comments, list(csv.DictReader(lines[len(comments) :]))


def test_rows_and_columns(tmp_path, walk):
    write_scene(tmp_path / "walk.csv", walk)
    comments, rows = read(tmp_path / "walk.csv")
    assert comments == [
        f"# made by mpm_mmpose {__version__} of walk",
        "# fps 25; keypoint set h36m_17",
        "# m, relative to the pelvis, camera axes: x right, y down, z away; frames from 0; time in s; empty: not known",
        "# trajectory: the pelvis in the camera's axes, m",
        "# masked: keypoints that the model was not shown, and guesses",
        "# note: a note",
    ]
    assert [row["person"] for row in rows] == ["1"] * 10 + ["b/2"] * 3
    assert [row["frame"] for row in rows[-3:]] == ["3", "4", "7"] and float(rows[-1]["time"]) == pytest.approx(7 / 25)
    first, wrist = walk.people[0], [f"left_wrist_{axis}" for axis in "xyz"]
    found = np.array([[float(row[name]) for name in wrist] for row in rows[:10]])
    np.testing.assert_allclose(found, first.keypoints_3d[:, 13], atol=1e-6)
    assert float(rows[4]["trajectory_x"]) == pytest.approx(first.trajectory[4, 0], abs=1e-6)
    assert rows[11]["left_wrist_x"] == rows[11]["trajectory_z"] == ""
    assert len(rows[0]) == 3 + 3 * 18 + 1
    names = get_keypoint_set("h36m_17").names
    assert [row["masked"].split() for row in rows[:10]] == [
        [name for name, masked in zip(names, row, strict=True) if masked] for row in first.masked
    ]


def test_misfits_where_they_are_known(tmp_path, walk):
    first, *others = walk.people
    misfit = np.array([0.125, *[np.nan] * 9])
    write_scene(tmp_path / "walk.csv", replace(walk, people=[replace(first, misfit=misfit), *others]))
    comments, rows = read(tmp_path / "walk.csv")
    assert "# misfit: of the 3D from the 2D it came from, 0 the same, 1 nothing in common" in comments
    assert [row["misfit"] for row in rows] == ["0.125000"] + [""] * 12


def test_nobody(tmp_path):
    write_scene(tmp_path / "empty.csv", Scene("a\nname", [], np.arange(3) / 10, 10.0))
    comments, rows = read(tmp_path / "empty.csv")
    assert comments[0].endswith("of a name") and not rows


def test_names_and_notes_are_no_formulas(tmp_path, walk):
    people = [replace(walk.people[0], name='=HYPERLINK("x")'), replace(walk.people[1], name="-7")]
    scene = replace(walk, name="a,=1+1;@b\ttab", people=people, notes=["one, =2; -3"])
    write_scene(tmp_path / "walk.csv", scene)
    lines = (tmp_path / "walk.csv").read_text().splitlines()
    assert not [cell for line in csv.reader(lines) for cell in line if cell.strip()[:1] in ("=", "@")]
    assert lines[0].endswith("of a;'=1+1;'@b tab") and "# note: one; '=2; '-3" in lines
    _, rows = read(tmp_path / "walk.csv")
    assert {row["person"] for row in rows} == {'\'=HYPERLINK("x")', "-7"}
