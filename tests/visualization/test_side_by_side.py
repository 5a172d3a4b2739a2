import os

import cv2
import numpy as np
import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.pose.scene import LiftedPerson
from mpm_mmpose.visualization.side_by_side import GHOST, SideBySide, give_cells, write_side_by_side
from mpm_mmpose.visualization.strokes import PALETTE, colour_of
from studies.quickstart.synthetic_motion import generate_motion


@pytest.fixture(scope="module")
def clip():
    return next(project_views(generate_motion("waving", 1.0, 30, 0), cameras=1))


def person(clip, identity="0", frames=None, **changes):
    frames = np.arange(30) if frames is None else np.array(frames)
    poses = clip.keypoints_3d - clip.keypoints_3d[:, :1]
    values = dict(
        name=identity,
        frames=frames,
        keypoints_2d=clip.keypoints[frames],
        scores_2d=np.ones((len(frames), 17)),
        keypoint_set_2d="h36m_17",
        keypoints_3d=poses[frames],
        keypoint_set="h36m_17",
        masked=np.zeros((len(frames), 17), bool),
    )
    return LiftedPerson(**values | changes)


def has(image, colour) -> bool:
    return bool((np.abs(image.astype(int) - colour).sum(-1) < 8).any())


def test_left_2d_right_3d_in_the_colour_of_the_id(clip):
    drawing = SideBySide([person(clip, "1")], clip.width, clip.height)
    image = drawing.draw(3, None, 0.1)
    width, height = drawing.size
    assert image.shape == (height, width, 3) and width % 2 == height % 2 == 0
    assert drawing.left == (round(540 * clip.width / clip.height), 540)
    for side in (image[:, : drawing.left[0]], image[:, drawing.left[0] :]):
        assert has(side, PALETTE[1]) and not has(side, PALETTE[0])


def test_the_canvas_stays(clip):
    """What nobody moves over is the same in all frames, whichever people are there."""
    drawing = SideBySide([person(clip), person(clip, "1", range(10, 20))], 1920, 1080)
    images = np.stack([drawing.draw(frame, None, 0.0)[:, drawing.left[0] :] for frame in (0, 15, 29)])
    assert drawing.left[0] == 960 and drawing.columns == 2
    empty = drawing.draw(99, None, 0.0)[:, 960:]
    floor = (empty != 250).any(-1)
    assert floor.sum() > 1000
    assert (images[:, floor] == empty[floor]).all(-1).mean() > 0.9


def test_a_metre_is_the_same_for_everybody_and_all_is_inside(clip):
    drawing = SideBySide([person(clip)], 1000, 1000)
    flat = drawing._place(drawing._flat[0], (drawing.left[0], 0))
    assert (flat >= (drawing.left[0], 0)).all() and (flat <= (drawing.size[0], 540)).all()
    two = SideBySide([person(clip), person(clip, "1")], 1000, 1000)
    assert two._metres == drawing._metres and two.cell == 540


def test_one_wild_frame_does_not_make_everybody_tiny(clip):
    poses = clip.keypoints_3d - clip.keypoints_3d[:, :1]
    long = np.tile(poses, (20, 1, 1))
    usual = SideBySide([person(clip, frames=range(30))], 1000, 1000)._metres
    long[7] *= 50
    frames = np.arange(600)
    wild = person(
        clip,
        frames=range(30),
        keypoints_3d=long,
        masked=np.zeros((600, 17), bool),
    )
    object.__setattr__(wild, "frames", frames)
    assert SideBySide([wild], 1000, 1000)._metres == pytest.approx(usual, rel=0.1)


