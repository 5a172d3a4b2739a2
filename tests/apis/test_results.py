import base64
import json
from dataclasses import replace

import numpy as np
import pytest

from mpm_mmpose.apis.images import ArrayImages
from mpm_mmpose.apis.results import InferenceResult, WritingOptions, result_path, scene_of, write_keypoints_2d
from mpm_mmpose.apis.sources import GroundTruth, Recording, read_recordings
from mpm_mmpose.data.pose_store import PoseSequence, write_store
from mpm_mmpose.errors import UsageError
from mpm_mmpose.formats.mmpose_json import mmpose_axes
from mpm_mmpose.lifting.tracks import Track2D, Track3D


def make_result(frames=4, keypoint_set="coco_17", **recording):
    rng = np.random.default_rng(0)
    times = np.arange(frames) / 10
    people = []
    for person, rows in (("3", [0, 1, 2, 3]), ("8", [0, 3])):
        track = Track2D(
            person=person,
            times=times[rows],
            keypoints=rng.uniform(10, 90, (len(rows), 17, 2)),
            scores=rng.uniform(0.5, 1, (len(rows), 17)),
            keypoint_set=keypoint_set,
            width=100,
            height=120,
            fps=10,
        )
        masked = np.zeros((len(rows), 17), bool)
        masked[0, 5] = True
        poses = rng.normal(0, 0.3, (len(rows), 17, 3)).astype(np.float32)
        people.append(Track3D(track, poses, "h36m_17", masked))
    recording = Recording("walk", [one.track for one in people], times, 10.0, **recording)
    return InferenceResult(recording, people, ["a note"])


def test_mmpose_axes_are_those_of_its_inferencer():
    poses = np.array([[[0.1, -0.5, 2.0], [0.2, 0.9, 3.0]]], np.float32)
    # mmpose.apis.inferencers.Pose3DInferencer.forward: [..., [0, 2, 1]], x and z negated, z from its least.
    np.testing.assert_allclose(mmpose_axes(poses), [[[-0.1, 2.0, 1.4], [-0.2, 3.0, 0.0]]], atol=1e-6)


def test_json_is_laid_out_as_mmpose_does(tmp_path):
    result = make_result()
    (path,) = result.save(tmp_path, ["json"])
    content = json.loads(path.read_text())
    assert path == tmp_path / "walk.json" and set(content) == {"meta_info", "instance_info"}
    assert content["meta_info"]["dataset_name"] == "h36m" and content["meta_info"]["notes"] == ["a note"]
    assert [frame["frame_id"] for frame in content["instance_info"]] == [0, 1, 2, 3]
    ids = [[one["track_id"] for one in frame["instances"]] for frame in content["instance_info"]]
    assert ids == [[3, 8], [3], [3], [3, 8]]
    last = content["instance_info"][3]["instances"][1]
    person = result.people[1]
    np.testing.assert_allclose(last["keypoints"], mmpose_axes(person.keypoints_3d[1]), atol=1e-5)
    np.testing.assert_allclose(last["keypoints_2d"], person.track.keypoints[1], atol=1e-3)
    assert last["keypoint_scores"] == [1.0] * 17
    assert content["instance_info"][0]["instances"][0]["masked"] == [index == 5 for index in range(17)]


def test_poses_that_are_not_known_are_left_out_of_the_json_and_nan_in_the_arrays(tmp_path):
    result = make_result()
    result.people[0].keypoints_3d[1] = np.nan
    json_path, npz_path = result.save(tmp_path, ["json", "npz"])
    frames = json.loads(json_path.read_text())["instance_info"]
    assert [len(frame["instances"]) for frame in frames] == [2, 0, 1, 2]
    assert np.isnan(np.load(npz_path)["keypoints_3d"][1]).all()


