import numpy as np
import pytest
import torch
from mmengine.model import BaseModel
from mmengine.registry import FUNCTIONS
from mmpose.registry import MODELS
from torch.utils.data import DataLoader

from mpm_mmpose.data import MaskedPoseDataset, PoseSequence, PoseStore, PoseWindowDataset, write_store
from mpm_mmpose.masking import masked_cells
from mpm_mmpose.models import LiftingPreprocessor, PretrainPreprocessor, window_preprocessor
from mpm_mmpose.pose.geometry import project
from mpm_mmpose.pose.keypoints import get_keypoint_set

H36M_INTRINSICS = [2.29, 2.287, 0.025, 0.029, -0.207, 0.2475, -0.003, -0.0009, -0.0014]


def batch_of(size=6, frames=9, keypoints=17) -> dict:
    generator = torch.Generator().manual_seed(1)
    poses = torch.randn(size, frames, keypoints, 3, generator=generator) * 0.4 + torch.tensor([0.3, 0, 5])
    intrinsics = torch.tensor(H36M_INTRINSICS).repeat(size, 1)
    return dict(
        keypoints=project(poses, intrinsics),
        keypoints_3d=poses,
        intrinsics=intrinsics,
        window=torch.arange(100, 100 + size),
        sequence=torch.zeros(size, dtype=torch.long),
        action=torch.arange(size) % 2,
    )


def mirrored(poses, keypoint_set="h36m_17"):
    poses = poses[..., get_keypoint_set(keypoint_set).flip_indices, :].clone()
    poses[..., 0] *= -1
    return poses


@pytest.mark.parametrize("keypoint_set, keypoints", [("h36m_17", 17), ("common_16", 16)])
@pytest.mark.parametrize("training", [False, True])
def test_lifting_batch_travels_as_one_sample(keypoint_set, keypoints, training):
    batch = batch_of(keypoints=keypoints)
    preprocessor = MODELS.build(dict(type="LiftingPreprocessor", keypoint_set=keypoint_set))
    data = preprocessor(batch, training)
    (sample,) = data["data_samples"]
    relative = batch["keypoints_3d"] - batch["keypoints_3d"][:, :, :1]
    assert torch.equal(data["inputs"], batch["keypoints"])
    assert torch.equal(sample.gt_instance_labels.lifting_target_label, relative)
    gt = sample.gt_instances
    assert len(gt) == 6
    assert torch.equal(gt.lifting_target, relative[:, 4])
    assert torch.equal(gt.keypoints, batch["keypoints"][:, 4])
    assert torch.equal(gt.root_depth, batch["keypoints_3d"][:, 4, 0, 2])
    for name in ("intrinsics", "action", "window"):
        assert torch.equal(gt[name], batch[name])
    assert sample.metainfo == dict(flip_indices=list(get_keypoint_set(keypoint_set).flip_indices), target_frame=4)


def test_training_mirrors_whole_samples_about_half_of_the_time():
    batch = batch_of(size=400, frames=3)
    data = LiftingPreprocessor(flip=True)(batch, training=True)
    target = data["data_samples"][0].gt_instance_labels.lifting_target_label
    relative = batch["keypoints_3d"] - batch["keypoints_3d"][:, :, :1]
    flips = data["inputs"][:, 0, 0, 0] == -batch["keypoints"][:, 0, 0, 0]
    assert 0.4 < flips.float().mean() < 0.6
    assert torch.equal(data["inputs"][flips], mirrored(batch["keypoints"][flips]))
    assert torch.equal(data["inputs"][~flips], batch["keypoints"][~flips])
    assert torch.equal(target[flips], mirrored(relative[flips]))
    assert torch.equal(target[~flips], relative[~flips])


def test_mirrored_poses_and_cameras_still_belong_together():
    batch = batch_of(size=40)
    data = LiftingPreprocessor(flip=True)(batch, training=True)
    gt = data["data_samples"][0].gt_instances
    flips = data["inputs"][:, 0, 0, 0] != batch["keypoints"][:, 0, 0, 0]
    assert flips.any() and not flips.all()
    absolute = torch.where(flips[:, None, None], mirrored(batch["keypoints_3d"][:, 4]), batch["keypoints_3d"][:, 4])
    torch.testing.assert_close(project(absolute, gt.intrinsics), gt.keypoints)
    torch.testing.assert_close(absolute - absolute[:, :1], gt.lifting_target)
    expected = torch.tensor(H36M_INTRINSICS) * torch.tensor([1, 1, -1, 1, 1, 1, 1, -1, 1])
    assert torch.equal(gt.intrinsics[flips], expected.expand(int(flips.sum()), 9))


