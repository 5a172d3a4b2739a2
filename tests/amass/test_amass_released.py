import os

import numpy as np
import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data import MixedPoseDataset, PoseWindowDataset
from mpm_mmpose.data.pose_store import write_store
from mpm_mmpose.pose.keypoints import COMMON_16, H36M_17
from mpm_mmpose.readers.amass_released import ReleasedAmass, is_released
from studies.quickstart.synthetic_motion import generate_motion


@pytest.mark.parametrize("number", [16, 17])
def test_clip(released_clip, write_released, number):
    clip = released_clip(number=number)
    file = ReleasedAmass(write_released(dict(first=clip)), size=(1000, 1002), fps=60)
    assert file.names() == ["first"]
    sequence = file.read("first")
    assert (sequence.name, sequence.fps, sequence.source, len(sequence)) == ("first", 60, "amass.npz", 12)
    assert sequence.keypoint_set == {16: "common_16", 17: "h36m_17"}[number]
    np.testing.assert_array_equal(sequence.keypoints_3d, clip["pose3d"].astype(np.float32))
    # x in [-1, 1] over the width; the middle of the image is 0, 0
    np.testing.assert_allclose((sequence.keypoints[..., 0] - 500) / 500, clip["pose2d"][..., 0], atol=1e-6)
    np.testing.assert_allclose((sequence.keypoints[..., 1] - 501) / 500, clip["pose2d"][..., 1], atol=1e-6)
    assert sequence.intrinsics is None and sequence.rotation is None


def test_the_16_are_human36m_without_the_nose(released_clip, write_released):
    few, all_17 = (
        ReleasedAmass(write_released(dict(a=released_clip(number=number)), f"{number}.npz")).read("a")
        for number in (16, 17)
    )
    for name in COMMON_16.names:
        here, there = COMMON_16.index(name), H36M_17.index(name)
        np.testing.assert_array_equal(few.keypoints_3d[:, here], all_17.keypoints_3d[:, there])


@pytest.mark.parametrize("size", [(1000, 1000), (1920, 1080)])
def test_a_data_set_gives_back_what_was_in_the_file(tmp_path, released_clip, write_released, size):
    """Normalised 2D and 3D of windows are those of the file, whatever size was stated."""
    clips = {name: released_clip(seed=seed) for seed, name in enumerate(("a", "b"))}
    file = ReleasedAmass(write_released(clips), size=size)
    write_store(tmp_path / "store", map(file.read, file.names()))
    windows = PoseWindowDataset(tmp_path / "store", window=5)
    batch = windows.__getitems__([2, 12 + 9])
    np.testing.assert_allclose(batch["keypoints"][0], clips["a"]["pose2d"][:5], atol=5e-7)
    np.testing.assert_allclose(batch["keypoints"][1], clips["b"]["pose2d"][7:12], atol=5e-7)
    np.testing.assert_allclose(batch["keypoints_3d"][1], clips["b"]["pose3d"][7:12], atol=1e-7)
    assert windows.metainfo["keypoint_set"] == "common_16" and np.isnan(batch["intrinsics"]).all()


def test_mixed_with_human36m(tmp_path, released_clip, write_released):
    """As docs/data.md says: the 17 keypoints of the one in the order of the 16 of the other."""
    write_store(tmp_path / "h36m", project_views(generate_motion("walking", 1.0, 30, 0), cameras=1))
    write_store(tmp_path / "amass", [ReleasedAmass(write_released(dict(a=released_clip(seed=1)))).read("a")])
    one, other = (
        dict(store=tmp_path / "h36m", window=5, keypoint_set="common_16"),
        dict(store=tmp_path / "amass", window=5),
    )
    mixed = MixedPoseDataset([one, other])
    batch = mixed.__getitems__(range(len(mixed)))
    assert len(mixed) == 30 + 12 and batch["keypoints"].shape == (42, 5, 16, 2)
    np.testing.assert_allclose(batch["keypoints"][32], released_clip(seed=1)["pose2d"][:5], atol=5e-7)


@pytest.mark.parametrize("length", [5, np.int64(5), np.array(5), 5.0])
def test_frames_beyond_the_length_are_left_out(released_clip, write_released, length):
    clip = released_clip() | dict(length=length)
    clip["pose2d"] = clip["pose2d"][:9]
    clip["pose3d"][7:] = np.nan
    sequence = ReleasedAmass(write_released(dict(a=clip))).read("a")
    np.testing.assert_array_equal(sequence.keypoints_3d, clip["pose3d"][:5].astype(np.float32))


def test_pelvis_that_was_left_in_camera_space(released_clip, write_released):
    clip, plain = released_clip(), released_clip()
    clip["pose3d"][:, 0] = (0.3, 0.1, 5)
    sequence = ReleasedAmass(write_released(dict(a=clip))).read("a")
    np.testing.assert_array_equal(sequence.keypoints_3d, plain["pose3d"].astype(np.float32))
    # all of it in camera space is as good
    absolute = plain["pose3d"] + (0.3, 0.1, 5)
    sequence = ReleasedAmass(write_released(dict(a=plain | dict(pose3d=absolute)))).read("a")
    np.testing.assert_array_equal(sequence.keypoints_3d, absolute.astype(np.float32))


