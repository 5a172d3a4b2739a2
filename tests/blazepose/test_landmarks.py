import numpy as np
import pytest

from mpm_mmpose.blazepose.landmarks import refine


def test_points_go_to_the_warm_cells_around_them():
    heat = np.full((64, 64, 4), -20.0, np.float32)
    heat[30, 21:23, 0] = 20  # two cells right of the point, equally warm
    heat[10, 10, 1] = 20  # too far away
    heat[30, 22, 2] = -1  # not sure enough
    heat[0, 1, 3] = 20  # at the edge
    points = np.array([[20.5, 30.5], [30.5, 30.5], [20.5, 30.5], [0.5, 0.5]]) / 64
    moved = 64 * refine(points, heat)
    np.testing.assert_allclose(moved, [[21.5, 30], [30.5, 30.5], [20.5, 30.5], [1, 0]], atol=1e-4)


def test_points_outside_stay():
    points = np.array([[-0.01, 0.5], [0.5, 1.0], [1.2, -3]])
    np.testing.assert_array_equal(refine(points, np.full((64, 64, 3), 9.0)), points)


@pytest.mark.parametrize("camera", ["cam01", "cam02"])
def test_the_first_frame_is_as_mediapipe_sees_it(blazepose, motion_dir, camera):
    """Later ones MediaPipe smooths over time, which is not done here."""
    import cv2

    folder = motion_dir / "real"
    if not folder.is_dir():
        pytest.skip("real: not in the folder of shared data")
    expected = np.load(folder / "blazepose.npz")[f"full_{camera}_image"][0]
    _, image = cv2.VideoCapture(str(folder / f"{camera}.mp4")).read()
    found = blazepose.landmarker(image, blazepose.detector(image)[0])
    distance = np.linalg.norm(found.keypoints - expected[:, :2], axis=1)
    assert found.score > 0.9 and np.median(distance) < 4  # of a man 1,000 px high
    np.testing.assert_allclose(found.visibility, expected[:, 3], atol=0.1)
