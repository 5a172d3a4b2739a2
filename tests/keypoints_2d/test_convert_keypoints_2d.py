import numpy as np
import pytest

from mpm_mmpose.converters.keypoints_2d import convert_keypoints_2d
from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data import PoseStore
from mpm_mmpose.pose.keypoints import H36M_17
from studies.quickstart.synthetic_motion import generate_motion

OPTIONS = dict(fps=25, width=1000, height=500, progress=False)


def test_every_format_in_one_store(tmp_path, write, layouts):
    write(layouts.mmpose_demo(), "in/results_demo.json")
    write(layouts.coco_results(absent=[(5, 0)]), "in/results.json")
    write(layouts.alphapose_results(26), "in/run/alphapose-results.json")
    layouts.write_openpose(tmp_path / "in" / "openpose")
    layouts.write_videopose3d(tmp_path / "in" / "data_2d_custom_my.npz")
    report = convert_keypoints_2d([tmp_path / "in"], tmp_path / "store", min_frames=6, **OPTIONS)
    store = PoseStore(tmp_path / "store")
    assert store.names == (
        "data_2d_custom_my/video_0.mp4.person0.0",
        "data_2d_custom_my/video_1.mp4.person0.0",
        "openpose.person0.0",
        "openpose.person1.0",
        "results.person1.6",  # 5 frames before the gap are too few
        "results.person2.0",
        "demo.person0.1",
        "demo.person1.1",
        "alphapose-results.person1.0",
        "alphapose-results.person2.0",
    )
    assert (report.clips, report.frames, report.too_short, report.skipped) == (10, 9 * 12 + 6, 1, [])
    assert store.keypoints_3d is None and store.keypoint_set == "h36m_17" and set(store.fps) == {25}
    assert store.widths.tolist() == [1280, 1280] + [1000] * 8
    assert store.meta["made_by"] == "tools/dataset_converters/keypoints_2d.py" and store.meta["files"] == 5
    (people, scores), nose = layouts.make_people(25), H36M_17.index("nose")
    sequence = store.sequence(3)
    np.testing.assert_allclose(sequence.keypoints[:, nose], people[1, :, 0], rtol=1e-6)
    np.testing.assert_allclose(sequence.keypoint_scores[:, nose], scores[1, :, 0], rtol=1e-6)


def test_files_of_one_name(tmp_path, write, layouts):
    for folder in ("a", "b"):
        write(layouts.alphapose_results(people=1), f"in/{folder}/alphapose-results.json")
    convert_keypoints_2d([tmp_path / "in"], tmp_path / "store", **OPTIONS)
    names = [f"{folder}/alphapose-results.person1.0" for folder in ("a", "b")]
    assert list(PoseStore(tmp_path / "store").names) == names


def test_bad_files_leave_no_store_or_are_listed(tmp_path, write, layouts):
    write(layouts.coco_results(), "in/good.json")
    bad = write(layouts.coco_results(14), "in/bad.json")
    with pytest.raises(ValueError, match="bad.json: has 14 keypoints per person"):
        convert_keypoints_2d([tmp_path / "in"], tmp_path / "store", **OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    report = convert_keypoints_2d([tmp_path / "in"], tmp_path / "store", skip_bad=True, **OPTIONS)
    ((file, reason),) = report.skipped
    assert file == str(bad) and reason.startswith(f"{bad}: has 14 keypoints") and report.clips == 2
    assert PoseStore(tmp_path / "store").meta["skipped"] == [[file, reason]]
    with pytest.raises(ValueError, match="nothing is left of 1 files, 1 skipped; the last: .*14 keypoints"):
        convert_keypoints_2d([bad], tmp_path / "other", skip_bad=True, **OPTIONS)


def test_single_images(tmp_path, write, layouts):
    content = [row | dict(image_id=row["image_id"] ** 2) for row in layouts.coco_results(track=False)]
    with pytest.raises(ValueError, match="nobody is followed for 10 frames, 2. stretches are shorter; ask for fewer"):
        convert_keypoints_2d([write(content)], tmp_path / "store", **OPTIONS)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("keypoint_set", ["auto", "h36m_17"])
def test_keypoints_of_another_order_are_noted(tmp_path, write, keypoint_set):
    (sequence,) = project_views(generate_motion("walking", 2, 10, 0), cameras=1)
    content = [
        dict(image_id=frame, keypoints=np.c_[pose, np.full(17, 90.0)].ravel().tolist(), track_id="Anna")
        for frame, pose in enumerate(sequence.keypoints.astype(float))
    ]
    options = dict(fps=10, width=sequence.width, height=sequence.height, progress=False)
    path = write(content, "walk.json")
    report = convert_keypoints_2d([path], tmp_path / "store", keypoint_set=keypoint_set, **options)
    assert PoseStore(tmp_path / "store").names == ("walk.personAnna.0",)
    order = "walk: by their proportions these keypoints are h36m_17, and not coco_17 (--keypoint-set overrules it)"
    scores = "walk: scores reach 90: they are taken for per cent"
    assert report.notes == ([order, scores] if keypoint_set == "auto" else [scores])


def test_every_second_frame_is_half_the_rate_and_a_size_that_is_right_stays(tmp_path, write, layouts):
    content = [row | dict(image_id=2 * row["image_id"]) for row in layouts.coco_results()]
    convert_keypoints_2d([write(content)], tmp_path / "store", **OPTIONS)
    assert set(PoseStore(tmp_path / "store").fps) == {12.5}