@pytest.mark.parametrize("preprocessor", [LiftingPreprocessor(flip=True), PretrainPreprocessor(flip=True)])
def test_testing_mirrors_nothing_and_leaves_the_training_stream_alone(preprocessor):
    batch = batch_of(size=40)
    state = preprocessor.get_rng_state()
    inputs = preprocessor(batch, training=False)["inputs"]
    poses = inputs["poses_2d"] if isinstance(inputs, dict) else inputs
    assert torch.equal(poses, batch["keypoints"])
    assert torch.equal(preprocessor.get_rng_state(), state)


def flags(preprocessor, steps=3):
    batch = batch_of(size=64, frames=1)
    return torch.stack([preprocessor(batch, True)["inputs"][:, 0, 0, 0] for _ in range(steps)])


def test_streams_are_reproducible_resumable_and_differ_by_seed_and_rank(monkeypatch):
    first = flags(LiftingPreprocessor(flip=True, seed=3))
    assert torch.equal(first, flags(LiftingPreprocessor(flip=True, seed=3)))
    assert not torch.equal(first, flags(LiftingPreprocessor(flip=True, seed=4)))

    stopped, resumed = (LiftingPreprocessor(flip=True, seed=3) for _ in range(2))
    flags(stopped, steps=1)
    resumed.set_rng_state(stopped.get_rng_state())
    assert torch.equal(flags(resumed, steps=2), first[1:])

    monkeypatch.setattr(window_preprocessor, "get_rank", lambda: 1)
    assert not torch.equal(first, flags(LiftingPreprocessor(flip=True, seed=3)))


def test_a_state_of_another_device_is_refused():
    preprocessor = LiftingPreprocessor(flip=True)
    with pytest.raises(ValueError, match="saved on another kind of device"):
        preprocessor.set_rng_state(torch.zeros(16, dtype=torch.uint8))


def test_global_random_state_is_not_touched():
    torch.manual_seed(7)
    state = torch.get_rng_state()
    for preprocessor in (LiftingPreprocessor(flip=True), PretrainPreprocessor(flip=True)):
        preprocessor(batch_of(), True)
        preprocessor(batch_of(), False)
    assert torch.equal(torch.get_rng_state(), state)


def test_pretraining_gets_whole_poses_and_independent_masks():
    # The two data sets are unpaired: other poses in 3D than in 2D.
    batch = dict(keypoints=batch_of()["keypoints"], keypoints_3d=batch_of()["keypoints_3d"].flip(0))
    preprocessor = MODELS.build(dict(type="PretrainPreprocessor", flip=False))
    data = preprocessor(batch, training=True)
    assert data["data_samples"] is None
    inputs = data["inputs"]
    assert torch.equal(inputs["poses_2d"], batch["keypoints"])
    assert torch.equal(inputs["poses_3d"], batch["keypoints_3d"] - batch["keypoints_3d"][:, :, :1])
    for masks in (inputs["masks_2d"], inputs["masks_3d"]):
        assert (masks.frame_mask.sum(-1) == 5).all() and masks.num_visible == 4
        assert (masks.keypoint_mask.sum(-1) == 5).all()
    assert not torch.equal(inputs["masks_2d"].keypoint_mask, inputs["masks_3d"].keypoint_mask)
    again = preprocessor(batch, training=True)["inputs"]
    assert not torch.equal(inputs["masks_2d"].keypoint_mask, again["masks_2d"].keypoint_mask)


def test_pretraining_mirrors_2d_and_3d_independently():
    batch = batch_of(size=200, frames=1)
    inputs = PretrainPreprocessor(flip=True)(batch, training=True)["inputs"]
    relative = batch["keypoints_3d"] - batch["keypoints_3d"][:, :, :1]
    flips_2d = inputs["poses_2d"][:, 0, 0, 0] == -batch["keypoints"][:, 0, 0, 0]
    flips_3d = inputs["poses_3d"][:, 0, 7, 0] == -relative[:, 0, 7, 0]
    assert torch.equal(inputs["poses_2d"][flips_2d], mirrored(batch["keypoints"][flips_2d]))
    assert torch.equal(inputs["poses_3d"][flips_3d], mirrored(relative[flips_3d]))
    assert 0.35 < (flips_2d == flips_3d).float().mean() < 0.65


