"""What people will give to the commands by mistake: a clear last line, the right exit status, and nothing lost."""

import json

import cv2
import numpy as np
import pytest

from mpm_mmpose.apis import images
from mpm_mmpose.apis.images import Images
from mpm_mmpose.apis.pose2d import Pose2D
from mpm_mmpose.lifting.people import People


@pytest.fixture
def lift(command, keypoints, model, tmp_path):
    """Function that lifts the walk of 12 frames after ``edit`` changed the people in its file."""

    def run(edit, *arguments):
        people = json.loads(keypoints[0].read_text())
        keypoints[0].write_text(json.dumps(edit(people)))
        more = ["--out", tmp_path / "out", "--format", "json", "npz", *arguments]
        return command("keypoints_to_3d", *keypoints, *model, *more)

    return run


@pytest.fixture
def watch(command, model, pose2d, tmp_path):
    """Function that lifts the people of a video."""

    def run(source, *arguments):
        more = ["--out", tmp_path / "out", "--format", "json", "npz", *arguments]
        return command("video_to_3d", source, *pose2d, *model, *more)

    return run


@pytest.fixture
def somebody(monkeypatch):
    """A 2D model that sees one person in every image, for tests that are about the video."""
    keypoints = np.random.default_rng(0).uniform(20, 180, (1, 17, 2)).astype(np.float32)
    person = People(keypoints, np.ones((1, 17), np.float32), np.array([[20, 20, 180, 180]], np.float32))
    monkeypatch.setattr(Pose2D, "__call__", lambda self, image: person)


def last(err):
    return err.strip().splitlines()[-1]


def two_frames_of_another(people):
    another = [dict(people[frame], track_id=1) for frame in (4, 5)]
    return [dict(person, track_id=0) for person in people] + another


def test_a_person_for_two_frames_is_lifted_and_it_is_said_in_a_line_of_its_own(lift):
    status, out, err = lift(two_frames_of_another)
    assert status == 0 and out.splitlines()[0] == "walk: 2 people in 12 frames"
    (line,) = [line for line in err.replace("\r", "\n").splitlines() if "2 frames" in line]
    assert line.startswith("person 1: there are 2 frames, this model looks at 9; they are repeated")


def test_one_frame_is_lifted_and_it_is_said(lift):
    status, out, err = lift(lambda people: people[:1])
    assert status == 0 and out.splitlines()[0] == "walk: 1 people in 1 frames"
    assert "person 0: there are 1 frames, this model looks at 9" in err


def with_infinity(people):  # NaN is what was not found
    people[3]["keypoints"][4] = float("inf")
    return people


@pytest.mark.parametrize(
    ("edit", "arguments", "status", "message"),
    [
        (with_infinity, [], 1, "walk.json: person 3 of the file (image_id 3): field 'keypoints' holds NaN or infinity"),
        (lambda people: [dict(one, keypoints=[9.0] * 63) for one in people], [], 1, "has 21 keypoints per person"),
        (lambda people: people, ["--keypoint-set", "halpe_26"], 1, "has 17 keypoints per person, halpe_26 has 26"),
        (lambda people: people, ["--width", 100, "--height", 80], 2, "0% of the keypoints of 'walk' are in the image"),
        (lambda people: [], [], 1, "walk.json: holds no people; a list of frames"),
        (lambda people: dict(instance_info=[dict(frame_id=0, instances=[])]), [], 1, "walk.json: holds no people"),
    ],
)
def test_keypoints_that_cannot_be_meant(lift, tmp_path, edit, arguments, status, message):
    found, out, err = lift(edit, *arguments)
    assert found == status and message in last(err) and last(err).startswith("error: ")
    assert out == "" and not list((tmp_path / "out").glob("*"))


def test_what_a_file_does_not_say_is_asked_for(command, keypoints, model, tmp_path):
    for options, asked in ((keypoints[:1], "give fps (--fps)"), (keypoints[:3], "give width and height in px")):
        status, _, err = command("keypoints_to_3d", *options, *model, "--out", tmp_path / "out")
        assert status == 2 and asked in last(err)


def test_weights_that_are_none(command, keypoints, model, tmp_path):
    for content in (b"no checkpoint", b""):
        (tmp_path / "a.pth").write_bytes(content)
        arguments = [*keypoints, *model, "--weights", tmp_path / "a.pth", "--out", tmp_path / "out"]
        status, _, err = command("keypoints_to_3d", *arguments)
        assert status == 1 and "a.pth: is no checkpoint that can be read (" in last(err)
        assert "weights_only" not in last(err)  # torch's advice to unpickle it all the same


