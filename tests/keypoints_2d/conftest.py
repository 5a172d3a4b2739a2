"""Files of exactly the layouts that 2D detectors write, with people in them who move as `make_people` says."""

import json
import pickle
from pathlib import Path
from types import SimpleNamespace

import h5py
import mmpose
import numpy as np
import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from mpm_mmpose.pose.keypoints import get_keypoint_set

# x, y px of somebody who stands, as BODY_25 orders them: 25 keypoints may be of two orders, which only bodies tell.
BODY_25 = (
    "60 10 60 40 40 40 30 80 28 110 80 40 90 80 92 110 60 110 48 110 46 150 45 190 72 110 74 150 75 190 56 6 64 6 50 8 "
    "70 8 80 197 84 196 73 196 40 197 36 196 47 196"
)
CONFIGS = Path(mmpose.__file__).parent / ".mim/configs/_base_/datasets"


def make_people(number, people=2, frames=12):
    """Keypoints (people, frames, number, 2) px and scores: everybody 300 px apart, going 3 px right, 1 px down."""
    rng = np.random.default_rng(number)
    bodies = rng.uniform(0, 200, (people, 1, number, 2)) + np.array([100, 50])
    if number == 25:
        body = np.array(BODY_25.split(), dtype=float).reshape(25, 2)
        bodies = body + rng.uniform(0, 4, bodies.shape) + np.array([100, 50])
    bodies += np.arange(people)[:, None, None, None] * np.array([300, 0])
    keypoints = bodies + np.arange(frames)[None, :, None, None] * np.array([3, 1])
    return keypoints, rng.uniform(0.3, 1, keypoints.shape[:3])


def rows(number, absent=(), **options):
    """(frame, person, keypoints, scores) frame by frame, without the (frame, person) pairs of ``absent``."""
    keypoints, scores = make_people(number, **options)
    for frame in range(keypoints.shape[1]):
        for person in range(len(keypoints)):
            if (frame, person) not in absent:
                yield frame, person, keypoints[person, frame], scores[person, frame]


def box_of(keypoints):
    """x1, y1, x2, y2."""
    return [*keypoints.min(0).tolist(), *keypoints.max(0).tolist()]


def flat(keypoints, scores):
    return np.concatenate((keypoints, scores[:, None]), 1).ravel().tolist()


def meta_info(dataset="coco"):
    """As the demos write a model's dataset_meta: arrays the way of json_tricks, keys as text."""
    meta = parse_pose_metainfo(dict(from_file=f"{CONFIGS}/{dataset}.py"))

    def plain(value):
        if isinstance(value, np.ndarray):
            return dict(__ndarray__=value.tolist(), dtype=str(value.dtype), shape=list(value.shape), Corder=True)
        return {str(k): plain(v) for k, v in value.items()} if isinstance(value, dict) else value

    return plain(meta)


def mmpose_frames(number=17, track=False, first=1, frames=12, **options):
    instances = {frame: [] for frame in range(frames)}
    for frame, person, keypoints, scores in rows(number, frames=frames, **options):
        instance = dict(keypoints=keypoints.tolist(), keypoint_scores=scores.tolist())
        instance |= dict(bbox=[box_of(keypoints)], bbox_score=0.9) | (dict(track_id=person + 5) if track else {})
        instances[frame].append(instance)
    return [dict(frame_id=frame + first, instances=people) for frame, people in instances.items()]


def mmpose_demo(dataset="coco", number=17, **options):
    return dict(meta_info=meta_info(dataset), instance_info=mmpose_frames(number, **options))


def coco_results(number=17, track=True, **options):
    return [
        dict(image_id=frame, category_id=1, keypoints=flat(keypoints, scores), score=0.8)
        | (dict(track_id=person + 1) if track else {})
        for frame, person, keypoints, scores in rows(number, **options)
    ]


def alphapose_results(number=17, track=True, video="", **options):
    result = []
    for frame, person, keypoints, scores in rows(number, **options):
        x1, y1, x2, y2 = box_of(keypoints)
        result.append(
            dict(image_id=f"{video}{frame}.jpg", category_id=1, keypoints=flat(keypoints, scores), score=2.9)
            | dict(box=[x1, y1, x2 - x1, y2 - y1], idx=[person + 1.0] if track else 0.0)
        )
    return result


