"""What other programs leave: every layout holds the same two people of `make_people`."""

import json

import numpy as np
import pytest

from mpm_mmpose.pose.keypoints import get_keypoint_set
from mpm_mmpose.readers.keypoints_2d import find_keypoint_files, read_keypoints_2d
from mpm_mmpose.readers.normalised import in_pixels

SIZE = np.array([1000, 500])


def flat(keypoints, scores):
    return np.concatenate((keypoints, scores[:, None]), -1).ravel().tolist()


def frames_of(layouts, number, person):
    """A list of frames, each what `person` makes of the (id, keypoints, scores) in it."""
    keypoints, scores = layouts.make_people(number)
    return [
        [person(who, keypoints[who, frame], scores[who, frame]) for who in range(len(keypoints))]
        for frame in range(keypoints.shape[1])
    ]


def ultralytics(who, keypoints, scores):
    x, y = keypoints.T.tolist()
    box = dict(zip(("x1", "y1", "x2", "y2"), (*keypoints.min(0).tolist(), *keypoints.max(0).tolist()), strict=True))
    return dict(name="person", track_id=who, confidence=0.9, box=box, keypoints=dict(x=x, y=y, visible=scores.tolist()))


def landmarks(who, keypoints, scores):
    return [dict(x=x, y=y, z=-0.1, visibility=s) for (x, y), s in zip(keypoints / SIZE, scores, strict=True)]


def mmpose_prediction(who, keypoints, scores):
    return dict(keypoints=keypoints.tolist(), keypoint_scores=scores.tolist(), bbox=[[1, 2, 3, 4]], bbox_score=0.9)


def browser(names):
    def person(who, keypoints, scores):
        points = zip(names, keypoints.tolist(), scores.tolist(), strict=True)
        return dict(keypoints=[dict(name=name, x=x, y=y, score=score) for name, (x, y), score in points], id=who)

    return person


def posenet(names):
    def person(who, keypoints, scores):
        points = zip(names, keypoints.tolist(), scores.tolist(), strict=True)
        return dict(keypoints=[dict(part=n, position=dict(x=x, y=y), score=s) for n, (x, y), s in points])

    return person


def controlnet(who, keypoints, scores):
    return dict(pose_keypoints_2d=flat(keypoints, scores), face_keypoints_2d=None)


COCO = get_keypoint_set("coco_17").names
CAMEL = [name.split("_")[0] + "".join(part.title() for part in name.split("_")[1:]) for name in COCO]
LAYOUTS = {
    "ultralytics summary": lambda la: ("coco_17", frames_of(la, 17, ultralytics)),
    "ultralytics tojson": lambda la: ("coco_17", [json.dumps(frame) for frame in frames_of(la, 17, ultralytics)]),
    "mediapipe frames": lambda la: (
        "blazepose_33",
        dict(fps=25, width=1000, height=500, frames=[dict(landmarks=f) for f in frames_of(la, 33, landmarks)]),
    ),
    "mediapipe lists": lambda la: ("blazepose_33", frames_of(la, 33, landmarks)),
    "mediapipe tasks": lambda la: (
        "blazepose_33",
        [dict(frame=i, pose_landmarks=f, pose_world_landmarks=[]) for i, f in enumerate(frames_of(la, 33, landmarks))],
    ),
    "mmpose predictions": lambda la: ("coco_17", [[frame] for frame in frames_of(la, 17, mmpose_prediction)]),
    "mmpose results": lambda la: (
        "coco_17",
        [dict(visualization=[], predictions=[frame]) for frame in frames_of(la, 17, mmpose_prediction)],
    ),
    "x, y, score": lambda la: ("coco_17", frames_of(la, 17, lambda w, k, s: dict(keypoints=np.c_[k, s].tolist()))),
    "poseflow": lambda la: (
        "coco_17",
        {
            f"{i}.jpg": frame
            for i, frame in enumerate(
                frames_of(la, 17, lambda w, k, s: dict(keypoints=flat(k, s), scores=2.9, idx=w + 1))
            )
        },
    ),
    "controlnet": lambda la: (
        "openpose_18",
        [dict(people=frame, canvas_width=1000, canvas_height=500) for frame in frames_of(la, 18, controlnet)],
    ),
    "movenet": lambda la: ("coco_17", frames_of(la, 17, browser(COCO))),
    "posenet": lambda la: ("coco_17", frames_of(la, 17, posenet(CAMEL))),
    "by name": lambda la: (
        "coco_17",
        frames_of(la, 17, lambda w, k, s: dict(keypoints=dict(zip(CAMEL, np.c_[k, s].tolist(), strict=True)))),
    ),
    "arrays": lambda la: ("coco_17", frames_of(la, 17, lambda w, k, s: np.c_[k, s].tolist())),
}