def test_pretraining_mirrors_the_3d_of_2d_windows_with_them():
    """What the third task lifts to: the same people, mirrored where their 2D is."""
    batch = batch_of(size=40)
    source = batch["keypoints_3d"].clone()
    batch |= dict(source_3d=source, keypoints_3d=source.flip(0))
    unknown = torch.zeros(40, 9, 17, dtype=torch.bool)
    unknown[:, :, 14] = True
    inputs = PretrainPreprocessor(flip=True)(batch | dict(unknown_source=unknown), training=True)["inputs"]
    relative = source - source[:, :, :1]
    flips = inputs["poses_2d"][:, 0, 0, 0] == -batch["keypoints"][:, 0, 0, 0]
    assert flips.any() and not flips.all()
    assert torch.equal(inputs["target_lift"], torch.where(flips[:, None, None, None], mirrored(relative), relative))
    assert torch.equal(~inputs["known_lift"][:, 0, 11], flips) and torch.equal(inputs["known_lift"][:, 0, 14], flips)
    plain = PretrainPreprocessor()(batch, training=False)["inputs"]
    assert plain["known_lift"] is None and torch.equal(plain["target_lift"], relative)
    del batch["source_3d"]
    assert "target_lift" not in PretrainPreprocessor()(batch, training=False)["inputs"]


def test_validation_masks_are_the_same_every_time_and_on_every_rank(monkeypatch):
    def draw(preprocessor):
        return preprocessor(batch_of(), training=False)["inputs"]

    preprocessor = PretrainPreprocessor()
    first = draw(preprocessor)
    preprocessor(batch_of(), training=True)
    second = draw(preprocessor)
    monkeypatch.setattr(window_preprocessor, "get_rank", lambda: 1)
    third = draw(PretrainPreprocessor())
    for other in (second, third):
        for name in ("masks_2d", "masks_3d"):
            assert torch.equal(first[name].frame_mask, other[name].frame_mask)
            assert torch.equal(first[name].keypoint_mask, other[name].keypoint_mask)
    assert not torch.equal(first["masks_2d"].frame_mask, first["masks_3d"].frame_mask)


MASKINGS = (
    dict(type="spatio_temporal"),
    dict(type="temporal", ratio=0.5),
    dict(type="spatial", ratio=0.5),
    dict(type="tube", patterns=[1, 2, ["left_arm"]], stretch=(1, 5)),
)


@pytest.mark.parametrize("masking", MASKINGS, ids=lambda masking: masking["type"])
def test_what_a_test_hides_of_a_window_does_not_depend_on_the_batch(masking):
    """Table 3's random rows are as many masks as there are windows, the same ones at any batch size."""
    whole = batch_of(size=12)
    parts = [{name: value[rows] for name, value in whole.items()} for rows in (slice(0, 5), slice(5, 12))]
    lifting = LiftingPreprocessor(masking=masking)
    masked = torch.cat([lifting(part)["inputs"].isnan().any(-1) for part in parts])
    assert torch.equal(lifting(whole)["inputs"].isnan().any(-1), masked)
    assert len(masked.flatten(1).unique(dim=0)) > 2
    pretraining = PretrainPreprocessor(masking=masking)
    for size in (2, 3):
        cells = [masked_cells(pretraining(part)["inputs"][f"masks_{size}d"], 17) for part in parts]
        assert torch.equal(masked_cells(pretraining(whole)["inputs"][f"masks_{size}d"], 17), torch.cat(cells))


def test_test_masks_go_with_the_window_and_the_seed():
    batch = batch_of(size=40)
    masking = dict(type="tube", patterns=[1])

    def masked(seed=0, **changes):
        return LiftingPreprocessor(masking=masking, seed=seed)(batch | changes)["inputs"].isnan().any(-1)[:, 0]

    assert torch.equal(masked(), masked()) and not torch.equal(masked(), masked(seed=1))
    assert torch.equal(masked(window=batch["window"].flip(0)), masked().flip(0))
    assert masked().any(0).sum() > 10  # 40 windows with one of 17 keypoints masked each