def test_masked_keypoints_are_thin_and_ground_truth_is_grey_with_the_error(clip, monkeypatch):
    drawing = SideBySide([person(clip)], 1000, 1000)
    whole = drawing.draw(0, None, 0.0)
    masked = SideBySide([person(clip, masked=np.ones((30, 17), bool))], 1000, 1000).draw(0, None, 0.0)
    paint = [(np.abs(image.astype(int) - PALETTE[0]).sum(-1) < 8).sum() for image in (whole, masked)]
    assert paint[1] < 0.8 * paint[0]

    ground_truth = clip.keypoints_3d - clip.keypoints_3d[:, :1]
    with_ground_truth = SideBySide(
        [person(clip, keypoints_3d=ground_truth + (0, 0.03, 0.04), ground_truth=ground_truth)], 1000, 1000
    )
    grey = [(image[:, 540:] == GHOST).all(-1).sum() for image in (with_ground_truth.draw(0, None, 0.0), whole)]
    assert grey[0] > 500 and grey[1] < 50
    labels = []
    monkeypatch.setattr(
        "mpm_mmpose.visualization.side_by_side.write_text", lambda canvas, text, *_: labels.append(text)
    )
    with_ground_truth.draw(0, None, 0.0)
    assert "0: 50 mm (ground truth: grey)" in labels


def test_who_is_somewhere_walks_in_the_room_and_leaves_a_trail(clip):
    walk = np.linspace((-1.0, 0.2, 4.0), (1.0, 0.2, 4.0), 30)
    drawing = SideBySide([person(clip, trajectory=walk), person(clip, "1", trajectory=walk + (0, 0, 1))], 1000, 1000)
    assert drawing.number == 1 and drawing.size[0] == 1080  # both in one room
    first, last = (drawing.draw(frame, None, 0.0)[:, 540:] for frame in (0, 29))

    def middle(image, colour):
        return (np.abs(image.astype(int) - colour).sum(-1) < 8)[:500].nonzero()[1].mean()

    for colour in PALETTE[:2]:
        metre = drawing.cell / drawing._metres
        # Two metres sideways, seen from 30 degrees beside; the trail draws the mean back a little.
        assert 0.6 * 2 * metre < middle(last, colour) - middle(first, colour) < 1.05 * 2 * metre
    assert has(first, PALETTE[0]) and not has(SideBySide([person(clip)], 1000, 1000).draw(99, None, 0.0), PALETTE[0])


def test_without_a_place_of_everybody_each_has_a_cell(clip):
    drawing = SideBySide([person(clip, trajectory=np.zeros((30, 3))), person(clip, "1")], 1000, 1000)
    assert drawing.room is None and drawing.number == 2
    unknown = SideBySide([person(clip, trajectory=np.full((30, 3), np.nan))], 1000, 1000)
    assert unknown.room is None


def test_ground_truth_in_the_room_is_where_the_person_is(clip):
    root = np.tile((0.5, 0.0, 3.0), (30, 1))
    ground_truth = clip.keypoints_3d - clip.keypoints_3d[:, :1] - (0, 0.6, 0)  # above what was lifted
    drawing = SideBySide([person(clip, ground_truth=ground_truth, trajectory=root)], 1000, 1000)
    image = drawing.draw(5, None, 0.0)[:490, 540:].astype(int)
    grey = (image == GHOST).all(-1).nonzero()
    shades = (np.abs(image - np.array(shade)).sum(-1) < 8 for shade in (PALETTE[0], (106, 68, 0)))
    lifted = np.any(list(shades), axis=0).nonzero()
    up = 0.6 * drawing.cell / drawing._metres
    assert np.mean(lifted[0]) - np.mean(grey[0]) == pytest.approx(up, rel=0.2)
    assert np.mean(lifted[1]) == pytest.approx(np.mean(grey[1]), abs=15)


def test_spread_is_a_circle_of_its_size(clip):
    spread = np.zeros((30, 17))
    spread[:, 16] = 0.2
    drawing = SideBySide([person(clip, spread=spread)], 1000, 1000)
    circle = (drawing.draw(0, None, 0.0) != SideBySide([person(clip)], 1000, 1000).draw(0, None, 0.0)).any(-1).nonzero()
    diameter = 2 * 0.2 * drawing.cell / drawing._metres
    assert abs(np.ptp(circle[0]) - diameter) <= 3 and abs(np.ptp(circle[1]) - diameter) <= 3


def test_frames_without_3d_are_left_empty(clip):
    poses = np.full((30, 17, 3), np.nan)
    image = SideBySide([person(clip, keypoints_3d=poses)], 1000, 1000).draw(0, None, 0.0)
    assert has(image[:, :540], PALETTE[0]) and not has(image[:, 540:], PALETTE[0])