def check(detections, layouts, number, atol=1e-3):
    found = in_pixels(detections, *SIZE.tolist())
    keypoints, scores = layouts.make_people(number)
    order = np.lexsort((found.keypoints[:, 0, 0], found.frames))
    assert found.frames[order].tolist() == np.repeat(np.arange(12), 2).tolist()
    np.testing.assert_allclose(found.keypoints[order], keypoints.swapaxes(0, 1).reshape(-1, number, 2), atol=atol)
    np.testing.assert_allclose(found.scores[order], scores.swapaxes(0, 1).reshape(-1, number), atol=1e-5)
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
def test_frames_in_a_file(write, layouts, layout):
    keypoint_set, content = LAYOUTS[layout](layouts)
    (detections,) = read_keypoints_2d(write(content))
    assert detections.keypoint_set == keypoint_set
    found = check(detections, layouts, len(get_keypoint_set(keypoint_set)))
    if layout in ("ultralytics summary", "poseflow", "movenet"):
        assert sorted(set(found.tracks)) == [1, 2] if layout == "poseflow" else [0, 1]
    if layout == "mediapipe frames":
        assert (found.width, found.height, found.fps) == (1000, 500, 25)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_frames_in_lines(write, layouts, layout):
    keypoint_set, content = LAYOUTS[layout](layouts)
    frames = content.get("frames") or list(content.values()) if isinstance(content, dict) else content
    frames = [json.loads(frame) if isinstance(frame, str) else frame for frame in frames]
    (detections,) = read_keypoints_2d(write("\n".join(map(json.dumps, frames)), "video.jsonl"))
    check(detections, layouts, len(get_keypoint_set(keypoint_set)))


@pytest.mark.parametrize("pattern", ["walk_{:06d}.json", "walk.{:04d}.json", "{}.json", "walk_{:012d}_keypoints.json"])
@pytest.mark.parametrize("layout", ["controlnet", "mmpose predictions", "mmpose results", "mediapipe frames"])
def test_a_file_a_frame(tmp_path, layouts, layout, pattern):
    if "_keypoints" in pattern and layout != "controlnet":
        pytest.skip("OpenPose's own names are OpenPose's own layout")
    keypoint_set, content = LAYOUTS[layout](layouts)
    folder = tmp_path / "walk"
    folder.mkdir()
    for number, frame in enumerate(content["frames"] if isinstance(content, dict) else content):
        (folder / pattern.format(number)).write_text(json.dumps(frame))
    (detections,) = read_keypoints_2d(folder)
    assert (detections.name, detections.keypoint_set) == ("walk", keypoint_set)
    check(detections, layouts, len(get_keypoint_set(keypoint_set)))
    assert find_keypoint_files([tmp_path]) == [folder]


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("number", [25, 18])
def test_openpose_in_shares_of_the_image(tmp_path, layouts, number, centred):
    folder = layouts.write_openpose(tmp_path / "walk", number)
    for file in folder.iterdir():
        content = json.loads(file.read_text())
        for person in content["people"]:
            points = np.reshape(person["pose_keypoints_2d"], (-1, 3))
            points[:, :2] = points[:, :2] / SIZE * 2 - 1 if centred else points[:, :2] / SIZE
            person["pose_keypoints_2d"] = points.ravel().tolist()
        file.write_text(json.dumps(content))
    (detections,) = read_keypoints_2d(folder)
    assert detections.normalised
    check(detections, layouts, number)
    with pytest.raises(ValueError, match="walk: its keypoints are shares of the image; give its width and height"):
        in_pixels(detections)


