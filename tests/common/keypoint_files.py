"""A file of every program whose 2D keypoints are read, with one person who walks: what docs/formats_read.md lists."""

import json

import numpy as np

from mpm_mmpose.pose.keypoints import get_keypoint_set

SIZE = np.array([1920, 1080])
FRAMES = 12
# x to the left of the middle of the body, y; px, of somebody who faces the camera
_PLACES = {
    "nose": (0, 180),
    "eye": (15, 170),
    "ear": (30, 175),
    "mouth": (8, 195),
    "shoulder": (60, 260),
    "elbow": (80, 370),
    "wrist": (85, 460),
    "hip": (40, 470),
    "knee": (45, 640),
    "ankle": (50, 800),
    "heel": (48, 815),
    "neck": (0, 255),
    "upper_neck": (0, 230),
    "thorax": (0, 255),
    "spine": (0, 360),
    "pelvis": (0, 470),
    "head_top": (0, 120),
    "toe": (60, 825),
    "foot": (60, 825),
}


def person(keypoint_set: str) -> np.ndarray:
    """(FRAMES, K, 3) x, y px and score of somebody who goes to the side, as the names of a set say."""
    pose = []
    for name in get_keypoint_set(keypoint_set).names:
        side = 1 if "left" in name else -1 if "right" in name else 0
        part = next((part for part in _PLACES if part == name or (part in name and side)), "wrist")
        x, y = _PLACES[part]
        pose.append((900 + x * (side or 1), y, 0.9))
    return np.array(pose) + np.arange(FRAMES)[:, None, None] * (4, 0.5, 0)


def _flat(pose):
    return pose.ravel().tolist()


def _triples(keypoint_set, **more):
    return [dict(image_id=i, keypoints=_flat(pose), score=0.9, **more) for i, pose in enumerate(person(keypoint_set))]


def _instances(keypoint_set="coco_17"):
    return [
        [
            dict(
                keypoints=p[:, :2].tolist(),
                keypoint_scores=p[:, 2].tolist(),
                bbox=[[800, 100, 1000, 830]],
                bbox_score=1,
            )
        ]
        for p in person(keypoint_set)
    ]


def _named(pose, key):
    names = get_keypoint_set("coco_17").names
    return [{key: name, "x": x, "y": y, "score": s} for name, (x, y, s) in zip(names, pose.tolist(), strict=True)]


def _landmarks(pose):
    return [dict(x=x / 1920, y=y / 1080, z=-0.1, visibility=s) for x, y, s in pose.tolist()]


def _ultralytics(pose):
    x, y, score = pose.T.tolist()
    return dict(name="person", box=dict(x1=800, y1=100, x2=1000, y2=830), keypoints=dict(x=x, y=y, visible=score))


def _table(header, rows):
    return "\n".join([",".join(header), *(",".join(map(str, row)) for row in rows)]) + "\n"


def _folder(pattern, contents):
    return {pattern.format(index): content for index, content in enumerate(contents)}


def _people(pose, key="pose_keypoints_2d"):
    return dict(people=[{"person_id": [-1], key: _flat(pose)}])


def _labels():
    lines = {}
    for index, pose in enumerate(person("coco_17")):
        shares = pose / (1920, 1080, 1)
        lines[f"walk_{index + 1}.txt"] = "0 0.5 0.5 0.1 0.7 " + " ".join(f"{value:.6f}" for value in shares.ravel())
    return lines


_MAP = {"nose": "snout", "left_shoulder": "sl", "right_shoulder": "sr", "left_hip": "hl", "right_hip": "hr"}
_MAP |= {"left_knee": 3, "right_knee": 4, "left_ankle": 1, "right_ankle": 2}


def _deeplabcut(pose_of=lambda name: get_keypoint_set("coco_17").index(name)):
    others = ["snout", "al", "ar", "kl", "kr", "sl", "sr", "hl", "hr"]
    ours = "nose left_ankle right_ankle left_knee right_knee left_shoulder right_shoulder left_hip right_hip".split()
    columns = [pose_of(name) for name in ours]
    heads = [["scorer", *["net"] * 27], ["bodyparts", *(n for n in others for _ in range(3))]]
    heads.append(["coords", *["x", "y", "likelihood"] * 9])
    rows = [[index, *_flat(pose[columns])] for index, pose in enumerate(person("coco_17"))]
    return "\n".join(",".join(map(str, row)) for row in [*heads, *rows]) + "\n"


