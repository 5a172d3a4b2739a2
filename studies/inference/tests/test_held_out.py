import numpy as np
import pytest

from mpm_mmpose.data.pose_store import PoseStore, write_store
from mpm_mmpose.pose.geometry import project

from ..held_out import read_clips


def test_each_motion_once_by_cameras_in_turn(held_out_store):
    clips = read_clips(held_out_store, 99, 40)
    names = [clip.track.person for clip in clips]
    assert [name.rpartition(".")[2] for name in names] == [
        "cam0",
        "cam1",
        "cam2",
        "cam3",
        "cam0",
        "cam1",
        "cam2",
        "cam3",
        "cam0",
    ]
    assert len({name.rpartition(".")[0] for name in names}) == 9
    for clip in clips:
        assert clip.ground_truth.shape == (40, 17, 3) and not clip.ground_truth[:, 0].any()
        index = held_out_store.names.index(clip.track.person)
        whole = held_out_store.sequence(index)
        np.testing.assert_array_equal(clip.track.keypoints, whole.keypoints[:40])
        seen = project(clip.ground_truth + whole.keypoints_3d[:40, :1], whole.intrinsics)
        np.testing.assert_allclose(seen, clip.track.keypoints, atol=0.1)


def test_fewer_are_spread_over_the_store(held_out_store):
    names = [clip.track.person.rpartition(".")[0] for clip in read_clips(held_out_store, 2)]
    assert names == ["dataset-1_walk_feminine_001", "dataset-1_guide_tired_001"]


def test_without_ground_truth_there_is_nothing_to_compare_with(tmp_path, filmed):
    from dataclasses import replace

    write_store(tmp_path / "2d", [replace(filmed["tired"][0], keypoints_3d=None)])
    with pytest.raises(ValueError, match="no clips with 2D and 3D"):
        read_clips(PoseStore(tmp_path / "2d"), 1)
