import cv2
import numpy as np
import pytest

from mpm_mmpose.data import PoseStore

from ..videos import choose_sequences, write_videos


def test_sequences_are_of_different_clips_and_cut(store):
    store = PoseStore(store)
    chosen = choose_sequences(store, 3, seed=1, frames=7)
    assert len({sequence.name.rpartition(".")[0] for sequence in chosen}) == 3
    for sequence in chosen:
        whole = store.sequence(store.names.index(sequence.name))
        np.testing.assert_array_equal(sequence.keypoints, whole.keypoints[:7])
        np.testing.assert_array_equal(sequence.keypoints_3d, whole.keypoints_3d[:7])
    assert [one.name for one in choose_sequences(store, 3, seed=1)] == [one.name for one in chosen]
    assert all(len(sequence) == 60 for sequence in choose_sequences(store, 2))
    with pytest.raises(ValueError, match="has 3 clips of 2 seconds or more; ask for no more videos than that"):
        choose_sequences(store, 4)


def test_videos_and_their_ground_truth(store, tmp_path):
    chosen = choose_sequences(PoseStore(store), 2, frames=3)
    steps = []
    ground_truth = PoseStore(write_videos(chosen, tmp_path / "videos", seed=2, progress=lambda: steps.append(1)))
    assert len(steps) == 6 and ground_truth.names == tuple(sequence.name for sequence in chosen)
    np.testing.assert_array_equal(ground_truth.keypoints, np.concatenate([sequence.keypoints for sequence in chosen]))
    np.testing.assert_array_equal(
        ground_truth.keypoints_3d, np.concatenate([sequence.keypoints_3d for sequence in chosen])
    )
    seen = np.asarray(ground_truth.keypoint_scores).reshape(2, 3, 17)
    assert set(np.unique(seen)) <= {0, 1} and seen[0].all() and not seen[1].all()  # nothing is before the first
    for sequence in chosen:
        capture = cv2.VideoCapture(str(tmp_path / "videos" / f"{sequence.name}.mp4"))
        assert capture.get(cv2.CAP_PROP_FPS) == 30
        images = [capture.read()[1] for _ in range(3)]
        assert images[0].shape == (sequence.height, sequence.width, 3) and not capture.read()[0]
        assert (images[0] != images[2]).any()
    with pytest.raises(FileExistsError):
        write_videos(chosen[:1], tmp_path / "videos")
