import numpy as np
import pytest

from mpm_mmpose.evaluation.metric import PoseErrorMetric
from mpm_mmpose.evaluation.pose_error import mpjpe

from .conftest import META, sample_of


def evaluate(poses, path, order, **more):
    metric = PoseErrorMetric(dump=path)
    metric.dataset_meta = META
    for rows in np.array_split(order, 7):
        metric.process(None, [poses.sample(rows, **more)])
    return metric.evaluate(200)


def test_holds_every_pose_once_in_order(poses, tmp_path):
    path = tmp_path / "new" / "poses.npz"
    masked = np.random.default_rng(0).random((200, 17)) < 0.2
    # Shuffled, and the first windows again.
    order = np.append(np.random.default_rng(1).permutation(200), np.arange(20))
    found = evaluate(poses, path, order, masked=masked)
    with np.load(path, allow_pickle=False) as file:
        data = dict(file)
    np.testing.assert_array_equal(data["prediction"], poses.pred)
    np.testing.assert_array_equal(data["ground_truth"], poses.gt)
    np.testing.assert_array_equal(data["masked"], masked)
    for name in ("sequence", "frame", "action"):
        np.testing.assert_array_equal(data[name], getattr(poses, name))
    assert data["sequences"].tolist() == list(META["sequences"])
    assert data["actions"].tolist() == list(META["actions"])
    assert data["keypoints"][0] == "pelvis" and data["counted"].all()
    assert 1000 * mpjpe(data["prediction"], data["ground_truth"]).mean() == pytest.approx(
        found["pose/mpjpe"], rel=1e-12
    )
    assert [file.name for file in path.parent.iterdir()] == ["poses.npz"]


def test_an_error_leaves_the_file_that_was_there(poses, tmp_path, monkeypatch):
    path = tmp_path / "poses.npz"
    path.write_text("of an earlier run")

    def fail(file, **arrays):
        file.write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="disk full"):
        evaluate(poses, path, np.arange(200))
    assert path.read_text() == "of an earlier run"
    assert len(list(tmp_path.iterdir())) == 1


def test_without_sequences_poses_are_in_the_order_they_came(poses, tmp_path):
    metric = PoseErrorMetric(dump=tmp_path / "poses.npz")
    metric.process(None, [sample_of(poses.pred[[2]], poses.gt[[2]]), sample_of(poses.pred[[1]], poses.gt[[1]])])
    metric.evaluate(2)
    with np.load(tmp_path / "poses.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["prediction"], poses.pred[[2, 1]])
        assert not {"sequence", "frame", "sequences", "masked"} & set(file.files)
        assert file["actions"].tolist() == ["all"] and file["keypoints"][16] == "keypoint 16"
