import numpy as np
import pytest

from mpm_mmpose.apis.source_kind import source_kind, wrong_command


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("webcam", "camera"),
        ("Webcam:1", "camera"),
        ("rtsp://camera/live", "camera"),
        ("HTTP://camera/live.mjpg", "camera"),
        ("walk.MP4", "video"),
        ("walk.MTS", "video"),
        ("walk.gif", "video"),
        ("photo.JPG", "image"),
        ("WALK.JSON", "keypoints"),
        ("walk.npy", "keypoints"),
        ("walk.csv", "keypoints"),
        ("walk.BVH", "motion"),
    ],
)
def test_by_name(name, kind):
    assert source_kind(name) == kind


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'\xef\xbb\xbf\n{"a": 1}', "keypoints"),
        (b"[1]", "keypoints"),
        (b"PK\x03\x04", "keypoints"),
        (b"\0\0\0", "video"),
    ],
)
def test_by_what_is_in_it(tmp_path, content, kind):
    (tmp_path / "walk.dat").write_bytes(content)
    assert source_kind(tmp_path / "walk.dat") == kind
    np.save(tmp_path / "array", np.zeros(3))
    (tmp_path / "array.npy").rename(tmp_path / "array")
    assert source_kind(tmp_path / "array") == "keypoints"


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["1.png", "2.PNG", "notes.txt"], "images"),
        (["walk_000000000000_keypoints.json"], "keypoints"),
        (["store.json", "picture.png"], "keypoints"),
        ([], "folder"),
    ],
)
def test_folders(tmp_path, names, kind):
    for name in names:
        (tmp_path / name).write_text("x")
    assert source_kind(tmp_path) == kind


@pytest.mark.parametrize(
    ("source", "wants", "message"),
    [
        (
            "walk.mp4",
            "keypoints",
            "walk.mp4: is a video and holds no 2D keypoints; demo/video_to_3d.py finds the people",
        ),
        ("photo.png", "keypoints", "photo.png: is an image and holds no 2D keypoints"),
        ("webcam", "keypoints", "webcam: is a camera and holds no 2D keypoints"),
        ("walk.json", "images", "walk.json: holds no images; 2D keypoints are lifted by demo/keypoints_to_3d.py"),
        (
            "walk.bvh",
            "images",
            "walk.bvh: is motion in 3D and no 2D; tools/dataset_converters/mocap.py makes a pose store",
        ),
        ("walk.c3d", "keypoints", "walk.c3d: is motion in 3D and no 2D"),
        ("walk.mp4", "images", None),
        ("walk.json", "keypoints", None),
    ],
)
def test_commands_point_to_each_other(source, wants, message):
    said = wrong_command(source, wants)
    assert said is None if message is None else said.startswith(message)
