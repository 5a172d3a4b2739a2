import json

import numpy as np
import pytest

from mpm_mmpose.formats import write_scene
from mpm_mmpose.formats.mmpose_json import mmpose_axes, write_scene_2d
from mpm_mmpose.version import __version__


def test_mmpose_axes_are_those_of_its_inferencer():
    poses = np.array([[[0.1, -0.5, 2.0], [0.2, 0.9, 3.0]]], np.float32)
    # mmpose.apis.inferencers.Pose3DInferencer.forward: [..., [0, 2, 1]], x and z negated, z from its least.
    np.testing.assert_allclose(mmpose_axes(poses), [[[-0.1, 2.0, 1.4], [-0.2, 3.0, 0.0]]], atol=1e-6)


def test_frames_and_people(tmp_path, walk):
    write_scene(tmp_path / "walk.json", walk)
    content = json.loads((tmp_path / "walk.json").read_text())
    meta, frames = content["meta_info"], content["instance_info"]
    assert meta["dataset_name"] == "h36m" and meta["num_keypoints"] == 17 and meta["fps"] == 25
    assert meta["made_by"] == f"mpm_mmpose {__version__}" and meta["image_size"] == [100, 120]
    assert meta["keypoints_space"] == "m; x left, y away, z up from the lowest keypoint" and meta["notes"] == ["a note"]
    ids = [[one["track_id"] for one in frame["instances"]] for frame in frames]
    assert ids == [[1]] * 3 + [[1, "b/2"]] + [[1]] * 3 + [[1, "b/2"]] + [[1]] * 2 + [[], []]  # no pose in frame 4
    one = frames[7]["instances"][0]
    np.testing.assert_allclose(one["keypoints"], mmpose_axes(walk.people[0].keypoints_3d[7]), atol=1e-5)
    np.testing.assert_allclose(one["trajectory"], walk.people[0].trajectory[7], atol=1e-4)
    places = walk.people[0].keypoints_2d[7]
    np.testing.assert_allclose(one["bbox"], [[*places.min(0), *places.max(0)]], atol=1e-2)
    assert one["masked"] == [False] * 17 and "masked" not in frames[7]["instances"][1]


def test_there_is_no_nan_in_json(tmp_path, walk):
    person = walk.people[0]
    person.trajectory[2] = np.nan
    person.keypoints_2d[2, 5], person.scores_2d[2, 5] = np.nan, 0
    write_scene(tmp_path / "walk.json", walk)
    text = (tmp_path / "walk.json").read_text()
    assert "NaN" not in text
    first = json.loads(text)["instance_info"][2]["instances"][0]
    assert "trajectory" not in first and first["keypoints_2d"][5] == [0, 0] and np.min(first["bbox"]) > 0


def test_2d_alone(tmp_path, walk):
    write_scene_2d(tmp_path / "walk_2d.json", walk)
    content = json.loads((tmp_path / "walk_2d.json").read_text())
    assert content["meta_info"]["dataset_name"] == "coco"
    assert [len(frame["instances"]) for frame in content["instance_info"]] == [1, 1, 1, 2, 2, 1, 1, 2, 1, 1, 0, 0]
    one = content["instance_info"][4]["instances"][1]
    assert set(one) == {"keypoints", "keypoint_scores", "bbox", "track_id"}
    assert one["keypoints"][3] == pytest.approx(walk.people[1].keypoints_2d[1, 3], abs=1e-3)