def test_nobody_in_a_video(watch, write_video, tmp_path, monkeypatch):
    nobody = People(np.empty((0, 17, 2), np.float32), np.empty((0, 17), np.float32), np.empty((0, 4), np.float32))
    monkeypatch.setattr(Pose2D, "__call__", lambda self, image: nobody)
    status, out, err = watch(write_video(tmp_path / "noise.mp4"))
    assert status == 1 and last(err) == "note: noise: nobody was found in 5 frames"
    kept = [f"kept: {tmp_path / 'out' / name}" for name in ("noise_2d.json", "noise.json", "noise.npz")]
    assert out.splitlines() == ["noise: 0 people in 5 frames", *kept]


def test_a_wrong_rate_is_asked_for(watch, write_video, tmp_path, somebody):
    source = write_video(tmp_path / "noise.mp4", fps=1000.0)
    status, _, err = watch(source)
    assert status == 2 and "says that it has 1000 frames a second; give the true number as fps (--fps)" in last(err)
    assert watch(source, "--fps", 25)[0] == 0
    np.testing.assert_allclose(np.load(tmp_path / "out/noise.npz")["time"], np.arange(5) / 25)


def test_a_video_that_breaks_off_is_lifted_as_far_as_it_goes(watch, write_video, tmp_path, somebody):
    content = write_video(tmp_path / "noise.mp4", 60).read_bytes()
    middle, quarter = len(content) // 2, len(content) // 4
    (tmp_path / "noise.mp4").write_bytes(content[:middle] + bytes(quarter) + content[middle + quarter :])
    status, out, err = watch(tmp_path / "noise.mp4")
    assert status == 1 and "of 60 cannot be read; the video is damaged there" in last(err)
    frames = int(out.splitlines()[0].split()[-2])
    assert 10 < frames < 50 and out.splitlines()[1:] == [
        f"kept: {tmp_path / 'out' / name}" for name in ("noise_2d.json", "noise.json", "noise.npz")
    ]


class Unplugged(Images):
    """A camera that gives three images."""

    live = True

    def __init__(self):
        super().__init__("webcam0", 30.0, 192, 256, None)

    def __iter__(self):
        rng = np.random.default_rng(0)
        for number in range(3):
            yield number / 10, rng.integers(0, 255, (256, 192, 3), np.uint8)
        self.problem = "webcam:0: gave no more images after 0.3 s; is it still plugged in?"


def test_a_camera_that_is_unplugged_and_one_that_is_not_there(watch, tmp_path, monkeypatch, somebody):
    with monkeypatch.context() as patched:
        patched.setattr(images, "open_images", lambda source, fps: Unplugged())
        status, out, err = watch("webcam")
    assert status == 1 and last(err) == "note: webcam:0: gave no more images after 0.3 s; is it still plugged in?"
    names = ("webcam0_images.mp4", "webcam0_2d.json", "webcam0.json", "webcam0.npz")
    assert out.splitlines()[1:] == [f"kept: {tmp_path / 'out' / name}" for name in names]
    status, _, err = watch("webcam:987")
    assert status == 2 and last(err) == "error: webcam:987: there is no such camera, or another program uses it"


def test_huge_images(watch, tmp_path):
    image = np.zeros((5000, 8000, 3), np.uint8)
    image[::7] = 90
    cv2.imwrite(str(tmp_path / "huge.jpg"), image)
    status, out, err = watch(tmp_path / "huge.jpg", "--format", "npz")
    assert status == 0 and out.splitlines()[0] == "huge: 1 people in 1 frames", err
    assert np.load(tmp_path / "out/huge.npz")["width"] == 8000


@pytest.mark.parametrize("name", ["video_to_3d", "keypoints_to_3d"])
def test_who_has_no_permission(command, keypoints, model, pose2d, write_video, tmp_path, monkeypatch, name):
    """As the system tells it; root, who may read everything, runs some tests."""
    images = name == "video_to_3d"
    source = [write_video(tmp_path / "noise.mp4"), *pose2d] if images else keypoints
    monkeypatch.setattr("os.access", lambda path, *_: str(path) != str(source[0]))
    status, _, err = command(name, *source, *model, "--out", tmp_path / "out")
    assert status == 2 and last(err) == f"error: {source[0]}: may not be read; ask for permission to it (chmod +r)"