def test_openpose_before_1_3(tmp_path, layouts):
    folder = layouts.write_openpose(tmp_path / "walk", 18)
    for file in folder.iterdir():
        file.write_text(file.read_text().replace("pose_keypoints_2d", "pose_keypoints"))
    (detections,) = read_keypoints_2d(folder)
    assert detections.keypoint_set == "openpose_18"
    check(detections, layouts, 18)
    (one,) = read_keypoints_2d(folder / "walk_000000000003_keypoints.json")
    assert one.frames.tolist() == [3, 3]


@pytest.mark.parametrize("confidence", [False, True])
@pytest.mark.parametrize("extra", ["", " 0.9", " 3", " 0.9 3"])
def test_ultralytics_labels(tmp_path, layouts, confidence, extra):
    folder = tmp_path / "labels"
    folder.mkdir()
    keypoints, scores = layouts.make_people(17)
    for frame in range(12):
        lines = []
        for who in range(2):
            points = keypoints[who, frame] / SIZE
            values = np.c_[points, scores[who, frame]] if confidence else points
            lines.append(f"0 0.5 0.5 0.1 0.2 {' '.join(f'{value:.8g}' for value in values.ravel())}{extra}")
        if extra.endswith("3"):
            lines = lines[:1]
        (folder / f"walk_{frame + 1}.txt").write_text("\n".join(lines) + "\n")
    (found,) = read_keypoints_2d(folder)
    assert found.normalised and found.frames.min() == 1
    found = in_pixels(found, 1000, 500)
    np.testing.assert_allclose(found.keypoints[0], keypoints[0, 0], atol=1e-2)
    np.testing.assert_allclose(found.scores[0], scores[0, 0] if confidence else 1, atol=1e-5)
    np.testing.assert_allclose(found.boxes[0], [450, 200, 550, 300], atol=1e-3)
    assert (found.tracks == 3).all() if extra.endswith("3") else found.tracks is None
    (folder / "walk_4.txt").write_text("0 0.5 0.5 0.1 0.2\n")
    with pytest.raises(ValueError, match="walk_4.txt, line 1: has 5 numbers, not 56"):
        read_keypoints_2d(folder)


@pytest.mark.parametrize("kind", ["npy", "people", "reconstruction", "keypoints", "int", "nan"])
def test_arrays(tmp_path, layouts, kind):
    keypoints, scores = layouts.make_people(17)
    path = tmp_path / ("x.npy" if kind in ("npy", "people", "int", "nan") else "x.npz")
    if kind == "npy":
        np.save(path, np.concatenate((keypoints[0], scores[0, ..., None]), -1))
    elif kind == "people":
        np.save(path, keypoints)
    elif kind == "int":
        np.save(path, keypoints[0].astype(np.int64))
    elif kind == "nan":
        keypoints[0, 3, 5] = np.nan
        keypoints[0, 4] = np.nan
        np.save(path, keypoints[0])
    elif kind == "reconstruction":
        np.savez(path, reconstruction=keypoints[:1].astype(np.float32))
    else:
        np.savez(path, keypoints=keypoints[0], scores=scores[0], fps=3)
    (found,) = read_keypoints_2d(path)
    assert found.keypoint_set == ("h36m_17" if kind == "reconstruction" else "coco_17")
    first = found.keypoints[found.tracks == 0]
    expected = np.delete(keypoints[0], 4, 0) if kind == "nan" else keypoints[0]
    np.testing.assert_allclose(first, np.nan_to_num(expected), atol=1 if kind == "int" else 1e-3)
    if kind in ("npy", "keypoints"):
        np.testing.assert_allclose(found.scores, scores[0], atol=1e-6)
    if kind == "nan":
        assert found.frames.tolist() == [0, 1, 2, 3, *range(5, 12)] and found.scores[3, 5] == 0
    if kind == "people":
        assert sorted(set(found.tracks)) == [0, 1]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 17)), r"float64 of shape \(3, 17\); give numbers"),
        (np.zeros((3, 17, 4)), "give numbers"),
        (np.array(["a"]), "give numbers"),
        (np.full((3, 17, 3), -1.0), "the array is 3D"),
        (np.full((3, 21, 2), 9.0), "has 21 keypoints per person; those known are .*--keypoint-map"),
    ],
)
def test_bad_arrays(tmp_path, array, message):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(ValueError, match=message):
        read_keypoints_2d(tmp_path / "x.npy")
    np.savez(tmp_path / "x.npz", something=array)
    with pytest.raises(ValueError, match="has fields something; VideoPose3D's"):
        read_keypoints_2d(tmp_path / "x.npz")


