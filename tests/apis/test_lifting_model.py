import numpy as np
import pytest

from mpm_mmpose.apis import MPMInferencer, PersonLifting
from mpm_mmpose.data.pose_store import write_store
from mpm_mmpose.errors import UsageError
from mpm_mmpose.lifting.person_lifting import AS_LIFTED
from mpm_mmpose.lifting.track_lifter import TrackLifter
from mpm_mmpose.pose.geometry import normalize_screen
from mpm_mmpose.runtime import OnnxModel

SIZE = dict(width=1000, height=1000)
SAID = SIZE | dict(fps=30, keypoint_set="h36m_17")


def lift(source, model, people=AS_LIFTED, lifting=None, **reading):
    """The results of a source by an exported model."""
    return MPMInferencer(weights=model, **(lifting or {}))(source, people=people, **reading)


def test_whole_tracks_with_gaps_and_masked_keypoints(keypoint_file, model_file, clip):
    (result,) = lift(keypoint_file, model_file, **SAID)
    (person,) = result.people
    rows = np.r_[0:10, 20:30]
    assert result.recording.frames_of(person.track).tolist() == rows.tolist()
    assert person.masked[:, 16].all() and not person.masked[:, :16].any()
    expected = normalize_screen(clip.keypoints[rows, :16], **SIZE)
    np.testing.assert_allclose(person.keypoints_3d[:, :16, :2], expected, atol=1e-5)
    # A wrist is masked in both of the views that the flip test takes the mean of.
    assert (person.keypoints_3d[:, 16, 2] == 1).all()


def test_other_rates_are_resampled_by_time(keypoint_file, write_model, clip):
    (result,) = lift(keypoint_file, write_model(fps=60.0), **SAID)
    (person,) = result.people
    expected = normalize_screen(clip.keypoints[:10, :16], **SIZE)
    np.testing.assert_allclose(person.keypoints_3d[:10, :16, :2], expected, atol=1e-5)


def test_a_store_knows_rate_and_size(clip, model_file, tmp_path):
    write_store(tmp_path / "store", [clip])
    (result,) = lift(tmp_path / "store", model_file, lifting=dict(flip_test=False, batch_size=20))
    (person,) = result.people
    np.testing.assert_allclose(
        person.keypoints_3d[..., 0], normalize_screen(clip.keypoints, clip.width, clip.height)[..., 0] + 0.25, atol=1e-5
    )


def test_who_cannot_be_lifted_is_left_out_with_a_reason(keypoint_file, model_file):
    (result,) = lift(keypoint_file, model_file, lifting=dict(threshold=2.0), **SAID)
    assert result.people == [] and len(result.notes) == 1
    assert "person 7: no keypoint of 20 frames is inside the image with a score of 2.0" in result.notes[0]


def test_a_model_that_gives_no_numbers(keypoint_file, model_file, monkeypatch):
    monkeypatch.setattr(OnnxModel, "targets", lambda self, windows, *_: np.full((len(windows), 17, 3), np.nan))
    (result,) = lift(keypoint_file, model_file, fps=30, width=1000, height=1000, keypoint_set="h36m_17")
    assert result.people == [] and result.notes == [
        "person 7: the model gives what is no pose (NaN, or beyond 1000 m) for some of 20 frames; its weights "
        "are damaged: train or export it again"
    ]


def test_too_few_frames_are_said(clip, model_file, tmp_path, caplog):
    write_store(tmp_path / "store", [clip])
    lifter = TrackLifter(OnnxModel(model_file))
    (result,) = lift(tmp_path / "store", model_file)
    track = result.people[0].track
    short = type(track)(**(vars(track) | {name: getattr(track, name)[:2] for name in ("times", "keypoints", "scores")}))
    assert np.isfinite(lifter.lift(short).keypoints_3d).all()
    assert "person 0: there are 2 frames, this model looks at 9; they are repeated" in caplog.text


def test_a_model_of_3d_is_wrong_use(keypoint_file, write_model):
    with pytest.raises(UsageError, match="this model completes 3D: give an array"):
        lift(keypoint_file, write_model(input="3d"), **SAID)


def test_where_people_are_is_added_when_asked_for(keypoint_file, model_file):
    (result,) = lift(keypoint_file, model_file, people=PersonLifting(trajectory=True), **SAID)
    assert np.isfinite(result.people[0].trajectory).all()
    assert "right wrist never seen" in result.notes[0] and len(result.notes) == 2
    assert "the trajectory assumes a camera that stands still" in result.notes[1]
