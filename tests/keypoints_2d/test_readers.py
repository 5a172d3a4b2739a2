import json_tricks
import mmengine
import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.structures import split_instances

from mpm_mmpose.readers.keypoints_2d import find_keypoint_files, read_keypoints_2d
from mpm_mmpose.readers.track_ids import settle_ids


def check(detections, layouts, number, absent=(), first=0, body=None):
    """Frames, keypoints and scores are what was written, frame by frame."""
    keypoints, scores = layouts.make_people(number)
    frames, people = np.array([(f, p) for f in range(12) for p in range(2) if (f, p) not in absent]).T
    np.testing.assert_array_equal(detections.frames, frames + first)
    np.testing.assert_allclose(detections.keypoints, keypoints[people, frames][:, :body], rtol=1e-6)
    np.testing.assert_allclose(detections.scores, scores[people, frames][:, :body], rtol=1e-6)
    return people


ABSENT = ((3, 0), (5, 0), (5, 1))


@pytest.mark.parametrize("track", [False, True])
@pytest.mark.parametrize("demo", [False, True])
def test_mmpose(write, layouts, demo, track):
    make = layouts.mmpose_demo if demo else layouts.mmpose_frames
    (detections,) = read_keypoints_2d(write(make(absent=ABSENT, track=track)))
    people = check(detections, layouts, 17, ABSENT, first=1)
    assert (detections.name, detections.keypoint_set, detections.width) == ("video", "coco_17", 0)
    np.testing.assert_array_equal(detections.tracks, people + 5 if track else None)
    boxes = [layouts.box_of(pose) for pose in detections.keypoints]
    np.testing.assert_allclose(detections.boxes, boxes, rtol=1e-6)


@pytest.mark.parametrize(
    ("dataset", "number", "keypoint_set", "body"),
    [("halpe26", 26, "halpe_26", 26), ("coco_wholebody", 133, "coco_17", 17), ("h36m", 17, "h36m_17", 17)],
)
def test_mmpose_sets(write, layouts, dataset, number, keypoint_set, body):
    (detections,) = read_keypoints_2d(write(layouts.mmpose_demo(dataset, number)))
    assert detections.keypoint_set == keypoint_set
    check(detections, layouts, number, first=1, body=body)


def test_mmpose_with_what_ours_say_more(write, layouts):
    content = layouts.mmpose_demo(absent=ABSENT)
    times = [0.1, 0.15, 0.3, *np.arange(4, 13).tolist()]
    for frame, time in zip(content["instance_info"], times, strict=True):
        frame["time"] = time
    (found,) = read_keypoints_2d(write(content))
    check(found, layouts, 17, ABSENT)  # counted from 0, as the times are
    np.testing.assert_array_equal(found.times, times)
    assert (found.width, found.height) == (0, 0) and found.fps == pytest.approx(1)
    content["meta_info"].update(fps=29.97, image_size=[640, 480], keypoint_set="h36m_17")
    (found,) = read_keypoints_2d(write(content))
    assert (found.width, found.height, found.fps, found.keypoint_set) == (640, 480, 29.97, "h36m_17")
    (found,) = read_keypoints_2d(write(content), keypoint_set="coco_17")
    assert found.keypoint_set == "coco_17"


@pytest.mark.parametrize("track", [False, True])
def test_coco(write, layouts, track):
    (detections,) = read_keypoints_2d(write(layouts.coco_results(absent=ABSENT, track=track)))
    people = check(detections, layouts, 17, ABSENT)
    np.testing.assert_array_equal(detections.tracks, people + 1 if track else None)
    assert detections.keypoint_set == "coco_17" and np.isnan(detections.boxes).all()


@pytest.mark.parametrize(
    ("number", "keypoint_set", "body"),
    [(17, "coco_17", 17), (26, "halpe_26", 26), (133, "coco_17", 17), (136, "halpe_26", 26)],
)
@pytest.mark.parametrize("track", [False, True])
def test_alphapose(write, layouts, number, keypoint_set, body, track):
    """Without a tracker everybody has the idx 0."""
    (detections,) = read_keypoints_2d(write(layouts.alphapose_results(number, track=track)))
    people = check(detections, layouts, number, body=body)
    np.testing.assert_array_equal(settle_ids(detections).tracks, people + 1 if track else None)
    assert detections.keypoint_set == keypoint_set
    poses = layouts.make_people(number)[0]
    np.testing.assert_allclose(detections.boxes[:2], [layouts.box_of(pose) for pose in poses[:, 0]], rtol=1e-6)


