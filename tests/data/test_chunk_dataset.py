import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmpose.registry import DATASETS

from mpm_mmpose.data import PoseChunkDataset, PoseSequence, write_store

RANDOM = np.random.default_rng(0)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=4), window=st.integers(1, 15))
def test_every_frame_is_in_one_window(tmp_path, lengths, window):
    sequences = [
        PoseSequence(f"s{i}", RANDOM.normal(size=(frames, 17, 3)), None, fps=50) for i, frames in enumerate(lengths)
    ]
    write_store(tmp_path / "s", sequences, overwrite=True)
    dataset = PoseChunkDataset(tmp_path / "s", window=window, modalities=["3d"])
    assert len(dataset) == sum(-(-frames // window) for frames in lengths)
    batch = dataset.__getitems__(RANDOM.permutation(len(dataset)))
    seen = []
    for row, sequence in enumerate(batch["sequence"].tolist()):
        for i, frame in enumerate(batch["frame"][row].tolist()):
            np.testing.assert_array_equal(batch["keypoints_3d"][row, i], sequences[sequence].keypoints_3d[frame])
            if not batch["padding"][row, i]:
                seen.append((sequence, frame))
    assert sorted(seen) == [(s, frame) for s, frames in enumerate(lengths) for frame in range(frames)]


def test_it_is_registered_and_refuses_to_leave_frames_out(tmp_path):
    poses = RANDOM.normal(size=(10, 17, 3))
    write_store(tmp_path / "s", [PoseSequence("a", poses, None, fps=50)])
    config = dict(type="PoseChunkDataset", store=tmp_path / "s", window=4, modalities=["3d"])
    assert len(DATASETS.build(config)) == 3
    for option in (dict(frame_step=2), dict(stride=2)):
        with pytest.raises(ValueError, match="leave both out"):
            DATASETS.build(config | option)