@pytest.mark.parametrize(
    "masking, share",
    [
        (dict(type="spatio_temporal", masked_keypoints=2, frame_ratio=0.8), 1 - 2 / 9 * 15 / 17),
        (dict(type="spatio_temporal", total_ratio=0.6), 1 - 5 / 9 * 12 / 17),
        (dict(type="temporal", ratio=0.5), 4 / 9),
        (dict(type="spatial", ratio=0.5), 8 / 17),
    ],
)
def test_masking_is_chosen_by_name(masking, share):
    inputs = PretrainPreprocessor(masking=masking)(batch_of(), training=True)["inputs"]
    assert masked_cells(inputs["masks_3d"], 17).float().mean().item() == pytest.approx(share)


def test_an_unknown_strategy_is_refused():
    with pytest.raises(
        ValueError, match=r"type='cube'; choose one of \['spatial', 'spatio_temporal', 'temporal', 'tube'\]"
    ):
        PretrainPreprocessor(masking=dict(type="cube"))


@pytest.mark.parametrize("masking", [None, dict(type="temporal", ratio=0.5)])
def test_what_a_data_set_lacks_is_masked_and_no_target(masking):
    unknown = torch.zeros(6, 9, 17, dtype=torch.bool)
    unknown[:, :, 14] = True  # the right shoulder of every frame
    unknown_3d = torch.zeros(6, 9, 17, dtype=torch.bool)
    unknown_3d[2, 4] = True  # a whole frame
    batch = batch_of() | dict(unknown=unknown, unknown_3d=unknown_3d)
    inputs = PretrainPreprocessor(masking=masking, flip=False)(batch, training=True)["inputs"]
    plain = PretrainPreprocessor(masking=masking, flip=False)(batch_of(), training=True)["inputs"]
    for size, absent in ((2, unknown), (3, unknown_3d)):
        assert torch.equal(inputs[f"known_{size}d"], ~absent) and plain[f"known_{size}d"] is None
        drawn = plain[f"masks_{size}d"].keypoint_mask
        expected = absent if drawn is None else drawn | absent
        assert torch.equal(inputs[f"masks_{size}d"].keypoint_mask, expected)
    flipped = PretrainPreprocessor(flip=True)(batch, training=True)["inputs"]
    right = flipped["known_2d"][:, 0, 11]
    assert (right ^ flipped["known_2d"][:, 0, 14]).all() and right.any() and not right.all()


def test_lifting_gives_no_weight_to_what_a_data_set_lacks():
    unknown = torch.zeros(6, 9, 17, dtype=torch.bool)
    unknown[1, 3:5], unknown[3, :, 9] = True, True
    (sample,) = LiftingPreprocessor()(batch_of() | dict(unknown_3d=unknown), training=True)["data_samples"]
    assert torch.equal(sample.gt_instance_labels.lifting_target_weight, (~unknown).float())
    assert torch.equal(sample.gt_instances.lifting_target_visible, ~unknown[:, 4])
    (plain,) = LiftingPreprocessor()(batch_of(), training=True)["data_samples"]
    assert "lifting_target_weight" not in plain.gt_instance_labels


def test_the_root_is_that_of_the_keypoint_set():
    batch, root = batch_of(), get_keypoint_set("mpi_inf_3dhp_17").index("pelvis")
    gt = LiftingPreprocessor(keypoint_set="mpi_inf_3dhp_17")(batch)["data_samples"][0].gt_instances
    assert root == 14 and torch.equal(gt.root_depth, batch["keypoints_3d"][:, 4, 14, 2])
    assert torch.equal(gt.lifting_target, batch["keypoints_3d"][:, 4] - batch["keypoints_3d"][:, 4, 14:15])
    inputs = PretrainPreprocessor(keypoint_set="mpi_inf_3dhp_17")(batch)["inputs"]
    assert not inputs["poses_3d"][:, :, 14].any() and inputs["poses_3d"][:, :, 0].any()


def test_errors_name_the_field():
    batch = batch_of()
    del batch["keypoints_3d"]
    for preprocessor in (LiftingPreprocessor(), PretrainPreprocessor()):
        with pytest.raises(KeyError, match="needs the field 'keypoints_3d'"):
            preprocessor(batch, training=True)
    with pytest.raises(ValueError, match=r"'keypoints' has shape \(6, 9, 16, 2\).*needs \(B, T, 17, 2\)"):
        LiftingPreprocessor()(batch_of(keypoints=16))
    with pytest.raises(ValueError, match=r"'intrinsics' has shape \(6, 4\).*needs \(B, 9\)"):
        LiftingPreprocessor()(batch_of() | dict(intrinsics=torch.zeros(6, 4)))