@pytest.mark.parametrize("demo", [False, True])
def test_written_by_mmpose_itself(tmp_path, layouts, demo):
    """What MMPose's own functions make of its predictions, dumped as its demos and its inferencers do."""
    poses, scores = layouts.make_people(17)
    frames = []
    for frame in range(12):
        boxes = np.array([layouts.box_of(pose) for pose in poses[:, frame]])
        found = dict(keypoints=poses[:, frame], keypoint_scores=scores[:, frame], bboxes=boxes, bbox_scores=np.ones(2))
        frames.append(dict(frame_id=frame + demo, instances=split_instances(InstanceData(**found))))
    path = tmp_path / "video.json"
    if demo:
        meta = parse_pose_metainfo(dict(from_file=f"{layouts.configs}/coco.py"))
        with open(path, "w") as file:
            json_tricks.dump(dict(meta_info=meta, instance_info=frames), file, indent="\t")
    else:
        mmengine.dump(frames, path, indent="  ")
    (detections,) = read_keypoints_2d(path)
    check(detections, layouts, 17, first=int(demo))
    assert detections.keypoint_set == "coco_17" and detections.tracks is None


def test_several_videos_in_a_file(write, layouts):
    content = layouts.alphapose_results(video="walk/") + layouts.alphapose_results(video="run_", absent=ABSENT)
    first, second = read_keypoints_2d(write(content), "takes")
    assert (first.name, second.name) == ("takes/walk", "takes/run")
    check(first, layouts, 17)
    check(second, layouts, 17, ABSENT)


@pytest.mark.parametrize("track", [False, True])
def test_openpose(tmp_path, layouts, track):
    folder = layouts.write_openpose(tmp_path / "walk", absent=ABSENT, track=track)
    (detections,) = read_keypoints_2d(folder)
    people = check(detections, layouts, 25, ABSENT)
    np.testing.assert_array_equal(detections.tracks, people if track else None)
    assert (detections.name, detections.keypoint_set) == ("walk", "body_25")
    layouts.write_openpose(folder, video="run")
    assert [d.name for d in read_keypoints_2d(folder)] == ["walk/run", "walk/walk"]


def test_videopose3d(tmp_path, layouts):
    found = read_keypoints_2d(layouts.write_videopose3d(tmp_path / "data_2d_custom_my.npz"), "my")
    assert [d.name for d in found] == ["my/video_0.mp4", "my/video_1.mp4"]
    for detections, poses in zip(found, layouts.make_people(17)[0], strict=True):
        np.testing.assert_allclose(detections.keypoints, poses, rtol=1e-6)
        assert (detections.scores == 1).all() and (detections.tracks == 0).all()
        assert detections.frames.tolist() == list(range(12))
        assert (detections.width, detections.height, detections.keypoint_set) == (1280, 720, "coco_17")


def test_finding(tmp_path, write, layouts):
    openpose = layouts.write_openpose(tmp_path / "a" / "openpose") if (tmp_path / "a").mkdir() is None else None
    results, custom = write([], "b/results_x.json"), layouts.write_videopose3d(tmp_path / "custom.npz")
    (tmp_path / "b" / "notes.txt").touch()
    assert find_keypoint_files([tmp_path, results]) == [openpose, results, custom]
    assert find_keypoint_files([next(openpose.iterdir())]) == [openpose]
    assert find_keypoint_files([tmp_path], "coco") == [results]
    assert find_keypoint_files([tmp_path], "videopose3d") == [custom]
    with pytest.raises(ValueError, match=f"{tmp_path / 'b'}: holds no .* files of format 'openpose'"):
        find_keypoint_files([tmp_path / "b"], "openpose")
    with pytest.raises(FileNotFoundError, match="nowhere: does not exist; give what a 2D detector wrote"):
        find_keypoint_files([tmp_path / "nowhere"])
    with pytest.raises(ValueError, match="format 'pdf' is not known; use auto, mmpose, coco"):
        find_keypoint_files([tmp_path], "pdf")


def test_people_and_keypoints_that_were_not_found(write, layouts):
    content = layouts.coco_results()
    content[0]["keypoints"] = [0.0] * 51  # nobody
    content[1]["keypoints"][:3] = [0.0, 0.0, 0.0]
    content[2]["keypoints"][2] = -0.1
    (detections,) = read_keypoints_2d(write(content))
    assert len(detections) == 23 and detections.scores[:2, 0].tolist() == [0, 0]
