import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from mpm_mmpose.apis import MPMInferencer, PersonLifting, UsageError, images
from mpm_mmpose.apis.images import Images
from mpm_mmpose.blazepose import blazepose
from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.deployment.export import export_model
from mpm_mmpose.lifting.people import People, PeopleDetector
from mpm_mmpose.lifting.smoothing import smooth
from mpm_mmpose.runtime import shipped
from studies.quickstart.synthetic_motion import generate_motion

CONFIGS = Path(__file__).parents[2] / "configs/mpm"
TINY = """
_base_ = ["{configs}/lift_mocap_27.py"]
model = dict(
    backbone=dict(num_frames=9, channels=16, hidden_channels=16, depth=1, num_heads=2, mask_tokens={mask_tokens}),
    head=dict(num_frames=9, strides=(3, 3), channels=16, hidden_channels=16, num_heads=2),
)
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Function to the config and weights of a small model, with or without mask tokens."""
    folder = tmp_path_factory.mktemp("tiny")
    made = {}
    for mask_tokens in (True, False):
        config, weights = folder / f"tiny_{mask_tokens}.py", folder / f"tiny_{mask_tokens}.pth"
        config.write_text(TINY.format(configs=CONFIGS, mask_tokens=mask_tokens))
        init_default_scope("mmpose")
        torch.manual_seed(0)
        torch.save(dict(state_dict=MODELS.build(Config.fromfile(config).model).state_dict()), weights)
        made[mask_tokens] = (config, weights)
    return lambda mask_tokens=True: made[mask_tokens]