def test_arrays_hold_everything_row_by_row_without_pickles(tmp_path):
    result = make_result()
    arrays = np.load(result.save(tmp_path, ["npz"])[0], allow_pickle=False)
    assert arrays["person"].tolist() == ["3"] * 4 + ["8"] * 2
    assert arrays["frame"].tolist() == [0, 1, 2, 3, 0, 3]
    np.testing.assert_array_equal(arrays["keypoints_3d"][4:], result.people[1].keypoints_3d)
    np.testing.assert_array_equal(arrays["keypoints_2d"][:4], result.people[0].track.keypoints)
    np.testing.assert_allclose(arrays["time"], [0, 0.1, 0.2, 0.3, 0, 0.3])
    assert (arrays["keypoint_set"], arrays["keypoint_set_2d"], arrays["fps"]) == ("h36m_17", "coco_17", 10)
    assert arrays["masked"].sum() == 2 and "spread" not in arrays and (arrays["width"], arrays["height"]) == (100, 120)


@pytest.mark.parametrize("keypoint_set", ["coco_17", "h36m_17"])
def test_the_2d_is_read_again_as_it_was(tmp_path, keypoint_set):
    """To the last bit, with times of any rate and frames without anybody at both ends, and nothing else to be said."""
    times = np.array([0, 0.1, 0.31, 0.35, 0.5, 0.61])
    result = make_result(keypoint_set=keypoint_set)
    tracks = [replace(one, times=one.times + 0.1) for one in result.recording.tracks]
    tracks = [replace(one, times=times[np.round(10 * one.times).astype(int)]) for one in tracks]
    recording = replace(result.recording, tracks=tracks, times=times, fps=9.7)
    (again,) = read_recordings(write_keypoints_2d(tmp_path / "walk_2d.json", recording))
    assert (again.name, again.fps) == ("walk_2d", 9.7)
    np.testing.assert_array_equal(again.times, times)
    for one, other in zip(again.tracks, tracks, strict=True):
        assert (one.person, one.keypoint_set, one.fps) == (other.person, other.keypoint_set, 9.7)
        assert (one.width, one.height) == (100, 120)
        for name in ("times", "keypoints", "scores"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    (even,) = read_recordings(tmp_path / "walk_2d.json", fps=20)
    np.testing.assert_array_equal(even.times, np.arange(6) / 20)
    assert even.tracks[1].times.tolist() == [0.05, 0.2] and even.fps == even.tracks[1].fps == 20


def test_video_and_ground_truth(tmp_path):
    result = make_result()
    ground_truth = {"3": GroundTruth(result.people[0].keypoints_3d + np.float32(0.1), "h36m_17")}
    result = make_result(ground_truth=ground_truth)
    (path,) = result.save(tmp_path, ["video"])
    assert path.name == "walk.mp4" and path.stat().st_size > 1000


def test_a_page_has_the_images(tmp_path):
    images = ArrayImages(np.full((4, 120, 100, 3), 90, np.uint8), 10)
    (without,) = make_result().save(tmp_path / "without.html")
    (page,) = make_result(images=images).save(tmp_path, ["html"])
    assert page == tmp_path / "walk.html"
    jpeg = base64.b64encode(b"\xff\xd8\xff").decode()
    assert jpeg in page.read_text() and jpeg not in without.read_text()


def test_nobody(tmp_path):
    result = InferenceResult(Recording("empty", [], np.arange(3) / 10, 10.0), [], ["nobody"])
    written = result.save(tmp_path)
    assert [path.name for path in written] == ["empty.json", "empty.npz", "empty.mp4"]
    frames = json.loads(written[0].read_text())["instance_info"]
    assert frames == [dict(frame_id=frame, time=frame / 10, instances=[]) for frame in range(3)]


def test_an_error_leaves_what_was_there(tmp_path, monkeypatch):
    (tmp_path / "walk.json").write_text("before")
    result = make_result()
    monkeypatch.setattr("mpm_mmpose.formats.mmpose_json.mmpose_axes", lambda poses: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        result.save(tmp_path, ["json"])
    assert [path.name for path in tmp_path.iterdir()] == ["walk.json"]
    assert (tmp_path / "walk.json").read_text() == "before"


def test_unknown_format_and_names_with_folders(tmp_path):
    with pytest.raises(UsageError, match="format 'jsn' is not known; did you mean 'json'"):
        make_result().save(tmp_path, ["jsn"])
    assert result_path("out", "walk/camera1") == result_path("out", "/../walk/camera1")
    assert result_path("out", "walk/camera1").as_posix() == "out/walk/camera1"


def test_recordings_of_any_names_are_files_of_their_own_in_the_folder(tmp_path):
    names = ["walk", "Walk", "//walk", "../walk", "..", "a/b"]
    people = np.random.default_rng(0).uniform(0, 90, (3, 17, 2))
    sequences = [PoseSequence(name, None, people, width=100, height=100, fps=25) for name in names]
    write_store(tmp_path / "store", sequences)
    recordings = list(read_recordings(tmp_path / "store"))
    assert [recording.name for recording in recordings] == names
    written = [path for one in recordings for path in InferenceResult(one, []).save(tmp_path / "out", ["npz"])]
    files = ["walk.npz", "Walk_2.npz", "walk_3.npz", "walk_4.npz", "_.npz", "a/b.npz"]
    assert written == [tmp_path / "out" / file for file in files] and all(path.is_file() for path in written)
    assert {path.name for path in tmp_path.iterdir()} == {"store", "out"}


def test_every_format_is_known_by_name_and_suffix(tmp_path):
    written = make_result().save(tmp_path, ["bvh", "trc", "csv"])
    assert [path.name for path in written] == ["walk.csv", "walk_3.bvh", "walk_8.bvh", "walk_3.trc", "walk_8.trc"]
    assert make_result().save(tmp_path / "new/one.csv") == [tmp_path / "new/one.csv"]
    assert make_result().save(tmp_path / "new/film.MP4") == [tmp_path / "new/film.MP4"]
    assert [path.name for path in make_result().save(tmp_path / "two.bvh")] == ["two_3.bvh", "two_8.bvh"]


def test_a_path_with_a_suffix_that_is_not_known(tmp_path):
    with pytest.raises(UsageError, match=r"suffix '\.fbx' is not known; give a folder, or a file with one of \.json, "):
        make_result().save(tmp_path / "walk.fbx")
    (tmp_path / "v1.2").mkdir()
    assert [path.name for path in make_result().save(tmp_path / "v1.2", ["npz"])] == ["walk.npz"]
    assert make_result().save(tmp_path / "v1.3", ["npz"]) == [tmp_path / "v1.3/walk.npz"]
    assert make_result().save(tmp_path, []) == []


def test_notes_tell_what_a_format_could_not_hold(tmp_path):
    result = make_result()
    result.people[1].keypoints_3d[1] = np.nan
    for _ in range(2):
        assert [path.name for path in result.save(tmp_path, ["bvh"])] == ["walk_3.bvh"]
    assert result.notes == ["a note", "BVH: person 8 is left out: 1 frames have a pose, and a motion needs 2"]


def test_a_scene_has_all_that_is_known():
    ground_truth = {
        "3": GroundTruth(np.ones((4, 17, 3), np.float32), "h36m_17"),
        "8": GroundTruth(np.ones((2, 17, 3)), "mpi_inf_3dhp_17"),
    }
    scene = scene_of(make_result(ground_truth=ground_truth))
    assert (scene.name, scene.fps, scene.width, scene.height, scene.notes) == ("walk", 10, 100, 120, ["a note"])
    first, second = scene.people
    assert (first.name, first.keypoint_set, first.keypoint_set_2d) == ("3", "h36m_17", "coco_17")
    assert second.frames.tolist() == [0, 3] and first.masked[0, 5] and first.trajectory is None
    np.testing.assert_array_equal(first.ground_truth, ground_truth["3"].keypoints_3d)
    assert second.ground_truth is None  # some of its keypoints are not known exactly


def test_up_is_as_asked_for():
    result = make_result()
    assert scene_of(result).up is None
    scene = scene_of(replace(result, writing=WritingOptions((0, 90))))
    np.testing.assert_allclose(scene.up, (-1, 0, 0), atol=1e-12)
    assert "turned clockwise by 90 degrees" in scene.up_source
    assert "ankles to thorax" in scene_of(replace(result, writing=WritingOptions("people"))).up_source