def changed(key, change):
    return lambda clip: clip | {key: change(clip[key])}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda clip: None, "is no object with fields but NoneType"),
        (lambda clip: {"length": 12, "pose2d": clip["pose2d"]}, "'pose3d' is missing; it has length, pose2d"),
        (lambda clip: {key: clip[key] for key in ("pose2d", "pose3d")}, "'length' is missing; it has pose2d, pose3d"),
        (changed("length", lambda _: "12"), "length is '12'; give an integer"),
        (changed("length", lambda _: 11.5), "length is 11.5; give an integer"),
        (changed("length", lambda _: 0), "length is 0, it has no frames; leave it out"),
        (changed("length", lambda _: -1), "length is -1, it has no frames"),
        (changed("length", lambda _: 13), "pose2d has 12 frames, length says 13; cut off"),
        (changed("pose3d", lambda poses: poses[:11]), "pose3d has 11 frames, length says 12; cut off"),
        (changed("pose2d", lambda poses: poses.tolist()), r"pose2d has shape \(\) and pose3d \(12, 16, 3\)"),
        (changed("pose2d", lambda poses: poses[:, :15]), r"pose2d has shape \(12, 15, 2\) and pose3d \(12, 16, 3\)"),
        (changed("pose2d", lambda poses: poses[..., :1]), r"pose2d: is float64 of shape \(12, 16, 1\), not"),
        (changed("pose2d", lambda poses: poses[0]), r"pose2d has shape \(16, 2\) and pose3d \(12, 16, 3\)"),
        (changed("pose3d", lambda poses: poses.astype(int)), "pose3d: is int64 of shape .* of floats"),
        (changed("pose3d", lambda poses: poses.astype(object)), "pose3d: is object of shape .* of floats"),
        (changed("pose2d", lambda poses: np.where(poses == poses[3, 2, 1], np.nan, poses)), "pose2d: holds NaN .* 3;"),
        (changed("pose3d", lambda poses: poses + np.inf), "pose3d: holds NaN or infinity, first in frame 0"),
        (changed("pose2d", lambda poses: poses * 500 + 500), "pose2d: goes up to .*, as px do; normalised screen"),
        (changed("pose2d", lambda poses: poses / 1000), "pose2d: a person is .* and not divided by anything more"),
        (changed("pose3d", lambda poses: poses * 1000), "a leg is .* millimetres: divide by 1000"),
        (changed("pose3d", lambda poses: poses * 0.3), "a leg is .* metres are expected"),
    ],
)
def test_bad_clips(released_clip, write_released, change, message):
    path = write_released(dict(good=released_clip(), bad=change(released_clip())))
    file = ReleasedAmass(path)
    assert len(file.read("good")) == 12
    with pytest.raises(ValueError, match=rf"amass\.npz: clip 'bad'.*{message}"):
        file.read("bad")


def test_pelvis_elsewhere(released_clip, write_released):
    clip = released_clip()
    clip["pose3d"] = clip["pose3d"] + (0, 0, 5)
    clip["pose3d"][:, 0] = 0
    with pytest.raises(ValueError, match="pose3d: the pelvis is 5 m from the middle of the hips"):
        ReleasedAmass(write_released(dict(a=clip))).read("a")


@pytest.mark.parametrize("name", ["", 7])
def test_clips_without_a_name(released_clip, write_released, name):
    with pytest.raises(ValueError, match=f"clip {name!r}: is called by no text; give it a name"):
        ReleasedAmass(write_released({name: released_clip()})).read(name)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (dict(data={}), "field 'poses' is missing; it has data"),
        (dict(poses={}), "field 'poses' holds no clips"),
        (dict(poses=np.zeros((3, 156))), "field 'poses' is no table of clips; .* with --body-models"),
        (dict(poses=np.array([{}, {}])), "field 'poses' is no table of clips"),
    ],
)
def test_bad_files(tmp_path, fields, message):
    np.savez(tmp_path / "bad.npz", **fields)
    with pytest.raises(ValueError, match=rf"bad\.npz: {message}"):
        ReleasedAmass(tmp_path / "bad.npz")


def test_recognised_by_its_fields(tmp_path, released_clip, write_released, write_clip):
    assert is_released(write_released(dict(a=released_clip())))
    assert not is_released(write_clip())
    assert not is_released(write_clip("bad.npz", changes=dict(betas=None, gender=None)))
    (tmp_path / "text.npz").write_text("poses")
    with pytest.raises(ValueError, match=r"text\.npz: is no \.npz archive"):
        is_released(tmp_path / "text.npz")


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_hostile_files_run_nothing(tmp_path, released_clip, write_released):
    path = write_released(dict(a=released_clip() | dict(length=Hostile(tmp_path / "ran"))))
    with pytest.raises(ValueError, match=r"amass\.npz: field 'poses'.*posix.mkdir, which is refused"):
        ReleasedAmass(path)
    assert not (tmp_path / "ran").exists()