def test_cells_are_kept_from_the_first_frame_to_the_last(clip):
    people = [person(clip, str(i), frames) for i, frames in enumerate([range(5, 20), range(0, 10), [11, 12], [25]])]
    assert give_cells(people) == [1, 0, 0, 0]


def test_colours_are_those_of_the_id():
    assert colour_of("0") == PALETTE[0] and colour_of("8") == colour_of("1") == PALETTE[1]
    assert colour_of("anna") == colour_of("anna") in PALETTE
    assert len(set(PALETTE)) == len(PALETTE)


def test_keypoints_that_were_not_found_are_not_drawn(clip):
    for changes in (dict(scores_2d=np.full((30, 17), 0.2)), dict(keypoints_2d=np.full((30, 17, 2), np.nan))):
        left = SideBySide([person(clip, **changes)], 1000, 1000).draw(0, None, 0.0)[:, :540]
        assert not has(left, PALETTE[0])


def test_video_has_every_frame_on_its_image_however_large(tmp_path, clip):
    images = (np.full((4320, 7680, 3), 8 * frame, np.uint8) for frame in range(3))
    done = []
    path = write_side_by_side(
        tmp_path / "a.mp4",
        [person(clip, frames=range(3))],
        [0.0, 0.1, 0.2],
        images,
        fps=10,
        width=7680,
        height=4320,
        progress=lambda *step: done.append(step),
        show=lambda image: done.append(image.shape),
    )
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == 10 and capture.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    corners = [capture.read()[1][500, 900].mean() for _ in range(3)]
    np.testing.assert_allclose(corners, [0, 8, 16], atol=5)
    assert done == [(540, 1500, 3), (1, 3), (540, 1500, 3), (2, 3), (540, 1500, 3), (3, 3)]


def test_video_of_a_variable_rate_shows_every_frame_at_its_time(tmp_path, clip):
    """A pause is stood still, and of what comes quicker than the video's rate the last is seen."""
    times = [0.0, 0.1, 0.62, 0.67, 0.73, 1.0]
    images = [np.full((100, 100, 3), 40 * frame, np.uint8) for frame in range(6)]
    shown = []
    path = write_side_by_side(
        tmp_path / "a.mp4",
        [person(clip, frames=range(6))],
        times,
        images,
        fps=10,
        width=100,
        height=100,
        show=shown.append,
    )
    capture = cv2.VideoCapture(str(path))
    shades = [capture.read()[1][500, 500].mean() for _ in range(11)]
    assert not capture.read()[0] and len(shown) == 5
    np.testing.assert_allclose(shades, [0] + [40] * 5 + [80] + [160] * 3 + [200], atol=5)


def test_a_recording_of_no_frames_is_an_empty_video(tmp_path):
    assert write_side_by_side(tmp_path / "a.mp4", [], [], None, fps=10, width=100, height=100).is_file()


def test_a_video_that_cannot_be_written_leaves_nothing(tmp_path, clip):
    with pytest.raises(OSError, match=r"a\.what: OpenCV cannot write a video there"):
        write_side_by_side(tmp_path / "a.what", [person(clip)], [0.0], None, fps=10, width=10, height=10)
    assert not list(tmp_path.iterdir())


def test_a_video_that_breaks_off_is_not_kept(tmp_path, clip, monkeypatch):
    """OpenCV says nothing of a full disk."""

    class Full:
        def __init__(self, file, *arguments):
            self.file, self.writer = file, VideoWriter(file, *arguments)

        def __getattr__(self, name):
            return getattr(self.writer, name)

        def release(self):
            self.writer.release()
            os.truncate(self.file, os.path.getsize(self.file) // 2)

    VideoWriter = cv2.VideoWriter
    monkeypatch.setattr(cv2, "VideoWriter", Full)
    with pytest.raises(OSError, match=r"a\.mp4: only 0 of 5 frames could be written; is the disk full\?"):
        write_side_by_side(tmp_path / "a.mp4", [person(clip)], np.arange(5) / 10, None, fps=10, width=10, height=10)
    assert not list(tmp_path.iterdir())
