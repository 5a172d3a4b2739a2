"""Every reader says which file, which place in it, which field, and what to do."""

import os
import pickle
import re

import numpy as np
import pytest

from mpm_mmpose.readers.keypoints_2d import read_keypoints_2d


def refused(path, message, **options):
    with pytest.raises((ValueError, OSError), match=f"^{re.escape(str(path))}: {message}"):
        read_keypoints_2d(path, **options)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is no JSON, or is cut off"),
        ('[{"image_id": 1, "keypoi', "is no JSON, or is cut off"),
        ("[" * 100000, "its lists are nested too deep for people in frames; is it the right file"),
        ("\x00\x01", "is no JSON, or is cut off"),
        ([], "holds no people; a list of frames"),
        ({}, "holds no people; a list of frames"),
        (3, "holds no people; a list of frames"),
        ([{"file": "x"}], "frame 0 of the file: has no people; it has file"),
    ],
)
def test_other_files(write, content, message):
    refused(write(content), message)


def test_no_file(tmp_path):
    refused(tmp_path / "x.json", "does not exist; docs/data.md says where to get it")
    (tmp_path / "folder.json").mkdir()
    refused(tmp_path / "folder.json", "is a directory", format="coco")
    refused(tmp_path / "folder.json", r"holds no files \*_keypoints.json or <video>_<frame>.json")


def instance(**fields):
    def edit(content):
        person = content["instance_info"][2]["instances"][1]
        person.update(fields)
        for name in [name for name, value in fields.items() if value is None]:
            del person[name]

    return edit


def animals(content):
    content["meta_info"].update(dataset_name="ap10k", keypoint_id2name={str(i): f"paw {i}" for i in range(17)})


def frames(**fields):
    def edit(content):
        for frame in content["instance_info"]:
            frame.update({name: value(frame["frame_id"]) for name, value in fields.items()})

    return edit


PERSON = "frame_id 3, instance 1: "


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (instance(keypoints=None), PERSON + "field 'keypoints' is missing; it has keypoint_scores"),
        (instance(keypoints=[[1, 2]] * 16), PERSON + r"16 keypoints have scores of shape \(17,\)"),
        (
            instance(keypoints=[[1, 2]] * 16, keypoint_scores=[1] * 16),
            PERSON + "has 16 keypoints, those before it 17; give the result of one detector",
        ),
        (instance(keypoints=[[1, 2, 3]] * 17), PERSON + ".*these are 3D, give the file of the 2D detector"),
        (instance(keypoints=[[1, 2]] * 16 + [[1]]), PERSON + "field 'keypoints' is no array of numbers"),
        (instance(keypoints=[[1, "2"]] * 17), PERSON + "field 'keypoints' is no array of numbers"),
        (instance(keypoints=[[1, float("inf")]] * 17), PERSON + "field 'keypoints' holds NaN or infinity; repair"),
        (instance(keypoint_scores=[float("inf")] * 17), PERSON + "field 'scores' holds NaN or infinity"),
        (instance(bbox=[1, 2, 3]), PERSON + "the box has 3 numbers, not 4"),
        (instance(track_id=[[[[[[[1]]]]]]]), PERSON + "track id is in lists more than 5 deep; give a number or a name"),
        (instance(track_id=dict(a=1)), PERSON + "track id is a dict of 1; give a number or a name, or leave it out"),
        (instance(track_id=True), PERSON + "track id is True; give a number or a name"),
        (instance(track_id=1.5), PERSON + "track id is 1.5; give a whole number"),
        (lambda c: c["instance_info"][2].pop("frame_id"), "frame 2 of the file: field 'frame_id' is missing"),
        (lambda c: c["instance_info"][2].update(frame_id=1.5), "frame 2 of the file: field 'frame_id' is 1.5"),
        (lambda c: c["instance_info"][2].update(instances=3), "frame 2 of the file: field 'instances' is no list"),
        (lambda c: c["instance_info"].insert(0, 3), "frame 0 of the file: is no object with fields but int"),
        (lambda c: c.update(instance_info=[]), "holds no people; leave it out"),
        (lambda c: c.update(instance_info=3), "field 'instance_info' is no list of frames"),
        (lambda c: c.update(instance_info=c["instance_info"][0]["instances"]), "is the result of a single image"),
        (lambda c: c["instance_info"][2].update(time=0.1), "some frames have a field 'time' and others none; give it"),
        (frames(time=lambda number: min(number, 4) / 10), "frame 4 of the file: field 'time' is 0.4 s, no later than"),
        (frames(time=lambda number: [number]), "field 'time' of a frame is no number; give seconds"),
        (frames(time=lambda number: "now"), "field 'time' is no array of numbers"),
        (lambda c: c["meta_info"].update(fps=0), "meta_info: fps is 0; give the frames a second, from 1"),
        (lambda c: c["meta_info"].update(fps=[30]), r"meta_info: field 'fps' is \[30\]; give frames a second"),
        (
            lambda c: c["meta_info"].update(image_size=[640]),
            r"meta_info: field 'image_size' is \[640\]; give width and",
        ),
        (lambda c: c["meta_info"].update(image_size=[640, 0.5]), "meta_info: field 'image_size' is .* height in px"),
        (lambda c: c["meta_info"].update(keypoint_set="coco"), "meta_info: keypoint_set 'coco' is not known; leave it"),
        (lambda c: c["meta_info"].update(keypoint_set=[]), r"meta_info: keypoint_set \[\] is not known"),
        (lambda c: c["meta_info"].update(keypoint_set="body_25"), "has 17 keypoints per person, body_25 has 25"),
        (animals, "field 'meta_info': the keypoints of 'ap10k' are not read; detect with a model of COCO"),
    ],
)
def test_mmpose(write, layouts, edit, message):
    content = layouts.mmpose_demo()
    edit(content)
    refused(write(content), message)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (dict(keypoints=None), "person 4 of the file .image_id 2.: field 'keypoints' is missing; it has image_id"),
        (dict(image_id=None), "person 4 of the file: field 'image_id' is missing; it has category_id"),
        (dict(image_id="cover.jpg"), "person 4 of the file: field 'image_id' is 'cover.jpg'; a frame's number or a"),
        (dict(image_id="."), "person 4 of the file: field 'image_id' is '.'"),
        (dict(image_id=10**30), "person 4 of the file .*: an integer of .* bits is no number of a frame"),
        (dict(track_id=10**30), "person 4 of the file .*: track id is .*; give a whole number below 2.53, or a name"),
        (dict(image_id=[2]), r"person 4 of the file: field 'image_id' is \[2\]"),
        (dict(keypoints=[1.0] * 50), r"person 4 of the file .* has shape \(50,\), not \(3 \* keypoints,\)"),
        (dict(keypoints=[]), r"person 4 of the file .* has shape \(0,\)"),
        (dict(bbox="all"), "person 4 of the file .*: field 'bbox' is no array of numbers"),
    ],
)
def test_coco(write, layouts, fields, message):
    content = layouts.coco_results()
    content[4] = {name: value for name, value in (content[4] | fields).items() if value is not None}
    refused(write(content), message)


