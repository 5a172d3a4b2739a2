import pickle

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmpose.registry import DATASETS
from torch.utils.data import DataLoader

from mpm_mmpose.data import PoseSequence, PoseWindowDataset, keep_batch, write_store
from mpm_mmpose.data.device_dataset import DevicePoseWindowDataset

RANDOM = np.random.default_rng(0)


def make_store(path, lengths, keypoints=17, scores=False, meta=None, **fields):
    write_store(
        path,
        [
            PoseSequence(
                f"{path.name}{i}",
                RANDOM.normal(size=(frames, keypoints, 3)),
                RANDOM.uniform(0, 1000, size=(frames, keypoints, 2)),
                RANDOM.integers(0, 3, size=(frames, keypoints)) if scores else None,
                width=1000 + i,
                height=900,
                fps=50,
                action=("walk", "sit")[i % 2],
                **fields,
            )
            for i, frames in enumerate(lengths)
        ],
        meta,
        overwrite=True,
    )
    return path


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    validity = dict(scores="validity")
    return [
        make_store(folder / "plain", [5, 1, 30]),
        make_store(folder / "scored", [7, 20], scores=True),
        make_store(folder / "dhp", [9, 12], scores=True, meta=validity, keypoint_set="mpi_inf_3dhp_17"),
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    which=st.sampled_from([[0], [1], [0, 1], [2]]),
    window=st.integers(1, 12),
    frame_step=st.integers(1, 3),
    stride=st.integers(1, 4),
    actions=st.sampled_from([None, ["sit"]]),
    modalities=st.sampled_from([("2d",), ("3d",), ("2d", "3d")]),
    keypoint_set=st.sampled_from([None, "common_16", "h36m_17"]),
)
def test_batches_are_those_of_the_base_class(
    stores, which, window, frame_step, stride, actions, modalities, keypoint_set
):
    options = dict(stride=stride, actions=actions, modalities=modalities, keypoint_set=keypoint_set)
    chosen = [stores[i] for i in which]
    ours = DevicePoseWindowDataset(chosen, window, frame_step, device="cpu", **options)
    plain = PoseWindowDataset(chosen, window, frame_step, **options)
    assert len(ours) == len(plain)
    indices = RANDOM.integers(0, len(plain), size=10)
    torch.testing.assert_close(
        ours.__getitems__(indices), plain.__getitems__(indices), rtol=0, atol=3e-7, equal_nan=True
    )


def test_a_config_mixes_them_and_a_loader_hands_them_on(stores):
    parts = [dict(type="DevicePoseWindowDataset", store=str(store), window=9, device="cpu") for store in stores[:2]]
    dataset = DATASETS.build(
        dict(type="MaskedPoseDataset", dataset_2d=dict(type="MixedPoseDataset", datasets=parts), dataset_3d=parts[0])
    )
    batches = list(DataLoader(dataset, batch_size=16, collate_fn=keep_batch))
    assert sum(len(batch["keypoints"]) for batch in batches) == len(dataset) == 63
    assert "unknown" not in batches[0] and batches[-1]["unknown"].any()


def test_frames_stay_out_of_pickles_and_of_workers(stores):
    dataset = DevicePoseWindowDataset(stores[0], 9, device="cpu")
    batch = dataset[3]
    assert dataset._frames is not None
    again = pickle.loads(pickle.dumps(dataset))
    assert again._frames is None
    torch.testing.assert_close(again[3], batch, rtol=0, atol=0, equal_nan=True)
    with pytest.raises(RuntimeError, match="give its loader num_workers=0"):
        next(iter(DataLoader(dataset, batch_size=4, num_workers=1, collate_fn=keep_batch)))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_windows_are_on_the_gpu(stores):
    dataset = DevicePoseWindowDataset(stores[0], 9)
    batch = dataset.__getitems__([3, 20])
    assert batch["keypoints"].is_cuda and batch["keypoints_3d"].is_cuda
    expected = PoseWindowDataset(stores[0], 9).__getitems__([3, 20])
    torch.testing.assert_close(batch["keypoints"].cpu(), expected["keypoints"], rtol=0, atol=3e-7)