def write_openpose(folder, number=25, track=False, video="walk", frames=12, **options):
    """A folder of `<video>_<frame>_keypoints.json`, one for every frame."""
    folder.mkdir(exist_ok=True)
    people = {frame: [] for frame in range(frames)}
    for frame, person, keypoints, scores in rows(number, frames=frames, **options):
        body = dict(person_id=[person if track else -1], pose_keypoints_2d=flat(keypoints, scores))
        parts = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d", "pose_keypoints_3d")
        people[frame].append(body | {part: [] for part in parts})
    for frame, found in people.items():
        content = json.dumps(dict(version=1.3, people=found))
        (folder / f"{video}_{frame:012d}_keypoints.json").write_text(content)
    return folder


def write_videopose3d(path, edit=None, layout="coco"):
    """`data_2d_custom_<name>.npz` of two videos with a person each."""
    keypoints = make_people(17)[0].astype(np.float32)
    positions = {f"video_{person}.mp4": {"custom": [poses]} for person, poses in enumerate(keypoints)}
    symmetry = [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]]
    metadata = dict(layout_name=layout, num_joints=17, keypoints_symmetry=symmetry)
    metadata["video_metadata"] = {video: dict(w=1280, h=720) for video in positions}
    if edit:
        edit(positions, metadata)
    np.savez_compressed(path, positions_2d=positions, metadata=metadata)
    return path


def write_array(path):
    """An array (people, frames, 17, 3) of x, y, score."""
    keypoints, scores = make_people(17)
    np.save(path, np.concatenate((keypoints, scores[..., None]), -1))
    return path


def write_csv(path):
    """A table of x0, y0, c0, ... and one row per person and frame."""
    lines = [",".join(["frame", "person", *(f"x{index},y{index},c{index}" for index in range(17))])]
    lines += [f"{frame},{who},{','.join(map(str, flat(pose, scores)))}" for frame, who, pose, scores in rows(17)]
    path.write_text("\n".join(lines))
    return path


def write_deeplabcut(path):
    """What pandas' HDFStore makes of DeepLabCut's table of two individuals with COCO's keypoints."""
    names = get_keypoint_set("coco_17").names
    keypoints, scores = make_people(17)
    table = np.zeros(12, [("index", "<i8"), ("values_block_0", "<f8", (2 * 17 * 3,))])
    table["index"] = np.arange(12)
    table["values_block_0"] = np.concatenate((keypoints, scores[..., None]), -1).swapaxes(0, 1).reshape(12, -1)
    columns = [("net", one, name, axis) for one in "ab" for name in names for axis in ("x", "y", "likelihood")]
    with h5py.File(path, "w") as file:
        file["df_with_missing/table"] = table
        file["df_with_missing/table"].attrs["values_block_0_kind"] = np.void(pickle.dumps(columns, 0))
    return path


def write_labels(folder):
    """Ultralytics' labels of people in an image of 1000 x 500 px."""
    folder.mkdir()
    for frame, who, pose, scores in rows(17):
        with open(folder / f"walk_{frame}.txt", "a") as file:
            points = np.c_[pose / (1000, 500), scores].ravel()
            file.write(f"0 0.5 0.5 0.1 0.1 {' '.join(f'{value:.6f}' for value in points)} 0.9 {who + 1}\n")
    return folder


@pytest.fixture
def write(tmp_path):
    """Function that writes JSON and gives the path."""

    def write_json(content, name="video.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write_json


@pytest.fixture
def layouts():
    """The functions above, by name."""
    return SimpleNamespace(
        configs=CONFIGS,
        make_people=make_people,
        box_of=box_of,
        mmpose_frames=mmpose_frames,
        mmpose_demo=mmpose_demo,
        coco_results=coco_results,
        alphapose_results=alphapose_results,
        write_openpose=write_openpose,
        write_videopose3d=write_videopose3d,
        write_array=write_array,
        write_csv=write_csv,
        write_deeplabcut=write_deeplabcut,
        write_labels=write_labels,
    )
