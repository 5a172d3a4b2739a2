import numpy as np
import pytest

from mpm_mmpose.converters import amass as module
from mpm_mmpose.converters.amass import convert_amass
from mpm_mmpose.data.pose_store import PoseStore
from mpm_mmpose.readers.amass import read_amass
from mpm_mmpose.readers.amass_body import BodyModelError, BodyModels


@pytest.fixture
def clips(tmp_path, write_clip):
    write_clip("amass/CMU/01/01_01_poses.npz", frames=21)
    write_clip("amass/HumanEva/S1/Box_1_poses.npz", frames=11, gender="male", seed=1)
    write_clip("amass/KIT/3/walk_stageii.npz", "smplx", frames=31, gender="neutral", seed=2, fps=120)
    return tmp_path / "amass"


def test_store(tmp_path, clips, models):
    report = convert_amass([clips], tmp_path / "store", models, cameras=2, progress=False, device="cpu")
    store = PoseStore(tmp_path / "store")
    assert (report.clips, report.frames, report.skipped) == (3, 30, [])
    assert list(store.names[::2]) == [f"{name}.cam0" for name in ("CMU/01/01_01", "HumanEva/S1/Box_1", "KIT/3/walk")]
    assert set(store.fps) == {50} and store.lengths.tolist() == [11, 11, 6, 6, 13, 13]
    assert store.subjects[::2] == ("CMU/01", "HumanEva/S1", "KIT/3")
    assert (store.meta["split"], store.meta["files"], store.meta["keypoints_from"]) == ("all", 3, "approximation")
    assert (store.keypoints[:] >= 0).all() and (store.keypoints[:] <= 1002).all()
    # back from camera space to AMASS's world
    sequence = store.sequence(1)
    world = (sequence.keypoints_3d - sequence.translation) @ sequence.rotation
    motion = read_amass(clips / "CMU/01/01_01_poses.npz", BodyModels(models))
    np.testing.assert_allclose(world, motion.keypoints_3d[::2], atol=1e-4)


def test_a_clip_is_the_same_whatever_else_is_converted(tmp_path, clips, models):
    stores = []
    for split in ("all", "val"):
        convert_amass([clips], tmp_path / split, models, split=split, progress=False)
        stores.append(PoseStore(tmp_path / split))
    assert len(stores[1]) == 4
    index = list(stores[0].names).index("HumanEva/S1/Box_1.cam2")
    np.testing.assert_array_equal(stores[0].sequence(index).keypoints, stores[1].sequence(2).keypoints)


def test_seed(tmp_path, clips, models):
    for seed in (0, 1):
        convert_amass([clips], tmp_path / f"s{seed}", models, seed=seed, split="val", progress=False)
    assert np.abs(PoseStore(tmp_path / "s0").keypoints[:] - PoseStore(tmp_path / "s1").keypoints[:]).max() > 1


def test_bad_files(tmp_path, clips, models, write_clip):
    bad = write_clip("amass/ACCAD/x/bad_poses.npz", changes=dict(betas=None))
    with pytest.raises(ValueError, match="bad_poses.npz: field 'betas' is missing"):
        convert_amass([clips], tmp_path / "store", models, progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["amass", "body_models"]
    report = convert_amass([clips], tmp_path / "store", models, skip_bad=True, progress=False)
    assert report.clips == 3 and [file for file, _ in report.skipped] == [str(bad)]


def test_missing_model_is_not_skipped(tmp_path, clips, models):
    (models / "smplh/male/model.npz").unlink()
    with pytest.raises(BodyModelError, match="no smplh model for gender male"):
        convert_amass([clips], tmp_path / "store", models, skip_bad=True, progress=False)
    assert not (tmp_path / "store").exists()


def test_same_clip_twice(tmp_path, clips, models, write_clip):
    write_clip("amass/CMU/CMU/01/01_01_poses.npz", frames=21)
    with pytest.raises(ValueError, match="is called CMU/01/01_01.cam0, as .*; give one copy or format of a subset"):
        convert_amass([clips], tmp_path / "store", models, progress=False)


def test_body_models_below_the_clips_are_no_clips(tmp_path, clips, models):
    models = models.rename(clips / "models")
    assert convert_amass([clips], tmp_path / "store", models, progress=False).clips == 3


def test_device(tmp_path, clips, models, monkeypatch):
    monkeypatch.setattr(module.torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device cuda: there is no GPU"):
        convert_amass([clips], tmp_path / "store", models, device="cuda")


def test_interrupt_leaves_nothing(tmp_path, clips, models, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "project_views", interrupted)
    with pytest.raises(KeyboardInterrupt):
        convert_amass([clips], tmp_path / "store", models, progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["amass", "body_models"]