@pytest.fixture(scope="module")
def exported(tiny, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "tiny.onnx"
    export_model(*tiny(), path)
    return path


@pytest.fixture(scope="module")
def inferencer(tiny):
    return MPMInferencer(*tiny(), device="cpu")


@pytest.fixture(scope="module")
def clip():
    return next(project_views(generate_motion("walking", 1.0, 30, 0), cameras=1))


def write_keypoints(path, clip, people=1, score=0.9):
    frames = []
    for frame, keypoints in enumerate(clip.keypoints):
        instances = [
            dict(keypoints=(keypoints + [150 * person, 0]).tolist(), keypoint_scores=[score] * 17)
            for person in range(people)
        ]
        frames.append(dict(frame_id=frame, instances=instances))
    meta = dict(dataset_name="h36m", keypoint_id2name={str(index): str(index) for index in range(17)})
    path.write_text(json.dumps(dict(meta_info=meta, instance_info=frames)))
    return path


def test_keypoints_become_3d_with_all_context(inferencer, clip, tmp_path):
    """Each person by the lifter, whole tracks at once, at their own place in the image."""
    options = dict(fps=30, width=clip.width, height=clip.height)
    (result,) = inferencer(write_keypoints(tmp_path / "walk.json", clip, people=2), **options)
    assert [person.track.person for person in result.people] == ["0", "1"]
    # The model has random weights.
    assert (
        all("the 3D hardly fits the 2D that it came from" in note for note in result.notes) and len(result.notes) == 2
    )
    assert all(np.median(person.misfit) > 0.36 for person in result.people)
    lifted = result.people[0].keypoints_3d
    expected = inferencer.lifter.lift(result.recording.tracks[0]).keypoints_3d
    np.testing.assert_array_equal(lifted, expected)
    assert lifted.shape == (30, 17, 3) and np.isfinite(lifted).all() and not lifted[:, 0].any()
    assert np.abs(lifted - result.people[1].keypoints_3d).max() > 1e-3  # elsewhere in the image


def test_an_array_and_a_file_are_the_same(inferencer, clip, tmp_path):
    options = dict(fps=30, width=clip.width, height=clip.height)
    (one,) = inferencer(clip.keypoints, keypoint_set="h36m_17", **options)
    (other,) = inferencer(write_keypoints(tmp_path / "walk.json", clip), **options)
    np.testing.assert_allclose(one.people[0].keypoints_3d, other.people[0].keypoints_3d, atol=1e-5)


def test_files_are_left_and_listed(inferencer, clip, tmp_path, capsys):
    source = write_keypoints(tmp_path / "walk.json", clip)
    options = dict(fps=30, width=clip.width, height=clip.height)
    inferencer.kept.clear()
    next(inferencer(source, out_dir=tmp_path / "new/out", progress=True, **options))
    assert [path.name for path in inferencer.kept] == ["walk.json", "walk.npz", "walk.mp4"]
    assert all(path.parent == tmp_path / "new/out" and path.is_file() for path in inferencer.kept)
    bars = capsys.readouterr().err
    assert "3D of person 1/1" in bars and "video" in bars


def test_who_cannot_be_believed_is_left_out_with_a_note(inferencer, clip, tmp_path):
    source = write_keypoints(tmp_path / "walk.json", clip, score=0.1)
    (result,) = inferencer(source, fps=30, width=clip.width, height=clip.height)
    assert result.people == [] and "with a score of 0.3 or more" in result.notes[0]


def test_complete_needs_a_model_that_knows_what_is_masked(inferencer, tiny, clip):
    keypoints = clip.keypoints.copy()
    keypoints[:, 11:14] = np.nan
    options = dict(fps=30, width=clip.width, height=clip.height, keypoint_set="h36m_17")
    (result,) = inferencer(keypoints, "complete", **options)
    assert result.people[0].masked.all(0).tolist() == [11 <= index < 14 for index in range(17)]
    assert np.isfinite(result.people[0].keypoints_3d).all()
    without = MPMInferencer(*tiny(mask_tokens=False), device="cpu")
    with pytest.raises(UsageError, match="task 'complete': this model has no mask tokens"):
        without(keypoints, "complete", **options)
    with pytest.raises(UsageError, match="task 'lifd' is not known; did you mean 'lift'"):
        inferencer(keypoints, "lifd")


def test_trajectory_and_filter_are_added_when_asked_for(inferencer, clip):
    options = dict(fps=30, width=clip.width, height=clip.height, keypoint_set="h36m_17")
    (plain,) = inferencer(clip.keypoints, **options)
    (more,) = inferencer(clip.keypoints, people=PersonLifting(trajectory=True, filter="savitzky_golay"), **options)
    said = "the trajectory assumes a camera that stands still, of focal length"
    assert [any(note.startswith(said) for note in result.notes) for result in (plain, more)] == [False, True]
    assert plain.people[0].trajectory is None and more.people[0].trajectory.shape == (30, 3)
    np.testing.assert_array_equal(more.people[0].keypoints_3d, smooth(plain.people[0], "savitzky_golay").keypoints_3d)
    with pytest.raises(UsageError, match="filter 'one' is not known; did you mean 'one_euro'"):
        PersonLifting(filter="one")


def test_who_cannot_be_placed_is_lifted_all_the_same(inferencer, clip):
    keypoints = clip.keypoints.copy()
    keypoints[:, 5:] = np.nan
    options = dict(fps=30, width=clip.width, height=clip.height, keypoint_set="h36m_17")
    (result,) = inferencer(keypoints, people=PersonLifting(trajectory=True), **options)
    assert result.notes[-1].startswith("no trajectory: ") and result.people[0].trajectory is None


def test_one_frame_and_two_frames(inferencer, clip):
    options = dict(fps=30, width=clip.width, height=clip.height, keypoint_set="h36m_17")
    for frames in (1, 2):
        (result,) = inferencer(clip.keypoints[:frames], **options)
        assert result.people[0].keypoints_3d.shape == (frames, 17, 3)
        assert np.isfinite(result.people[0].keypoints_3d).all()


class Person2D(PeopleDetector):
    """A 2D model that finds one person, who walks as the clip does."""

    keypoint_set = "h36m_17"

    def __init__(self, clip, fails_at=None, error=None):
        self.keypoints, self.number, self.fails_at, self.error = clip.keypoints / 8, 0, fails_at, error

    def begin(self, fps):
        return self

    def __call__(self, image):
        if self.number == self.fails_at:
            raise self.error
        keypoints = self.keypoints[self.number][None]
        self.number += 1
        return People(keypoints, np.ones((1, 17)), np.concatenate((keypoints.min(1), keypoints.max(1)), axis=1))


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "walk.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 30.0, (128, 128))
    for _ in range(8):
        writer.write(np.full((128, 128, 3), 90, np.uint8))
    writer.release()
    return path


def test_video_to_files(inferencer, clip, video, tmp_path, monkeypatch):
    monkeypatch.setattr(inferencer, "pose2d", Person2D(clip))
    inferencer.kept.clear()
    (result,) = inferencer(video, out_dir=tmp_path / "out")
    assert [path.name for path in inferencer.kept] == ["walk_2d.json", "walk.json", "walk.npz", "walk.mp4"]
    assert len(result.people[0]) == 8 and result.recording.problem == ""
    drawn = cv2.VideoCapture(str(tmp_path / "out/walk.mp4"))
    assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 8
    # The 2D that was kept gives the same 3D.
    (again,) = inferencer(tmp_path / "out/walk_2d.json")
    np.testing.assert_array_equal(again.people[0].keypoints_3d, result.people[0].keypoints_3d)


def test_the_times_of_a_variable_rate_go_with_the_2d(inferencer, clip, tmp_path, monkeypatch):
    stamps = np.array([0, 0.03, 0.08, 0.1, 0.15, 0.17, 0.22, 0.24])
    monkeypatch.setattr(inferencer, "pose2d", Person2D(clip))
    monkeypatch.setattr(images, "open_images", lambda source, fps: Stamped(stamps))
    (result,) = inferencer("phone.mp4", out_dir=tmp_path / "out", formats=())
    (again,) = inferencer(tmp_path / "out/phone_2d.json")
    np.testing.assert_array_equal(again.people[0].track.times, stamps)
    np.testing.assert_array_equal(again.people[0].keypoints_3d, result.people[0].keypoints_3d)
    (even,) = inferencer(tmp_path / "out/phone_2d.json", fps=30)
    np.testing.assert_array_equal(even.people[0].track.times, np.arange(8) / 30)


class Stamped(Images):
    """A video of a variable rate."""

    def __init__(self, times):
        super().__init__("phone", 30.0, 128, 128, len(times))
        self.times = times

    def __iter__(self):
        for time in self.times:
            yield time, np.full((128, 128, 3), 90, np.uint8)


class Camera(Images):
    """A camera that is unplugged after five images."""

    live = True

    def __init__(self):
        super().__init__("webcam0", 30.0, 128, 128, None)

    def __iter__(self):
        for number in range(5):
            yield number / 11, np.full((128, 128, 3), 90, np.uint8)
        self.problem, self.fps = "webcam:0: gave no more images", 11.0


def test_a_camera_that_is_unplugged_is_lifted_as_far_as_it_goes(inferencer, clip, tmp_path, monkeypatch):
    monkeypatch.setattr(inferencer, "pose2d", Person2D(clip))
    monkeypatch.setattr(images, "open_images", lambda source, fps: Camera())
    inferencer.kept.clear()
    (result,) = inferencer("webcam", out_dir=tmp_path)
    assert result.recording.problem == "webcam:0: gave no more images" and result.recording.fps == 11
    np.testing.assert_allclose(result.people[0].track.times, np.arange(5) / 11)
    names = ["webcam0_images.mp4", "webcam0_2d.json", "webcam0.json", "webcam0.npz", "webcam0.mp4"]
    assert [path.name for path in inferencer.kept] == names
    # The images come only once; what was recorded of them is drawn on.
    drawn = cv2.VideoCapture(str(tmp_path / "webcam0.mp4"))
    assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    recorded = cv2.VideoCapture(str(tmp_path / "webcam0_images.mp4"))
    assert recorded.get(cv2.CAP_PROP_FRAME_COUNT) == round(4 / 11 * 30) + 1  # as long as it took
    assert abs(int(drawn.read()[1][500, 10].mean()) - 90) < 8


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("out of memory")])
def test_the_2d_is_kept_when_its_stage_stops(inferencer, clip, video, tmp_path, monkeypatch, error):
    monkeypatch.setattr(inferencer, "pose2d", Person2D(clip, 5, error))
    inferencer.kept.clear()
    with pytest.raises(type(error)):
        list(inferencer(video, out_dir=tmp_path / "out"))
    assert inferencer.kept == [tmp_path / "out/walk_2d.json"]
    assert len(json.loads(inferencer.kept[0].read_text())["instance_info"]) == 5


