import numpy as np
import pytest

from mpm_mmpose.converters.noisy_sequence import noisy_sequence
from mpm_mmpose.converters.virtual_camera import CameraRanges, project_views
from mpm_mmpose.readers.motion import Motion
from studies.quickstart.synthetic_motion import generate_motion


@pytest.fixture(scope="module")
def motion():
    return generate_motion("mixed", seconds=2.0, fps=30.0)


def test_errors_are_in_proportion_to_the_person(motion):
    near, far = (
        next(project_views(motion, 1, 0, CameraRanges(distance=(metres, metres), focal=(0.5, 0.5))))
        for metres in (5.0, 15.0)
    )
    sizes, errors = [], []
    for sequence in (near, far):
        noisy = noisy_sequence(sequence, seed=0)
        error = noisy.keypoints - sequence.keypoints
        box = sequence.keypoints.max(1) - sequence.keypoints.min(1)
        sizes.append(np.linalg.norm(box, axis=-1).mean())
        errors.append(np.linalg.norm(error, axis=-1).mean())
        assert np.array_equal(noisy.keypoints_3d, sequence.keypoints_3d)
    assert errors[0] / sizes[0] == pytest.approx(errors[1] / sizes[1], rel=0.01)
    assert 0.01 < errors[0] / sizes[0] < 0.08


def test_errors_depend_on_name_and_seed_alone(motion):
    one, two = project_views(motion, 2, 0)
    assert np.array_equal(noisy_sequence(one, 0).keypoints, noisy_sequence(one, 0).keypoints)
    first, second, other = (
        noisy.keypoints - exact.keypoints
        for noisy, exact in (
            (noisy_sequence(one, 0), one),
            (noisy_sequence(one, 1), one),
            (noisy_sequence(two, 0), two),
        )
    )
    assert not np.allclose(first, second) and not np.allclose(first, other)


@pytest.mark.parametrize("seconds,lengths", [(10, [60]), (2, [60]), (1.5, [30, 30]), (0.7, [20, 20, 20])])
def test_pieces_are_equal_and_nothing_is_lost(motion, seconds, lengths):
    motion = Motion("walk", motion.keypoints_3d[:60], 30.0, subject="s", action="a")
    pieces = motion.pieces(seconds)
    assert [len(piece) for piece in pieces] == lengths
    assert np.array_equal(np.concatenate([piece.keypoints_3d for piece in pieces]), motion.keypoints_3d)
    assert [piece.name for piece in pieces] == (
        ["walk.p0", "walk.p1", "walk.p2"][: len(lengths)] if lengths[1:] else ["walk"]
    )
    assert {(piece.fps, piece.subject, piece.action) for piece in pieces} == {(30.0, "s", "a")}
