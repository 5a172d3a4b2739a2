import numpy as np
import pytest
import torch

from mpm_mmpose.evaluation.pose_reader import PoseReader
from mpm_mmpose.evaluation.protocol import get_protocol
from mpm_mmpose.pose.keypoints import H36M_17

from .conftest import META, sample_of

GT = np.random.default_rng(0).normal(size=(6, 17, 3)).astype(np.float32)


def reader(meta=META, keypoint_set=None, masked_keypoints=(), **options):
    return PoseReader(meta, get_protocol("plain", **options), keypoint_set, masked_keypoints)


def test_target_frames_and_whole_windows_are_read_alike():
    fields = dict(window=[3, 4], sequence=[1, 2], action=[0, 1])
    single = reader().read([sample_of(GT[:2], GT[:2] + 1, frame=[7, 8], **fields)])
    assert single.pred.shape == single.gt.shape == (2, 1, 17, 3)
    assert single.frame.tolist() == [[7], [8]] and single.sequence.tolist() == [[1], [2]]
    windows = reader().read(
        [sample_of(GT.reshape(2, 3, 17, 3), GT.reshape(2, 3, 17, 3), frame=[[1, 2, 3]] * 2, **fields)]
    )
    flat = windows.flat()
    np.testing.assert_array_equal(flat.pred, GT)
    assert flat.frame.tolist() == [1, 2, 3] * 2
    assert flat.sequence.tolist() == [1, 1, 1, 2, 2, 2] and flat.action.tolist() == [0, 0, 0, 1, 1, 1]
    assert flat.window.tolist() == [3, 3, 3, 4, 4, 4]
    assert flat.counted.shape == (6, 17) and flat.counted.all() and flat.masked is None
    assert flat.take(flat.frame == 2).window.tolist() == [3, 4]


def test_the_activity_may_change_within_a_window():
    fields = dict(sequence=[0], action=[[0, 0, 2]])
    flat = reader().read([sample_of(GT[None, :3], GT[None, :3], **fields)]).flat()
    assert flat.action.tolist() == [0, 0, 2]
    # A sequence without frame numbers still tells the frames of one recording from another's.
    assert flat.sequence.tolist() == [0, 0, 0] and flat.frame is None


def test_many_samples_are_one_batch():
    samples = [sample_of(GT[i : i + 2], GT[i : i + 2], action=[0, 1], window=[i, i + 1]) for i in (0, 2, 4)]
    batch = reader().read(samples)
    np.testing.assert_array_equal(batch.pred[:, 0], GT)
    assert batch.sample.tolist() == [0, 0, 1, 1, 2, 2]
    samples[1]["gt_instances"].pop("window")
    with pytest.raises(ValueError, match="differ in the shape of 'window', or not all have it"):
        reader().read(samples)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_any_precision_is_read(dtype):
    batch = reader().read([sample_of(GT, GT, action=[0] * 6)])
    sample = sample_of(GT, GT, action=[0] * 6)
    sample["pred_instances"]["keypoints"] = torch.from_numpy(GT).to(dtype).requires_grad_()
    np.testing.assert_allclose(reader().read([sample]).pred, batch.pred, rtol=1e-2)


def test_actions_of_mmpose_are_in_the_name_of_the_image():
    there = reader(dict(dataset_name="h36m"), keypoint_set="h36m_17")
    samples = [
        dict(sample_of(GT[:1], GT[:1]), target_img_path=path)
        for path in (["S9/x/S9_Walking_1.54138969_000001.jpg"], "S11_Eating.55011271_000001.jpg")
    ]
    assert there.read(samples).action.tolist() == [[0], [1]]
    assert there.read(samples[1:]).action.tolist() == [[1]]
    assert there.actions == ["Walking", "Eating"]


def test_the_root_is_put_at_0_or_subtracted():
    moved = GT + np.float32([1, 2, 3])
    subtracted = reader(root_alignment="subtracted").read([sample_of(moved, GT, action=[0] * 6)])
    np.testing.assert_allclose(subtracted.pred[:, 0], GT - GT[:, :1], atol=1e-6)
    zeroed = reader(root_alignment="zeroed").read([sample_of(moved, GT, action=[0] * 6)])
    assert (zeroed.pred[:, :, 0] == 0).all() and (zeroed.gt[:, :, 0] == 0).all()
    np.testing.assert_array_equal(zeroed.pred[:, 0, 1:], moved[:, 1:])
    assert (moved[:, 0] != 0).all()
    visible = np.ones((6, 17), bool)
    visible[2, 0] = False
    with pytest.raises(ValueError, match="marks the root of a pose as invisible"):
        reader(root_alignment="zeroed").read([sample_of(moved, GT, action=[0] * 6, lifting_target_visible=visible)])


def test_masked_pattern_by_name():
    batch = reader(masked_keypoints=("right_arm", "pelvis")).read([sample_of(GT, GT, action=[0] * 6)])
    names = {H36M_17.names[i] for i in np.flatnonzero(batch.masked[3, 0])}
    assert names == {"right_shoulder", "right_elbow", "right_wrist", "pelvis"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (dict(action=[3] * 6), "gt_instances.action holds 3 to 3; the data set names 3"),
        (dict(action=[0] * 6, sequence=[-1] * 6), "gt_instances.sequence holds -1 to -1"),
        (dict(action=[0] * 6, frame=[[0, 1]] * 6, sequence=[0] * 6), r"gt_instances.frame has shape \(6, 2\)"),
        (dict(action=[0] * 6, masked=np.zeros((6, 16), bool)), r"gt_instances.masked has shape \(6, 16\)"),
    ],
)
def test_fields_that_do_not_fit_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        reader().read([sample_of(GT, GT, **fields)])


def test_windows_need_the_number_of_every_frame():
    windows = GT.reshape(2, 3, 17, 3)
    with pytest.raises(ValueError, match=r"gt_instances.frame has shape \(2,\)"):
        reader().read([sample_of(windows, windows, action=[0, 1], sequence=[0, 0], frame=[0, 3])])


def test_poses_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"pred_instances.keypoints \(6, 16, 3\) and .* \(6, 17, 3\)"):
        reader().read([sample_of(GT[:, 1:], GT)])
    with pytest.raises(ValueError, match="has 16 keypoints, the data set's h36m_17 17"):
        reader().read([sample_of(GT[:, 1:], GT[:, 1:])])


def test_options_that_need_what_the_data_lack_are_refused():
    unnamed = dict(actions=META["actions"])
    with pytest.raises(ValueError, match="metainfo has no 'keypoint_set'"):
        reader(unnamed, root=False)
    with pytest.raises(ValueError, match="masked_keypoints: the data set does not name its keypoints"):
        reader(unnamed, masked_keypoints=["nose"])
    with pytest.raises(ValueError, match="'common_16', but the data set's keypoints are 'h36m_17'"):
        reader(keypoint_set="common_16")
    with pytest.raises(ValueError, match="block_list: the data set's metainfo has no 'sequences'"):
        reader(unnamed, block_list="S9*")
    with pytest.raises(ValueError, match="block_list: the samples have no gt_instances.sequence"):
        reader(block_list="S9*").read([sample_of(GT, GT, action=[0] * 6)])
    with pytest.raises(ValueError, match="frame_step: the samples have no gt_instances.sequence and frame"):
        reader(frame_step=2).read([sample_of(GT, GT, action=[0] * 6)])
    with pytest.raises(KeyError, match="keypoint set 'h36m' is not known"):
        reader(dict(META) | {"keypoint_set": "h36m"})