def annotations(layouts, names=COCO):
    keypoints, _ = layouts.make_people(17)
    images = [dict(id=7 + i, file_name=f"walk/{i:06d}.jpg", width=1000, height=500) for i in range(12)]
    people = [
        dict(id=1, image_id=7 + i, track_id=who, keypoints=flat(keypoints[who, i], np.full(17, 2)), num_keypoints=17)
        for i in range(12)
        for who in range(2)
    ]
    return dict(images=images, annotations=people, categories=[dict(id=1, name="person", keypoints=list(names))])


def test_annotations(write, layouts):
    content = annotations(layouts)
    content["annotations"][0]["keypoints"][2] = 0
    content["annotations"].append(dict(image_id=7, keypoints=[]))
    (found,) = read_keypoints_2d(write(content))
    assert (found.name, found.width, found.height, found.keypoint_set) == ("video", 1000, 500, "coco_17")
    assert found.frames.tolist() == np.repeat(np.arange(12), 2).tolist() and found.tracks.tolist() == [0, 1] * 12
    np.testing.assert_allclose(found.keypoints[1], layouts.make_people(17)[0][1, 0], rtol=1e-6)
    assert found.scores[0, 0] == 0 and found.scores.sum() == 24 * 17 - 1
    del content["images"], content["categories"]
    (found,) = read_keypoints_2d(write(content))
    assert found.frames.min() == 7 and found.width == 0


def test_posetrack(write, layouts):
    names = ["nose", "head_bottom", "head_top", "left_ear", "right_ear", *COCO[5:]]
    (found,) = read_keypoints_2d(write(annotations(layouts, names)))
    assert found.keypoint_set == "posetrack_17"


def csv_lines(layouts, number, header, row):
    keypoints, scores = layouts.make_people(number)
    return "\n".join([header, *(row(i, keypoints[0, i], scores[0, i]) for i in range(12))])


CSV = {
    "numbered": (17, ",".join(["frame", *(f"x{i},y{i},c{i}" for i in range(17))]), lambda p: p),
    "named": (17, ",".join(["frame", *(f"{n}_x,{n}_y,{n}_score" for n in COCO)]), lambda p: p),
    "with blanks": (
        17,
        ",".join(["Frame", *(f"{n} X,{n} Y,{n} Conf" for n in (name.replace("_", " ") for name in COCO))]),
        lambda p: p,
    ),
    "coordinate first": (17, ",".join(["frame", *(f"x_{n},y_{n},likelihood_{n}" for n in COCO)]), lambda p: p),
    "mediapipe": (
        33,
        ",".join(
            [
                "frame",
                *(
                    f"{n.upper()}_x,{n.upper()}_y,{n.upper()}_z,{n.upper()}_visibility"
                    for n in get_keypoint_set("blazepose_33").names
                ),
            ]
        ),
        lambda p: np.c_[p[:, :2], np.full(len(p), -0.5), p[:, 2]],
    ),
    "mediapipe numbered": (
        33,
        ",".join(["frame", *(f"x{i},y{i},z{i},v{i}" for i in range(1, 34))]),
        lambda p: np.c_[p[:, :2], np.full(len(p), -0.5), p[:, 2]],
    ),
    "deeplabcut": (
        17,
        "scorer,"
        + ",".join(["net"] * 51)
        + "\nbodyparts,"
        + ",".join(n for n in COCO for _ in range(3))
        + "\ncoords,"
        + ",".join(["x", "y", "likelihood"] * 17),
        lambda p: p,
    ),
}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("layout", CSV)
def test_tables(write, layouts, layout, separator):
    number, header, cells = CSV[layout]

    def row(frame, keypoints, scores):
        return ",".join([str(frame), *(f"{value:.6f}" for value in cells(np.c_[keypoints, scores]).ravel())])

    text = csv_lines(layouts, number, header, row)
    if separator != ",":  # a comma in numbers, where it does not part columns
        text = text.replace(",", separator).replace(".", "," if separator == ";" else ".")
    (found,) = read_keypoints_2d(write("\ufeff" + text, "table.csv"))
    assert found.keypoint_set == {17: "coco_17", 33: "blazepose_33"}[number]
    keypoints, scores = layouts.make_people(number)
    np.testing.assert_allclose(found.keypoints, keypoints[0], atol=1e-3)
    np.testing.assert_allclose(found.scores, scores[0], atol=1e-5)
    assert found.frames.tolist() == list(range(12))