def test_coco_as_a_whole(write, layouts):
    refused(write(layouts.coco_results(14)), "has 14 keypoints per person; those known are 16, 17, 18, 25, 26")
    refused(write(layouts.coco_results()), "has 17 keypoints per person, body_25 has 25", keypoint_set="body_25")
    nobody = [row | dict(keypoints=[5.0, 5.0, 0.0] * 17) for row in layouts.coco_results()]
    refused(write(nobody), "every score is 0 or less, which says that nothing was found; detect again, or write 1")
    refused(write(dict(annotations=[])), "is no list of people; leave the format out", format="coco")
    refused(write({"0.jpg": {}}), "is no list of people; leave the format out", format="alphapose")
    refused(write([]), "is no list of people, or an empty one", format="coco")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no JSON, or is cut off"),
        ("{}", "field 'people' is missing; it has none"),
        ('{"people": 3}', "field 'people' is no list"),
    ],
)
def test_openpose(tmp_path, layouts, content, message):
    folder = layouts.write_openpose(tmp_path / "walk")
    file = folder / "walk_000000000003_keypoints.json"
    file.write_text(content)
    with pytest.raises(ValueError, match=f"{file}: {message}"):
        read_keypoints_2d(folder)


def test_openpose_people(tmp_path, layouts):
    folder = layouts.write_openpose(tmp_path / "walk", number=15)
    refused(folder, "has 15 keypoints per person; those known are")
    file = folder / "walk_000000000003_keypoints.json"
    file.write_text('{"people": [{"person_id": [-1]}]}')
    refused(folder, f"{file.name}, person 0: field 'pose_keypoints_2d' is missing; it has person_id")
    file.rename(folder / "cover_keypoints.json")
    with pytest.raises(ValueError, match="cover_keypoints.json: the name does not say the frame"):
        read_keypoints_2d(folder)
    refused(file, "is no folder", format="openpose")


def poses(function):
    def edit(positions, metadata):
        positions["video_1.mp4"]["custom"][0] = function(positions["video_1.mp4"]["custom"][0])

    return edit


WHERE = "positions_2d of video_1.mp4 custom: "


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (poses(lambda a: a[0]), WHERE + r"is float32 of shape \(17, 2\), not numbers"),
        (poses(lambda a: "text"), WHERE + "is str, not numbers"),
        (poses(lambda a: a[:0]), WHERE + "has no frames"),
        (poses(lambda a: a * np.nan), WHERE + "holds NaN or infinity"),
        (poses(lambda a: a[:, :14]), "has 14 keypoints per person, coco_17 has 17"),
        (lambda p, m: p.update({"video_1.mp4": 3}), "positions_2d of video_1.mp4: is no list"),
        (lambda p, m: p["video_1.mp4"].update(custom=[]), "positions_2d of video_1.mp4 custom: is no list"),
        (lambda p, m: m.update(layout_name="mpii"), "field 'metadata': layout_name is 'mpii', not 'coco' or 'h36m'"),
        (lambda p, m: m["video_metadata"]["video_1.mp4"].update(w="wide"), "metadata of video_1.mp4: w is 'wide'"),
        (lambda p, m: p.clear(), "field 'positions_2d' holds no videos"),
    ],
)
def test_videopose3d(tmp_path, layouts, edit, message):
    refused(layouts.write_videopose3d(tmp_path / "x.npz", edit), message)


def test_other_archives(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, positions_2d=np.zeros(3), metadata={})
    refused(path, "field 'positions_2d' is no table; give VideoPose3D's")
    np.savez(path, positions_3d={})
    refused(path, "has fields positions_3d; VideoPose3D's positions_2d and metadata, or an array")
    refused(path, "field 'positions_2d' is missing; it has positions_3d", format="videopose3d")
    path.write_bytes(path.read_bytes()[:40])
    refused(path, "is no .npz archive, or is cut off")


class Hostile:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_hostile_archive(tmp_path):
    path, witness = tmp_path / "x.npz", tmp_path / "executed"
    np.savez(path, positions_2d={"video": {"custom": [Hostile(f"touch {witness}")]}}, metadata={})
    refused(path, "field 'positions_2d': asks for posix.system, which is refused")
    assert not witness.exists()
    pickle.loads(pickle.dumps(Hostile(f"touch {witness}")))
    assert witness.exists()  # the payload was real