def test_who_is_lifted_is_kept_when_lifting_stops(inferencer, clip, tmp_path, monkeypatch):
    source = write_keypoints(tmp_path / "walk.json", clip, people=2)
    lift, calls = inferencer.lifter.lift, []

    def stopped(track, progress):
        calls.append(track)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return lift(track, progress)

    monkeypatch.setattr(inferencer.lifter, "lift", stopped)
    inferencer.kept.clear()
    with pytest.raises(KeyboardInterrupt):
        list(inferencer(source, out_dir=tmp_path / "out", fps=30, width=clip.width, height=clip.height))
    assert [path.name for path in inferencer.kept] == ["walk.json", "walk.npz"]
    assert set(np.load(tmp_path / "out/walk.npz")["person"]) == {"0"}


def test_ctrl_c_stays_ctrl_c_where_a_format_fails_as_well(inferencer, clip, tmp_path, monkeypatch, caplog):
    source = write_keypoints(tmp_path / "walk.json", clip, people=2)
    lift = inferencer.lifter.lift

    def stopped(track, progress):
        if track.person == "1":
            raise KeyboardInterrupt
        return lift(track, progress)

    monkeypatch.setattr(inferencer.lifter, "lift", stopped)
    (tmp_path / "out/walk.json").mkdir(parents=True)  # in the way of the first format
    inferencer.kept.clear()
    with pytest.raises(KeyboardInterrupt):
        list(inferencer(source, out_dir=tmp_path / "out", fps=30, width=clip.width, height=clip.height))
    assert [path.name for path in inferencer.kept] == ["walk.npz"]
    assert "walk.json" in caplog.text


