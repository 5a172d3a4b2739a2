import re

import numpy as np
import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.formats import LiftedPerson, Scene
from mpm_mmpose.visualization.paper_figure import draw_figure, frames_to_draw
from studies.quickstart.synthetic_motion import generate_motion


@pytest.fixture(scope="module")
def scene():
    clip = next(project_views(generate_motion("waving", 1.0, 30, 0), cameras=1))
    ground_truth = clip.keypoints_3d - clip.keypoints_3d[:, :1]
    fields = dict(ground_truth=ground_truth, keypoints_2d=clip.keypoints, keypoint_set_2d=clip.keypoint_set)
    people = [
        LiftedPerson("small & <quick>", clip.keypoint_set, np.arange(30), ground_truth + [0, 0, 0.062], **fields),
        LiftedPerson(
            "large",
            clip.keypoint_set,
            np.arange(10, 20),
            (ground_truth + [0.031, 0, 0])[10:20],
            ground_truth=ground_truth[10:20],
        ),
    ]
    return Scene("wave", people, np.arange(30) / 30, 30.0, clip.width, clip.height)


def test_rows_are_frames_and_columns_what_is_known(scene, tmp_path):
    text = draw_figure(scene, tmp_path / "a.svg", [5, 15]).read_text()
    words = re.findall(r">([^<>\n]+)</text>", text)
    assert [word for word in words if word in ("2D input", "small &amp; &lt;quick&gt;", "large", "ground truth")] == [
        "2D input",
        "small &amp; &lt;quick&gt;",
        "large",
        "ground truth",
    ]
    assert [word for word in words if word.startswith("frame")] == ["frame 5", "frame 15"]
    named = draw_figure(scene, tmp_path / "b.svg", [5, 15], ["a", "b"]).read_text()
    assert [word for word in re.findall(r">([^<>\n]+)</text>", named) if word in "ab"] == ["a", "b"]
    assert ">frame" not in named
    # In frame 5 the second method has nothing.
    assert sorted(word for word in words if word.endswith(" mm")) == ["31 mm", "62 mm", "62 mm"]


def test_pdf_is_vector_with_letters(scene, tmp_path):
    data = draw_figure(scene, tmp_path / "a.pdf", [5]).read_bytes()
    assert data.startswith(b"%PDF") and b"/Image" not in data.replace(b"/ImageB /ImageC /ImageI", b"")
    assert b"/FontFile2" in data  # TrueType


def test_without_2d_and_ground_truth_there_are_only_the_predictions(scene, tmp_path):
    bare = Scene("wave", [LiftedPerson("a", "h36m_17", np.arange(30), scene.people[0].keypoints_3d)], scene.times, 30.0)
    text = draw_figure(bare, tmp_path / "a.svg", [5]).read_text()
    assert "2D input" not in text and ">ground truth<" not in text and " mm<" not in text
    with pytest.raises(ValueError, match="nobody"):
        draw_figure(Scene("wave", [], scene.times, 30.0), tmp_path / "b.svg", [5])


def test_frames(scene):
    assert frames_to_draw(scene, None) == [5, 15, 25]
    assert frames_to_draw(scene, [29, 0]) == [29, 0]
    with pytest.raises(ValueError, match="frame -1: wave has frames 0 to 29"):
        frames_to_draw(scene, [-1])
