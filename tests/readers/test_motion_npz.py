import json

import numpy as np
import pytest

from mpm_mmpose.converters.motion_choice import chosen_files
from mpm_mmpose.converters.stores import convert_mocap
from mpm_mmpose.data.pose_store import PoseStore
from mpm_mmpose.pose.keypoints import H36M_17
from mpm_mmpose.readers import find_motion_files, read_motion, read_motions

HEIGHTS = dict(ankle=80, knee=480, hip=920, pelvis=920, wrist=900, elbow=1150, shoulder=1400, spine=1150, thorax=1420)


def person(frames):
    """A person in millimetres (frames, 17, 3), Z up, who walks along x by 10 mm a frame."""
    points = np.zeros((frames, 17, 3))
    for index, name in enumerate(H36M_17.names):
        points[:, index] = (0, 100 * (name.startswith("left") - name.startswith("right")), 0)
        points[:, index, 2] = HEIGHTS.get(name.split("_")[-1], 1600)
    points[..., 0] += 10 * np.arange(frames)[:, None]
    return points


def write(path, frames=(3, 2), **changes):
    arrays = dict(
        positions=np.concatenate([person(length) for length in frames]).astype(np.int16),
        lengths=np.array(frames, np.int32),
        names=np.array([f"clip{number}" for number in range(len(frames))]),
        descriptions=np.array(["walk", ""][: len(frames)]),
        grade=np.array(["exact", "retargeted"][: len(frames)]),
        keypoints=np.array(H36M_17.names),
        fps=np.float32(30),
        up="z",
        unit="mm",
        subject="s1",
    )
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(path, **{name: value for name, value in (arrays | changes).items() if value is not None})
    return path


def test_clips_of_a_file(tmp_path):
    first, second = read_motions(write(tmp_path / "one.npz"))
    assert (first.name, first.subject, first.action, first.grade, first.fps) == ("one/clip0", "s1", "walk", "exact", 30)
    assert (second.name, second.action, second.grade, len(second)) == ("one/clip1", "clip1", "retargeted", 2)
    np.testing.assert_allclose(first.keypoints_3d, person(3) / 1000, atol=1e-6)
    with pytest.raises(ValueError, match="one.npz: holds 2 clips; give a file of one"):
        read_motion(tmp_path / "one.npz")


@pytest.mark.parametrize("unit", ["cm", "m"])
def test_units_axes_and_order_of_keypoints(tmp_path, unit):
    size = {"cm": 0.1, "m": 0.001}[unit]
    shuffled = np.random.default_rng(0).permutation(17)
    y_up = person(3)[..., [1, 2, 0]] * size
    names = np.array(H36M_17.names)[shuffled]
    changes = dict(positions=y_up[:, shuffled], keypoints=names, unit=unit, up="y", descriptions=None, grade=None)
    (clip,) = read_motions(write(tmp_path / "one.npz", (3,), **changes))
    np.testing.assert_allclose(clip.keypoints_3d, person(3) / 1000, atol=1e-6)
    assert (clip.action, clip.grade) == ("clip0", "")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(unit="foot"), "field 'unit' is 'foot', none of mm, cm, m"),
        (dict(up="x"), "field 'up' is 'x', none of z, y"),
        (dict(unit="m"), "field 'unit': a unit of 1 m makes a leg"),
        (dict(keypoints=np.array(["a"] * 17)), "field 'keypoints' is a, a"),
        (dict(lengths=np.array([5, 0])), "field 'lengths' is not a number of frames, above 0"),
        (dict(lengths=np.array([3, 3])), r"field 'positions' is int16 of shape \(5, 17, 3\), not numbers \(6, 17, 3\)"),
        (dict(names=np.array(["a"])), "field 'names' has 1 entries, 'lengths' has 2"),
        (dict(names=np.array(["a", "a"])), "field 'names' has a name twice"),
        (dict(fps=np.float32(0)), "fps is 0; give the frames a second"),
        (dict(subject=None), "field 'subject' is missing"),
    ],
)
def test_bad_files(tmp_path, changes, message):
    with pytest.raises(ValueError, match=f"{message}|from .*one.npz: {message}"):
        read_motions(write(tmp_path / "one.npz", **changes))


def test_other_archives_of_a_folder_are_left_alone(tmp_path, write_bvh):
    """AMASS's and h36m's .npz files lie beside motion too."""
    clip = write_bvh("folder/clip.bvh")
    np.savez(tmp_path / "folder/amass.npz", poses=np.zeros(3))
    (tmp_path / "folder/broken.npz").write_text("no archive")
    mine = write(tmp_path / "folder/mine.npz")
    assert find_motion_files([tmp_path]) == [clip, mine]


@pytest.mark.parametrize("workers", [1, 2])
def test_store_of_a_split(tmp_path, workers):
    for name in "abc":
        write(tmp_path / f"motion/{name}.npz")
    splits = tmp_path / "motion/splits.json"
    splits.write_text(json.dumps(dict(train=["a", "c"], test=["b"], empty=[], lost=["z"])))
    options = dict(cameras=2, workers=workers, progress=False)
    report = convert_mocap([tmp_path / "motion"], tmp_path / "train", split=(splits, "train"), **options)
    store = PoseStore(tmp_path / "train")
    assert (report.clips, report.frames) == (4, 10)
    clips = ("a/clip0", "a/clip1", "c/clip0", "c/clip1")
    assert list(store.names) == [f"{clip}.cam{camera}" for clip in clips for camera in range(2)]
    assert store.lengths.tolist() == [3, 3, 2, 2] * 2 and store.actions[::2] == ("walk", "clip1") * 2
    assert store.meta["split"] == [str(splits), "train"] and store.meta["grades"] is None
    convert_mocap([tmp_path / "motion"], tmp_path / "exact", grades=["exact"], **options)
    assert [name for name in PoseStore(tmp_path / "exact").names if "cam0" in name] == [
        f"{file}/clip0.cam0" for file in "abc"
    ]
    with pytest.raises(ValueError, match="hold none of the clips that were asked for"):
        convert_mocap([tmp_path / "motion"], tmp_path / "none", grades=["drawn"], **options)


@pytest.mark.parametrize(
    ("text", "split", "message"),
    [
        ("{", "a", "is no JSON, or is cut off"),
        ('{"b": []}', "a", "has no split 'a'; it has b"),
        ("[]", "a", "has no split 'a'; it has none"),
        ('{"a": [1]}', "a", "split 'a' is not a list of file names"),
        ('{"a": ["x", "y"]}', "a", "split 'a' names y, which is not among the files"),
    ],
)
def test_bad_splits(tmp_path, text, split, message):
    (tmp_path / "splits.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        chosen_files([tmp_path / "x.npz"], tmp_path / "splits.json", split)