def _archive(**arrays):
    return arrays


def _files():
    coco, mp, halpe = person("coco_17"), person("blazepose_33"), person("halpe_26")
    names = get_keypoint_set("coco_17").names
    marks = [name.upper() for name in get_keypoint_set("blazepose_33").names]
    frames = [dict(frame_id=i, instances=people) for i, people in enumerate(_instances())]
    images = [dict(id=i, file_name=f"walk/{i:06d}.jpg", width=1920, height=1080) for i in range(FRAMES)]
    videos = {"walk.mp4": {"custom": [coco[..., :2].astype(np.float32)]}}
    meta = dict(layout_name="coco", video_metadata={"walk.mp4": dict(w=1920, h=1080)})
    other = np.concatenate((coco, coco[:, :4]), 1)  # 21 keypoints
    return {
        "results_walk.json": dict(meta_info={}, instance_info=frames),
        "walk.json": frames,
        "predictions": _folder("{:06d}.json", _instances()),
        "predictions.json": [[people] for people in _instances()],
        "mmpose0.json": [dict(frame_id=i, instances=[dict(keypoints=p.tolist())]) for i, p in enumerate(coco)],
        "openpose": _folder("walk_{:012d}_keypoints.json", map(_people, person("body_25"))),
        "walk_json": _folder("walk_{:06d}.json", map(_people, halpe)),
        "alphapose-results.json": [
            dict(image_id=f"{i}.jpg", keypoints=_flat(p), score=2.9, idx=1.0) for i, p in enumerate(coco)
        ],
        "alphapose-results-forvis-tracked.json": {
            f"{i}.jpg": [dict(keypoints=_flat(p), scores=2.9, idx=1)] for i, p in enumerate(coco)
        },
        "landmarks.json": dict(frames=[dict(frame_index=i, landmarks=_landmarks(p)) for i, p in enumerate(mp)]),
        "landmarks.csv": _table(
            ["frame", *(f"{name}_{axis}" for name in marks for axis in ("x", "y", "z", "visibility"))],
            [[i, *np.insert(p / (1920, 1080, 1), 2, -0.1, axis=1).ravel().tolist()] for i, p in enumerate(mp)],
        ),
        "yolo.json": [[_ultralytics(p)] for p in coco],
        "labels": _labels(),
        "data_2d_custom_walk.npz": _archive(positions_2d=videos, metadata=meta),
        "keypoints.npz": _archive(reconstruction=person("h36m_17")[None, ..., :2].astype(np.float32)),
        "results.json": _triples("coco_17", category_id=1),
        "annotations.json": dict(
            images=images, annotations=_triples("coco_17"), categories=[dict(name="person", keypoints=list(names))]
        ),
        "poses.json": [_people(p) | dict(canvas_width=1920, canvas_height=1080) for p in person("openpose_18")],
        "movenet.json": [[dict(keypoints=_named(p, "name"))] for p in coco],
        "walk.npy": coco,
        "walk.csv": _table(
            ["frame", *(f"{name}_{what}" for name in names for what in ("x", "y", "score"))],
            [[i, *_flat(p)] for i, p in enumerate(coco)],
        ),
        "walkDLC.csv": _deeplabcut(),
        "map.json": _MAP,
        "walk.jsonl": "\n".join(json.dumps(frame) for frame in frames),
        "other.json": [dict(image_id=i, keypoints=_flat(p)) for i, p in enumerate(other)],
        "numbers.json": {name: index for index, name in enumerate(names)},
    }


def write_keypoint_files(folder):
    """Write all of them below a folder, under the names that the documentation gives them."""
    for name, content in _files().items():
        path = folder / name
        if name in ("predictions", "openpose", "walk_json", "labels"):
            path.mkdir()
            for file, frame in content.items():
                (path / file).write_text(frame if isinstance(frame, str) else json.dumps(frame))
        elif path.suffix == ".npz":
            np.savez(path, **content)
        elif path.suffix == ".npy":
            np.save(path, content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