def test_a_row_a_keypoint(write, layouts):
    keypoints, scores = layouts.make_people(17)
    lines = ["person,frame,landmark,x,y,z,visibility"]
    for frame, who, index in np.ndindex(12, 2, 17):
        x, y = keypoints[who, frame, index]
        lines.append(f"{who},{frame},{COCO[index]},{x},{y},0,{scores[who, frame, index]}")
    (found,) = read_keypoints_2d(write("\n".join(lines), "table.csv"))
    check(found, layouts, 17)
    assert found.keypoint_set == "coco_17" and sorted(set(found.tracks)) == [0, 1]


@pytest.mark.parametrize(("column", "unit"), [("time", 1), ("timestamp_ms", 1000)])
def test_tables_with_times(write, layouts, column, unit):
    keypoints, scores = layouts.make_people(17)
    lines = [",".join([column, "person", *(f"{name}_x,{name}_y,{name}_score" for name in COCO)])]
    for frame in range(12):
        time = (5 + frame / 20 + (frame > 5)) * unit
        for who in range(2):
            lines.append(f"{time},{who},{','.join(map(str, flat(keypoints[who, frame], scores[who, frame])))}")
    (found,) = read_keypoints_2d(write("\n".join(lines), "table.csv"))
    check(found, layouts, 17)
    np.testing.assert_allclose(found.times, np.arange(12) / 20 + (np.arange(12) > 5), atol=1e-9)
    assert found.fps == pytest.approx(11 / 1.55)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds 0 lines"),
        ("1,2,3\n4,5,6", "line 1 has numbers; the names of the columns are expected"),
        ("a,b\n1,2", "no two columns are x and y of a keypoint .* it has a, b"),
        ("frame,nose_x,nose_y\n,1,2", "line 2: 'frame' is no number of a frame"),
        ("frame,nose_x,nose_y\n0,1,two", r"line 2, column 3 \(nose_y\): 'two' is no number"),
        ("frame,nose_x,nose_y\n0,100,200", "none of its keypoints is called left_shoulder, right_shoulder"),
        ("bodyparts,a,a\ncoords,x,y", "none of its keypoints|holds no people"),
        ("scorer,a\nnothing,b\n1,2", "DeepLabCut's bodyparts and coords are missing"),
    ],
)
def test_bad_tables(write, text, message):
    with pytest.raises(ValueError, match=message):
        read_keypoints_2d(write(text, "table.csv"))


@pytest.mark.parametrize("value", [None, float("nan")])
def test_null_and_nan_are_not_found(write, layouts, value):
    content = layouts.mmpose_frames()
    person = content[3]["instances"][0]
    person["keypoints"][4] = [value, value]
    person["keypoint_scores"][6] = value
    person["bbox"] = [[value] * 4]
    (found,) = read_keypoints_2d(write(content))
    assert found.scores[6, [4, 6]].tolist() == [0, 0] and (found.scores[6] > 0).sum() == 15
    assert np.isfinite(found.keypoints).all() and np.isnan(found.boxes[6]).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([[dict(name="cat")]], "frame 0 of the file, person 0: has no people; it has name"),
        ([dict(keypoints=[[1, 2]] * 17)] * 30, "is a list of 30 people without frames; put a list around"),
        ([[[dict(keypoints=[1.0] * 50)]]], "field 'keypoints': holds 50 numbers, not x, y, score each"),
        ({"a.jpg": [], "b.jpg": []}, "has no people"),
        (["text"], "is a list of text that is no JSON"),
        (3, "holds no people; a list of frames"),
        (
            [[dict(keypoints=dict(a=[1, 2], b=[1, 2], c=[1, 2], d=[1, 2]))], [dict(keypoints=dict(z=[1, 2]))]],
            "its keypoints have other names than those before",
        ),
    ],
)
def test_bad_frames(write, content, message):
    with pytest.raises(ValueError, match=message):
        read_keypoints_2d(write(content))
