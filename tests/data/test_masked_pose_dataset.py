import numpy as np
import pytest
import torch

from mpm_mmpose.data import MaskedPoseDataset, PoseSequence, PoseWindowDataset, write_store
from mpm_mmpose.pose.geometry import project

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    for name, frames in (("long", 50), ("short", 20)):
        poses = (RANDOM.normal(size=(frames, 17, 3)), RANDOM.uniform(0, 1000, size=(frames, 17, 2)))
        write_store(folder / name, [PoseSequence(name, *poses, width=1000, height=1000, fps=50)])
    return folder


def config(folder, name, **options):
    return dict(store=str(folder / name), window=9) | options


@pytest.mark.parametrize(("name_2d", "name_3d"), [("long", "short"), ("short", "long")])
def test_every_window_of_both_unpaired(stores, name_2d, name_3d):
    dataset = MaskedPoseDataset(config(stores, name_2d), config(stores, name_3d), seed=3)
    assert len(dataset) == 50
    batch = dataset.__getitems__(range(50))
    assert set(batch) == {"keypoints", "keypoints_3d", "down_3d", "window"}
    whole_2d = PoseWindowDataset(stores / name_2d, 9, modalities=["2d"])
    whole_3d = PoseWindowDataset(stores / name_3d, 9, modalities=["3d"])
    np.testing.assert_array_equal(batch["keypoints"], whole_2d.__getitems__(np.arange(50) % len(whole_2d))["keypoints"])
    targets = whole_3d.__getitems__(range(len(whole_3d)))["keypoints_3d"]
    partner = [int((targets == pose).flatten(1).all(1).nonzero()) for pose in batch["keypoints_3d"]]
    number = len(whole_3d)
    # each 3D window as often as it must be, and not beside "its own" 2D window
    counts = np.bincount(partner, minlength=number)
    assert counts.min() >= 50 // number and counts.max() <= -(-50 // number)
    assert np.mean(np.array(partner) == np.arange(50) % number) < 0.2


def test_pairs_follow_the_seed(stores):
    first, again, other = (
        MaskedPoseDataset(config(stores, "long"), config(stores, "long"), seed=seed) for seed in (1, 1, 2)
    )
    batches = [dataset.__getitems__([5, 6, 7])["keypoints_3d"] for dataset in (first, again, other)]
    assert torch.equal(batches[0], batches[1]) and not torch.equal(batches[0], batches[2])
    assert torch.equal(first[6]["keypoints_3d"][0], batches[0][1])
    assert first.metainfo["stores"] == "long (2D), long (3D)"
    assert first.metainfo["keypoint_set"] == "h36m_17"


def test_2d_windows_may_bring_what_they_were_projected_from(stores):
    both = config(stores, "long", modalities=["2d", "3d"])
    batch = MaskedPoseDataset(both, config(stores, "short"), seed=3).__getitems__([4, 30, 2])
    whole = PoseWindowDataset(stores / "long", 9).__getitems__([4, 30, 2])
    extra = {"source_3d", "intrinsics", "down", "aspect"}
    assert set(batch) == {"keypoints", "keypoints_3d", "down_3d", "window"} | extra
    assert torch.equal(batch["keypoints"], whole["keypoints"])
    assert torch.equal(batch["source_3d"], whole["keypoints_3d"])
    torch.testing.assert_close(batch["intrinsics"], whole["intrinsics"], equal_nan=True)
    plain = MaskedPoseDataset(config(stores, "long"), config(stores, "short"), seed=3).__getitems__([4, 30, 2])
    assert torch.equal(batch["keypoints_3d"], plain["keypoints_3d"])


def test_3d_alone_brings_its_own_projections(stores, tmp_path):
    """Windows of stores without 2D, for the third task: 2D, and the 3D that it is of."""
    poses = RANDOM.normal(size=(20, 17, 3)) * 0.3 + [0, 0, 4]
    camera = np.array([1145, 1143, 512, 515, -0.2, 0.24, -0.003, -0.0009, -0.001])
    options = dict(width=1000, height=1000, fps=50)
    write_store(tmp_path / "3d", [PoseSequence("a", poses, None, intrinsics=camera, **options)])
    write_store(tmp_path / "both", [PoseSequence("a", poses, project(poses, camera), intrinsics=camera, **options)])
    alone = MaskedPoseDataset(config(tmp_path, "3d", modalities=["3d"]), config(stores, "long"))
    paired = MaskedPoseDataset(config(tmp_path, "both", modalities=["2d", "3d"]), config(stores, "long"))
    batch, expected = (dataset.__getitems__([3, 17, 40]) for dataset in (alone, paired))
    assert set(batch) == set(expected)
    for name in batch:
        torch.testing.assert_close(batch[name], expected[name], rtol=1e-5, atol=1e-5, equal_nan=True)
    write_store(tmp_path / "blind", [PoseSequence("a", poses, None, **options)])
    blind = MaskedPoseDataset(config(tmp_path, "blind", modalities=["3d"]), config(stores, "long"))
    with pytest.raises(ValueError, match="blind has no 2D and no cameras"):
        blind.__getitems__([3])


def test_2d_alone(stores):
    dataset = MaskedPoseDataset(config(stores, "long"))
    assert len(dataset) == 50 and dataset.metainfo["stores"] == "long (2D)"
    batch = dataset.__getitems__([3, 7])
    assert set(batch) == {"keypoints", "window"}
    assert torch.equal(
        batch["keypoints"], PoseWindowDataset(stores / "long", 9, modalities=["2d"]).__getitems__([3, 7])["keypoints"]
    )


def test_two_that_do_not_go_together(stores):
    with pytest.raises(ValueError, match="window is 9 in dataset_2d, 7 in dataset_3d"):
        MaskedPoseDataset(config(stores, "long"), config(stores, "long", window=7))
    with pytest.raises(ValueError, match="keypoints is .*h36m_17.* in dataset_2d"):
        MaskedPoseDataset(config(stores, "long"), config(stores, "long", keypoint_set="common_16"))
