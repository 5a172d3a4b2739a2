import re
from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.data.pose_store import PoseStore
from mpm_mmpose.pose.keypoints import H36M_17

from ..data import Stores
from ..figures import DUMP, clips_and_frames, evenly_spaced, frame_errors, reproduce_figure_5, scene_of
from ..reproduce import reproduce
from ..running import MARKER

ROOT = Path(__file__).parents[3]


def make_dump(path, shift):
    """Two clips of frames 0 to 3; the prediction is ``shift`` mm off in every frame of the second clip only."""
    ground_truth = np.random.default_rng(0).normal(0, 0.3, (8, 17, 3)).astype(np.float32)
    prediction = ground_truth + np.float32(shift / 1000) * np.array([[[0, 0, 1]]], np.float32)
    prediction[:4] = ground_truth[:4]
    np.savez(
        path,
        prediction=prediction,
        ground_truth=ground_truth,
        counted=np.ones((8, 17), bool),
        sequence=np.repeat([0, 2], 4),
        frame=np.tile(np.arange(4), 2),
        sequences=np.array(["clip 0", "clip 1", "clip 2"]),
        keypoints=np.array(H36M_17.names),
    )
    return path


def test_frames_are_evenly_spaced_and_whatever_their_errors():
    assert evenly_spaced(100, 5).tolist() == [10, 30, 50, 70, 90]
    assert evenly_spaced(3, 5).tolist() == [0, 1, 2]  # each once


def test_rows_of_the_scene_are_the_chosen_frames(tmp_path, pair):
    dumps = {"a": make_dump(tmp_path / "a.npz", 20), "b": make_dump(tmp_path / "b.npz", 5)}
    frames = clips_and_frames(dumps["a"], np.array([1, 6]))
    assert frames == [("clip 0", 1), ("clip 2", 2)]
    assert frame_errors(dumps["a"]) == pytest.approx([0] * 4 + [20] * 4, abs=1e-3)
    scene = scene_of(dumps, [pair[1]], frames)
    ground_truth = np.load(dumps["a"])["ground_truth"]
    for person, shift in zip(scene.people, (20, 5), strict=True):
        np.testing.assert_array_equal(person.ground_truth, ground_truth[[1, 6]])
        off = person.keypoints_3d - person.ground_truth
        np.testing.assert_allclose(off[:, 0, 2], [0, shift / 1000], atol=1e-6)
    store = PoseStore(pair[1])
    seen = store.sequence(2).keypoints[2]
    np.testing.assert_allclose(scene.people[0].keypoints_2d[1], seen / np.ptp(seen, axis=0).max(), rtol=1e-6)


@pytest.mark.slow
def test_figure_5_from_stores_to_picture(ci, pair, tmp_path):
    reproduce("6", ["scratch"], Stores(pair), ci, ROOT, tmp_path)
    trained = {path for path in tmp_path.rglob(MARKER) if "test" not in path.parent.name}
    text = reproduce_figure_5(Stores(pair), ci, ROOT, tmp_path, command="--figure 5")
    assert (tmp_path / "figure_5.md").read_text() == text
    assert (tmp_path / "figure_5.png").is_file() and (tmp_path / "figure_5.pdf").read_bytes().startswith(b"%PDF")
    lines = re.findall(r"^\| ([a-e]) \| (clip \d) \| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", text, re.M)
    assert [line[0] for line in lines] == list("abcde")
    # 60 frames of which all are tested: 6, 18, 30, 42, 54.
    assert [(clip, int(frame)) for _, clip, frame, *_ in lines] == [
        ("clip 0", 6),
        ("clip 0", 18),
        ("clip 1", 10),
        ("clip 2", 2),
        ("clip 2", 14),
    ]
    one, other = (frame_errors(path) for path in tmp_path.rglob(DUMP))
    shown = {tuple(f"{error[row]:.1f}" for row in (6, 18, 30, 42, 54)) for error in (one, other)}
    assert shown == {tuple(line[3] for line in lines), tuple(line[4] for line in lines)}
    assert "without pre-training stands in for it" in text and "Made with `--figure 5`" in text

    # Trainings of table 6 are used again, and all that is done stays done.
    done = {path: path.stat().st_mtime_ns for path in tmp_path.rglob(MARKER)}
    assert trained <= set(done) and len(done) == 4 + 2 + 1 + 2
    assert reproduce_figure_5(Stores(pair), ci, ROOT, tmp_path, command="--figure 5") == text
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob(MARKER)} == done


def test_nothing_is_tested_on_what_it_was_trained_on(ci, pair, tmp_path):
    stores = Stores([f"{name}={pair[0]}" for name in ("h36m_train", "amass_train", "h36m_test")])
    with pytest.raises(ValueError, match="some_train: trained on and tested on"):
        reproduce_figure_5(stores, ci, ROOT, tmp_path)
    assert not list(tmp_path.iterdir())