def test_leaves_nothing_in_the_checkpoint():
    assert not LiftingPreprocessor().state_dict() and not PretrainPreprocessor().state_dict()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("preprocessor", [LiftingPreprocessor(flip=True), PretrainPreprocessor(flip=True)])
def test_follows_the_model_to_the_gpu_and_never_waits_for_it(preprocessor):
    class Model(BaseModel):
        def forward(self, inputs, data_samples=None, mode="tensor"):
            return inputs

    Model(data_preprocessor=preprocessor).cuda()
    batch = {name: value.pin_memory() for name, value in batch_of().items()}
    preprocessor(batch, True)
    torch.cuda.set_sync_debug_mode("error")
    try:
        inputs = preprocessor(batch, True)["inputs"]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    poses = inputs["poses_2d"] if isinstance(inputs, dict) else inputs
    assert poses.device.type == "cuda" and preprocessor.generator.device.type == "cuda"
    state = preprocessor.get_rng_state()
    expected = preprocessor(batch, True)["inputs"]
    preprocessor.set_rng_state(state)
    again = preprocessor(batch, True)["inputs"]
    for one, other in zip(*(([*x.values()] if isinstance(x, dict) else [x]) for x in (expected, again)), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    def sequence(name, action, frames):
        random = np.random.default_rng(frames)
        poses = (random.normal(size=(frames, 17, 3)) * 0.4 + [0, 0, 5]).astype(np.float32)
        intrinsics = np.array([1145, 1143, 512, 515, -0.2, 0.24, -0.003, -0.0009, -0.001], dtype=np.float32)
        return PoseSequence(
            name=name,
            keypoints_3d=poses,
            keypoints=project(poses, intrinsics),
            intrinsics=intrinsics,
            width=1000,
            height=1002,
            fps=50,
            action=action,
        )

    path = tmp_path_factory.mktemp("stores") / "clips"
    write_store(path, [sequence("short", "Waving", 5), sequence("long", "Walking", 40)])
    return path


def loader_of(dataset):
    return DataLoader(dataset, batch_size=16, num_workers=2, collate_fn=FUNCTIONS.get("keep_batch"))


def test_from_store_to_lifting_inputs(store):
    dataset = PoseWindowDataset(store, window=9)
    preprocessor = LiftingPreprocessor()
    frames = {name: PoseStore(store).sequence(i) for i, name in enumerate(("short", "long"))}
    seen = []
    for batch in loader_of(dataset):
        data = preprocessor(batch)
        gt = data["data_samples"][0].gt_instances
        assert data["inputs"].shape == (len(gt), 9, 17, 2)
        for i, window in enumerate(gt.window.tolist()):
            name, frame = ("short", window) if window < 5 else ("long", window - 5)
            clip = frames[name]
            assert dataset.metainfo["actions"][gt.action[i]] == clip.action
            pose = torch.tensor(clip.keypoints_3d[frame])
            torch.testing.assert_close(gt.lifting_target[i], pose - pose[0])
            torch.testing.assert_close(gt.root_depth[i], pose[0, 2])
            torch.testing.assert_close(project(pose, gt.intrinsics[i]), gt.keypoints[i], atol=1e-5, rtol=1e-5)
            seen.append(window)
    assert seen == list(range(45))


def test_from_store_to_masked_inputs(store):
    dataset = MaskedPoseDataset(dict(store=store, window=9), dict(store=store, window=9, sequences=["long"]))
    preprocessor = PretrainPreprocessor()
    sizes = []
    for batch in loader_of(dataset):
        assert batch["window"].tolist() == list(range(sum(sizes), sum(sizes) + len(batch["window"])))
        inputs = preprocessor(batch, training=True)["inputs"]
        sizes.append(len(inputs["poses_2d"]))
        assert inputs["poses_2d"].shape[1:] == (9, 17, 2) and inputs["poses_3d"].shape[1:] == (9, 17, 3)
        assert inputs["masks_3d"].keypoint_mask.shape == inputs["poses_3d"].shape[:3]
    assert sizes == [16, 16, 13]
