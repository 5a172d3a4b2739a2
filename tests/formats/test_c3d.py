import sys
from dataclasses import replace

import ezc3d
import numpy as np
import pytest

from mpm_mmpose.formats import Scene, write_scene
from mpm_mmpose.formats.c3d import FRAMES_OF_C3D
from mpm_mmpose.formats.placing import upright
from mpm_mmpose.pose.keypoints import H36M_17
from mpm_mmpose.version import __version__

from .conftest import moving, scene_of_poses


def test_round_trip_within_a_tenth_of_a_millimetre(tmp_path, walk):
    write_scene(tmp_path / "walk.c3d", walk)
    read = ezc3d.c3d(str(tmp_path / "walk.c3d"))
    point = read["parameters"]["POINT"]
    assert point["RATE"]["value"] == [25] and point["UNITS"]["value"] == ["mm"]
    assert (point["X_SCREEN"]["value"], point["Y_SCREEN"]["value"]) == (["+X"], ["+Y"])
    assert point["LABELS"]["value"] == [f"{who}:{name}" for who in ("1", "b/2") for name in H36M_17.names]
    assert read["parameters"]["MANUFACTURER"]["SOFTWARE"]["value"] == [f"mpm_mmpose {__version__}"]
    assert read["parameters"]["SUBJECTS"]["NAMES"]["value"] == ["1", "b/2"]
    expected = np.full((12, 34, 3), np.nan)
    for person, places, columns in zip(walk.people, upright(walk)[0], (slice(17), slice(17, 34)), strict=True):
        expected[person.frames, columns] = 1000 * places
    found = read["data"]["points"][:3].T
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-3)
    residuals = read["data"]["meta_points"]["residuals"][0].T
    np.testing.assert_array_equal(residuals, np.where(np.isfinite(expected[..., 0]), 0, -1))


def test_one_person_and_many(tmp_path):
    write_scene(tmp_path / "one.c3d", scene_of_poses(moving(2)))
    assert ezc3d.c3d(str(tmp_path / "one.c3d"))["parameters"]["POINT"]["LABELS"]["value"] == list(H36M_17.names)
    # More points than one list of labels holds (255).
    scene = scene_of_poses(*[moving(2, seed=seed) for seed in range(16)])
    write_scene(tmp_path / "many.c3d", scene)
    read = ezc3d.c3d(str(tmp_path / "many.c3d"))
    np.testing.assert_allclose(read["data"]["points"][:3, -17:].T, 1000 * upright(scene)[0][-1], atol=1e-3)
    assert read["parameters"]["POINT"]["LABELS2"]["value"][-1] == "16:right_wrist"


def test_what_c3d_cannot_hold(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"empty\.c3d: there is nobody to write"):
        write_scene(tmp_path / "empty.c3d", Scene("empty", [], np.arange(3) / 10, 10.0))
    scene = Scene("long", scene_of_poses(moving(2)).people, np.arange(FRAMES_OF_C3D + 1) / 10, 10.0)
    with pytest.raises(ValueError, match=r"long\.c3d: C3D holds at most 65535 frames, and there are 65536"):
        write_scene(tmp_path / "long.c3d", scene)
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    with pytest.raises(ValueError, match=r"C3D needs the ezc3d package: pip install 'mpm_mmpose\[c3d\]'"):
        write_scene(tmp_path / "walk.c3d", scene_of_poses(moving(2)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("left", [0, 100, 600, -600])
def test_a_full_disk_is_noticed(tmp_path, monkeypatch, left):
    """ezc3d says nothing of what it could not write."""
    write = ezc3d.c3d.write

    def cut_off(file, path):
        write(file, path)
        with open(path, "rb+") as written:
            written.truncate(left if left >= 0 else written.seek(0, 2) + left)

    monkeypatch.setattr(ezc3d.c3d, "write", cut_off)
    with pytest.raises(OSError, match=r"walk\.c3d: only \d+ of \d+ bytes could be written; is the disk full\?"):
        write_scene(tmp_path / "walk.c3d", scene_of_poses(moving(20)))
    assert not list(tmp_path.iterdir())


def test_what_was_masked_is_marked(tmp_path):
    masked = np.zeros((4, 17), bool)
    masked[1:3, 5] = True
    path = tmp_path / "walk.c3d"
    write_scene(path, scene_of_poses(moving(4), moving(4, seed=1), masked=masked))
    file = ezc3d.c3d(str(path))
    shown = file["data"]["meta_points"]["camera_masks"][0].astype(bool)  # (points, frames)
    np.testing.assert_array_equal(shown, np.concatenate((~masked.T, ~masked.T)))
    said = file["parameters"]["POINT"]["DESCRIPTIONS"]["value"]
    assert said[5] == "masked in 2 of 4 frames; a guess there" and said[4] == ""


def test_what_was_never_seen_is_no_point_when_asked(tmp_path):
    masked = np.zeros((4, 17), bool)
    masked[:, 5] = True
    scene = replace(scene_of_poses(moving(4), masked=masked), leave_out_unseen=True)
    path = tmp_path / "walk.c3d"
    assert "person 1 is without left_knee, which were never seen" in write_scene(path, scene).notes
    residuals = ezc3d.c3d(str(path))["data"]["meta_points"]["residuals"][0]
    assert (residuals[5] == -1).all() and (np.delete(residuals, 5, 0) == 0).all()
