import numpy as np
import pytest
from PIL import Image

from mpm_mmpose.pose.keypoints import H36M_17
from mpm_mmpose.visualization.upright import flatten
from studies.quickstart.clips import _viewer, draw_clips
from studies.quickstart.synthetic_motion import generate_motion


@pytest.mark.parametrize("turn", [0.0, 1.0, 2.5, -2.0])
def test_viewer_sees_the_person_from_the_front(turn):
    pose = generate_motion("turning", 1.0, 30, 0).keypoints_3d[0]
    c, s = np.cos(turn), np.sin(turn)
    pose = pose @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])
    flat = flatten(pose, _viewer(pose, H36M_17))
    # Seen from the front, the person's left is on the right of the picture.
    assert flat[H36M_17.index("left_hip"), 0] > flat[H36M_17.index("right_hip"), 0]
    assert flat[H36M_17.index("head_top"), 1] > flat[H36M_17.index("left_ankle"), 1]


def test_a_row_a_clip(tmp_path):
    clips = [generate_motion(kind, 1.0, 30, 0) for kind in ("walking", "sitting")]
    one = Image.open(draw_clips(clips[:1], tmp_path / "a.png", frames=3))
    two = Image.open(draw_clips(clips, tmp_path / "b.png", frames=3))
    assert two.width == one.width and two.height == pytest.approx(one.height + 250, abs=2)


def test_no_clip_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="give at least one clip"):
        draw_clips([], tmp_path / "a.png")