def test_what_is_missing_is_refused_at_the_call(inferencer, tmp_path, monkeypatch):
    """Not at the first result, which may be asked for much later."""
    monkeypatch.setattr(inferencer, "pose2d", "a 2D model")
    for name in ("no.mp4", "no.json", "no folder"):
        with pytest.raises(UsageError, match=f"{name}: does not exist"):
            inferencer(tmp_path / name)
    with pytest.raises(UsageError, match="an array of keypoints needs fps"):
        inferencer(np.zeros((4, 17, 2)))


def test_blazepose_is_what_finds_people_unless_another_is_named(inferencer, tiny, clip, video, monkeypatch):
    monkeypatch.setattr(inferencer, "pose2d", None)
    monkeypatch.setattr(blazepose, "BlazePose", lambda: Person2D(clip))
    (result,) = inferencer(video)
    assert len(result.people[0]) == 8
    assert MPMInferencer(*tiny(), pose2d=Person2D(clip), device="cpu").pose2d.keypoint_set == Person2D.keypoint_set


def test_without_a_model_it_is_the_one_in_the_package(exported, clip, monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    with pytest.raises(UsageError, match="this copy of mpm_mmpose has no model in it"):
        MPMInferencer()
    (tmp_path / shipped.DEFAULT).write_bytes(exported.read_bytes())
    options = dict(fps=30, width=clip.width, height=clip.height, keypoint_set="h36m_17")
    (one,) = MPMInferencer()(clip.keypoints, **options)
    (other,) = MPMInferencer(weights=exported)(clip.keypoints, **options)  # its name says what it is
    np.testing.assert_array_equal(one.people[0].keypoints_3d, other.people[0].keypoints_3d)


def test_an_exported_model_is_lifted_with_without_pytorch(exported, clip, tmp_path):
    source = write_keypoints(tmp_path / "walk.json", clip)
    code = f"""
import sys
from mpm_mmpose.apis import MPMInferencer
options = dict(fps=30, width={clip.width}, height={clip.height})
(result,) = MPMInferencer(weights={str(exported)!r})({str(source)!r}, out_dir={str(tmp_path / "out")!r}, **options)
heavy = ("torch", "mmengine", "mmpose", "matplotlib", "scipy")
print(len(result.people), [name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.strip() == "1 []", done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["walk.json", "walk.mp4", "walk.npz"]


def test_a_place_that_cannot_be_written_is_told_before_any_work(inferencer, clip, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file/out: nothing can be written there \(.*\); give another --out"):
        inferencer(clip.keypoints, out_dir=tmp_path / "file/out")


def test_unknown_names(tiny):
    with pytest.raises(UsageError, match="model 'mpm_h36m_24' is not known; did you mean 'mpm_h36m_243'"):
        MPMInferencer("mpm_h36m_24")
    with pytest.raises(UsageError, match="mpm_h36m_243: there are no published weights"):
        MPMInferencer("mpm_h36m_243", pose2d="human")


def test_several_inferences_may_begin_in_one_folder_at_once(tmp_path):
    """The probe of whether anything can be written there has a name of its own, or none."""
    from concurrent.futures import ThreadPoolExecutor

    from mpm_mmpose.apis.inferencer import _check_writable

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(_check_writable, [tmp_path / "out"] * 400))
    assert list((tmp_path / "out").iterdir()) == []


def test_how_keypoints_are_read_is_said_of_keypoints_alone(inferencer, tmp_path):
    for source in (tmp_path / "walk.mp4", np.zeros((2, 8, 8, 3), np.uint8), []):
        with pytest.raises(UsageError, match="width, ids: are of a source of 2D keypoints"):
            inferencer(source, width=8, ids="mend")
