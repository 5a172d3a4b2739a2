import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpm_mmpose.evaluation.smoothness import OVERLAP, Frames, Smoothness

SEQUENCE = np.repeat([0, 1, 2, 3], [20, 1, 2, 7])
FRAME = np.concatenate([np.arange(20), [5], [0, 1], 2 * np.arange(7)])  # the last one has a step of 2
RANDOM = np.random.default_rng(0)
GT = RANDOM.normal(size=(30, 3, 3))
PRED = GT + RANDOM.normal(size=GT.shape)
COUNTED = RANDOM.random((30, 3)) < 0.8
ACTION = np.arange(30) // 8


def add(smoothness, rows, found):
    rows = rows[FRAME[rows] % smoothness.step == 0]
    frames = Frames(PRED[rows], GT[rows], COUNTED[rows], ACTION[rows])
    collect(smoothness.add(SEQUENCE[rows], FRAME[rows], frames), found)


def collect(differences, found):
    for name, (errors, sequence, action) in differences.items():
        for values, *key in zip(errors, sequence, action, strict=True):
            for value in values[np.isfinite(values)]:
                found.append((name, *map(int, key), round(float(value), 9)))


def expected(step=1):
    """Frame by frame, from the definition."""
    place = {(s, f): i for i, (s, f) in enumerate(zip(SEQUENCE, FRAME, strict=True))}
    found = []
    for (s, f), i in place.items():
        for name, weights in (("mpjve", (1, -1)), ("acceleration", (1, -2, 1))):
            rows = [place.get((s, f - step * back)) for back in range(len(weights))]
            if None in rows or f % step:
                continue
            difference = sum(w * (PRED[row] - GT[row]) for w, row in zip(weights, rows, strict=True))
            for keypoint in np.flatnonzero(COUNTED[rows].all(0)):
                value = round(float(np.linalg.norm(difference[keypoint])), 9)
                found.append((name, int(s), int(ACTION[i]), value))
    return sorted(found)


@pytest.mark.parametrize("step", [1, 2])
def test_in_order(step):
    found = []
    add(Smoothness(step), np.arange(30), found)
    assert {row[0] for row in found} == {"mpjve", "acceleration"}
    assert sorted(found) == expected(step)


@given(st.permutations(range(30)), st.lists(st.integers(0, 30), max_size=12), st.integers(1, 2))
def test_any_order_and_any_batches_find_every_neighbour_once(order, cuts, step):
    smoothness, found = Smoothness(step), []
    for rows in np.split(np.array(order), sorted(cuts)):
        add(smoothness, rows, found)
    # All again: nothing is new.
    add(smoothness, np.arange(30), found)
    assert sorted(found) == expected(step)
    # Frames of one stretch that became one: the outer two on each side are kept.
    kept = {sequence: len(stretches) for sequence, stretches in smoothness.stretches.items() if stretches}
    assert kept == ({0: 1, 1: 1, 2: 1, 3: 7} if step == 1 else {0: 1, 2: 1, 3: 1})
    assert all(len(stretch.head.pred) <= 2 for stretches in smoothness.stretches.values() for stretch in stretches)


@given(st.lists(st.integers(0, 2), min_size=30, max_size=30))
def test_processes_are_stitched_at_their_edges(owner):
    parts, found = [], []
    for rank in range(3):
        smoothness = Smoothness()
        for rows in np.array_split(np.flatnonzero(np.array(owner) == rank), 2):
            add(smoothness, rows, found)
        parts.append(smoothness)
    for other in parts[1:]:
        collect(parts[0].merge(other), found)
    assert parts[0].problem is None
    assert sorted(found) == expected()


def test_overlapping_processes_give_no_figures():
    first, second = Smoothness(), Smoothness()
    add(first, np.arange(0, 12), [])
    add(second, np.arange(8, 20), [])
    first.merge(second)
    assert first.problem == OVERLAP
    assert first.add(SEQUENCE[:2], FRAME[:2], Frames(PRED[:2], GT[:2], COUNTED[:2], ACTION[:2])) == {}


def test_equals_videopose3d(reference_dir):
    with np.load(reference_dir / "metrics.npz", allow_pickle=False) as file:
        pred, gt = file["basic/pred"][0], file["basic/gt"][0]
        theirs = file["basic/velocity_VideoPose3D_m_per_frame"]
    frames = Frames(pred, gt, np.ones(pred.shape[:2], bool), np.zeros(len(pred), int))
    found = Smoothness().add(np.zeros(len(pred), int), np.arange(len(pred)), frames)
    assert found["mpjve"].errors.mean() == pytest.approx(theirs, rel=1e-6)
