import pickle
from pathlib import Path

import mmpose
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.datasets import Human36mDataset
from mmpose.registry import DATASETS, MODELS

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.data import PoseSequence, PoseStore, PoseStoreMocapDataset, PoseWindowDataset, write_store
from mpm_mmpose.readers.h36m_mmpose import MMPoseFiles

INTRINSICS = np.array([1145, 1143, 512, 515, -0.2, 0.25, -0.003, -0.001, -0.0014], np.float32)
# In the order in which Human36mDataset sorts them.
LENGTHS = {"S1_Directions.54138969": 20, "S1_Waiting_1.55011271": 250, "S9_Walking_1.54138969": 30}


def move(frames, seed):
    """A body that walks about before the camera, and its image; (T, 17, 3) m and (T, 17, 2) px."""
    rng = np.random.default_rng(seed)
    body = rng.normal(0, 0.3, (17, 3)) + np.cumsum(rng.normal(0, 0.01, (frames, 17, 3)), 0)
    poses = (body + [0, 0, 5]).astype(np.float32)
    return poses, poses[..., :2] / poses[..., 2:] * INTRINSICS[:2] + INTRINSICS[2:4]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same motion as a store and as mmpose's files; returns the store and the arguments for Human36mDataset."""
    folder = tmp_path_factory.mktemp("both")
    sequences, names, cameras = [], [], {}
    for seed, (name, frames) in enumerate(LENGTHS.items()):
        poses, image = move(frames, seed)
        subject, action, camera = name.split("_")[0], name.split("_", 1)[1].split(".")[0], name.split(".")[1]
        rotation, translation = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0], np.arange(3.0)
        sequences.append(
            PoseSequence(
                name, poses, image, None, INTRINSICS, rotation, translation, 1000, 1002, 50, subject, action, camera
            )
        )
        names += [f"{subject}/{name}/{name}_{frame + 1:06d}.jpg" for frame in range(frames)]
        fx, fy, cx, cy, k1, k2, k3, p1, p2 = INTRINSICS.astype(float)
        cameras[subject, camera] = dict(
            R=rotation.T,
            T=-rotation.T @ translation[:, None],
            f=np.array([[fx], [fy]]),
            c=np.array([[cx], [cy]]),
            k=np.array([[k1], [k2], [k3]]),
            p=np.array([[p2], [p1]]),
            w=1000,
            h=1002,
            name="camera",
            id=camera,
        )
    write_store(folder / "store", sequences)
    ones = np.ones((sum(LENGTHS.values()), 17, 1))
    np.savez(
        folder / "h36m.npz",
        imgname=np.array(names),
        part=np.concatenate([np.concatenate([s.keypoints for s in sequences]), ones], -1),
        S=np.concatenate([np.concatenate([s.keypoints_3d for s in sequences]), ones], -1),
    )
    (folder / "cameras.pkl").write_bytes(pickle.dumps(cameras))
    return folder / "store", dict(data_root=str(folder), ann_file="h36m.npz", camera_param_file="cameras.pkl")


CUTS = {
    "single": dict(seq_len=1),
    "padded": dict(seq_len=27, causal=False, pad_video_seq=True),
    "padded causal": dict(seq_len=9, causal=True, pad_video_seq=True),
    "padded every third": dict(seq_len=27, seq_step=3, causal=False, pad_video_seq=True),
    "inside": dict(seq_len=9, seq_step=2, causal=False),
    "inside causal": dict(seq_len=9, seq_step=2),
    "many targets": dict(multiple_target=243, multiple_target_step=7),
    "many targets apart": dict(multiple_target=20),
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_same_samples_as_human36m_dataset(both, cut):
    store, files = both
    ours, theirs = PoseStoreMocapDataset(store, **cut), Human36mDataset(**files, **cut)
    assert len(ours) == len(theirs)
    for index in {0, 1, 7, 19, 20, len(ours) // 2, len(ours) - 8, len(ours) - 1} & set(range(len(ours))):
        one, other = ours.get_data_info(index), theirs.get_data_info(index)
        numbers = {"sequence", "frame", "action"}
        assert one.keys() - numbers == other.keys()
        for name in set(one) - {"camera_param", "img_paths", "target_img_path"} - numbers:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)
            assert np.asarray(one[name]).dtype == np.asarray(other[name]).dtype, name
        for name in ("img_paths", "target_img_path"):
            assert list(one[name]) == [Path(path).name for path in other[name]]
        for name in ("f", "c", "k", "p", "R", "T", "w", "h", "id"):
            ours_of, theirs_of = np.asarray(one["camera_param"][name]), np.asarray(other["camera_param"][name])
            assert ours_of.shape == theirs_of.shape, name
            if name == "id":
                assert ours_of == theirs_of
            else:
                np.testing.assert_allclose(ours_of, theirs_of, atol=1e-6)


def test_same_windows_as_window_dataset(both):
    """What our own models see is what mmpose's see: the codec's input and target are ours."""
    store, files = both
    codec = dict(type="VideoPoseLifting", num_keypoints=17, reshape_keypoints=False)
    pipeline = [dict(type="GenerateTarget", encoder=codec), dict(type="PackPoseInputs", meta_keys=("target_root",))]
    init_default_scope("mmpose")
    cut = dict(seq_len=27, seq_step=2, causal=False, pad_video_seq=True)
    windows = PoseWindowDataset(store, window=27, frame_step=2)
    for dataset in (
        PoseStoreMocapDataset(store, **cut, pipeline=pipeline),
        Human36mDataset(**files, **cut, pipeline=pipeline),
    ):
        assert len(dataset) == len(windows)
        for index in (0, 19, 20, 150, len(windows) - 1):
            sample, window = dataset[index], windows[index]
            np.testing.assert_allclose(sample["inputs"], window["keypoints"][0], atol=1e-6)
            target = window["keypoints_3d"][0, 13] - window["keypoints_3d"][0, 13, :1]
            label = sample["data_samples"].gt_instance_labels.lifting_target_label
            np.testing.assert_allclose(label[0], target, atol=1e-6)


def test_subjects_and_actions_are_chosen_by_name(both):
    store, _ = both
    everything = PoseStoreMocapDataset(store)
    chosen = PoseStoreMocapDataset(store, subjects=["S1", "S9"], actions=["Walking_1"])
    assert len(chosen) == 30 and len(everything) == 300
    assert chosen[4]["target_img_path"] == everything[274]["target_img_path"] == ["S9_Walking_1.54138969_000005.jpg"]
    np.testing.assert_array_equal(chosen[4]["keypoints_3d"], everything[274]["keypoints_3d"])
    with pytest.raises(ValueError, match=r"no subjects \['S2'\]; there are S1, S9"):
        PoseStoreMocapDataset(store, subjects=["S2"])


def test_where_target_frames_are_from(both):
    store, _ = both
    dataset = PoseStoreMocapDataset(store, seq_len=9, causal=False, pad_video_seq=True)
    names, stored = dataset.metainfo, PoseStore(store)
    assert names["keypoint_set"] == "h36m_17" and names["sequences"] == tuple(stored.names)
    for index in (0, 57, len(dataset) - 1):
        sample = dataset.get_data_info(index)
        sequence, (frame,) = sample["sequence"], sample["frame"]
        assert names["actions"][sample["action"]] == stored.actions[sequence]
        expected = stored.keypoints_3d[stored.starts[sequence] + frame]
        np.testing.assert_array_equal(sample["lifting_target"][0], expected)
    many = PoseStoreMocapDataset(store, multiple_target=9, multiple_target_step=5).get_data_info(1)
    assert many["frame"].tolist() == list(range(5, 14))


def test_a_stride_and_a_number_of_samples(both):
    store, _ = both
    cut = dict(seq_len=1, causal=False)
    whole = PoseStoreMocapDataset(store, **cut)
    third = PoseStoreMocapDataset(store, stride=3, **cut)
    places = [(info["sequence"], int(info["frame"][0])) for info in map(third.get_data_info, range(len(third)))]
    lengths = PoseStore(store).lengths
    assert places == [(s, frame) for s, length in enumerate(lengths) for frame in range(0, length, 3)]
    few = PoseStoreMocapDataset(store, max_windows=7, **cut)
    ids = [few.get_data_info(index)["id"] for index in range(7)]
    assert len(few) == 7 and ids == [index * len(whole) // 7 for index in range(7)]
    assert len(PoseStoreMocapDataset(store, max_windows=10**6, **cut)) == len(whole)


def test_what_is_too_short_is_counted(tmp_path, caplog):
    moves = [move(frames, seed) for seed, frames in enumerate((30, 10, 20, 5))]
    write_store(
        tmp_path / "store",
        [PoseSequence(str(len(poses)), poses, image, width=9, height=9, fps=30) for poses, image in moves],
    )
    with caplog.at_level("WARNING", logger="mpm_mmpose"):
        dataset = PoseStoreMocapDataset(tmp_path / "store", multiple_target=20)
        assert len(dataset) == 2
    assert "2 of 4 sequences, 23% of the frames, are shorter than the 20 frames of a sample" in caplog.text


def test_our_metric_tells_sequences_of_mmpose_samples_apart(both):
    """With the numbers among the meta keys there are MPJVE and intervals, as on our own data set."""
    store, _ = both
    codec = dict(type="VideoPoseLifting", num_keypoints=17, reshape_keypoints=False)
    keys = ("id", "target_img_path", "flip_indices", "target_root", "sequence", "frame", "action")
    pipeline = [dict(type="GenerateTarget", encoder=codec), dict(type="PackPoseInputs", meta_keys=keys)]
    cut = dict(seq_len=27, causal=False, pad_video_seq=True)
    test = dict(
        batch_size=100,
        num_workers=0,
        sampler=dict(type="DefaultSampler", shuffle=False),
        dataset=dict(type="PoseStoreMocapDataset", store=str(store), pipeline=pipeline, **cut),
    )
    theirs = test | dict(collate_fn=dict(type="pseudo_collate"))
    windows = dict(type="PoseWindowDataset", store=str(store), window=27)
    ours = test | dict(collate_fn=dict(type="keep_batch"), dataset=windows)
    # Their poses are in camera space, ours relative to the root: to be scaled about one place, both are.
    metric = [dict(type="PoseErrorMetric", root_alignment="subtracted")]
    _, found = run(MODEL, theirs, theirs, metric, steps=0)
    model = MODEL | dict(data_preprocessor=dict(type="LiftingPreprocessor", flip=False))
    _, expected = run(model, ours, ours, metric, steps=0)
    assert found.keys() == expected.keys() and "pose/mpjve" in found and "pose/mpjpe/low" in found
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-4), name


def test_frames_are_not_copied(both):
    """A sample is cut when it is asked for; a pickled data set holds no frame."""
    dataset = PoseStoreMocapDataset(both[0], seq_len=243, causal=False, pad_video_seq=True)
    assert len(pickle.dumps(dataset)) < 20_000
    sample = pickle.loads(pickle.dumps(dataset))[5]
    np.testing.assert_array_equal(sample["keypoints"], dataset[5]["keypoints"])
    assert sample["keypoints"].base is None  # writing to it does not reach the store


@pytest.mark.parametrize(
    ("name", "texts", "stem"),
    [
        ("S9_Waiting_1.54138969", dict(subject="S9", action="Waiting"), "S9_Waiting_1.54138969"),
        ("bandai/walk_01.cam2", dict(subject="bandai 1", action="walk/turn_left", camera="cam2"),
         "bandai-1_walk-turn-left_0.cam2"),
        ("clip", dict(), "S_all_0.camera"),
    ],
)  # fmt: skip
def test_names_that_mpjpe_reads(tmp_path, name, texts, stem):
    poses, image = move(3, 0)
    write_store(tmp_path / "s", [PoseSequence(name, poses, image, width=1000, height=1000, fps=50, **texts)])
    sample = PoseStoreMocapDataset(tmp_path / "s").get_data_info(2)
    assert list(sample["target_img_path"]) == [f"{stem}_000003.jpg"]
    assert sample["camera_param"].keys() == {"w", "h", "id"}  # nothing is made up


def test_scores_and_several_stores(tmp_path):
    paths = [tmp_path / "a", tmp_path / "b"]
    for number, path in enumerate(paths):
        poses, image = move(5 + number, number)
        scores = np.full((5 + number, 17), 0.5 + number / 4)
        write_store(path, [PoseSequence(path.name, poses, image, scores, width=1000, height=1000, fps=50)])
    dataset = PoseStoreMocapDataset(paths, seq_len=3, causal=False)
    assert len(dataset) == 3 + 4
    sample = dataset.get_data_info(3)
    assert (sample["keypoints_visible"] == 0.75).all() and (sample["keypoints_3d_visible"] == 1).all()
    np.testing.assert_array_equal(sample["keypoints"], move(6, 1)[1][:3].astype(np.float32))
    np.testing.assert_array_equal(sample["lifting_target"], move(6, 1)[0][1:2])


def test_mistakes_are_named(both, tmp_path):
    with pytest.raises(ValueError, match="multiple_target goes with seq_len=1"):
        PoseStoreMocapDataset(both[0], seq_len=3, multiple_target=3)
    with pytest.raises(ValueError, match="1 or more"):
        PoseStoreMocapDataset(both[0], seq_len=0)
    with pytest.raises(ValueError, match="no sequence has the 500 frames of a sample, the longest has 250"):
        PoseStoreMocapDataset(both[0], seq_len=500)
    with pytest.raises(FileNotFoundError, match="there is no pose store here"):
        PoseStoreMocapDataset(tmp_path / "nothing")
    write_store(tmp_path / "flat", [PoseSequence("a", None, move(3, 0)[1], width=1000, height=1000, fps=50)])
    with pytest.raises(ValueError, match="h36m_17, no keypoints_3d; mmpose"):
        PoseStoreMocapDataset(tmp_path / "flat")


LIFTERS = {
    "SimpleBaseline3D": (
        "image_pose_lift/h36m/image-pose-lift_tcn_8xb64-200e_h36m.py",
        dict(backbone=dict(stem_channels=32), head=dict(in_channels=32)),
    ),
    "VideoPose3D": (
        "video_pose_lift/h36m/video-pose-lift_tcn-27frm-supv_8xb128-160e_h36m.py",
        dict(backbone=dict(stem_channels=32), head=dict(in_channels=32)),
    ),
    "MotionBERT": (
        "motionbert/h36m/motionbert_dstformer-243frm_8xb32-240e_h36m.py",
        dict(backbone=dict(feat_size=16, depth=1, num_heads=2), head=dict(in_channels=16, embedding_size=16)),
    ),
}
# What Human36mDataset takes and a store has no use for.
FILES = ("ann_file", "data_root", "data_prefix", "camera_param_file", "keypoint_2d_src")


def run(model, train_loader, test_loader, metrics, steps=2):
    """Some steps of training and a test, the way a Runner does them; returns losses and metrics."""
    init_default_scope("mmpose")
    torch.manual_seed(0)
    model = MODELS.build(model)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    losses = []
    loader = Runner.build_dataloader(train_loader, seed=0)
    np.random.seed(0)  # mmpose's flips are drawn from it
    for _, batch in zip(range(steps), loader, strict=False):
        data = model.data_preprocessor(batch, training=True)
        loss, _ = model.parse_losses(model(**data, mode="loss"))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    evaluator = Evaluator(metrics)
    loader = Runner.build_dataloader(test_loader, seed=0)
    evaluator.dataset_meta = getattr(loader.dataset, "metainfo", None)
    number = 0
    for batch in loader:
        with torch.no_grad():
            evaluator.process(data_samples=model.test_step(batch), data_batch=batch)
        number += len(batch["inputs"] if "inputs" in batch else batch["keypoints"])
    return losses, evaluator.evaluate(number)


@pytest.mark.parametrize("lifter", LIFTERS)
def test_lifters_of_mmpose_train_on_a_store(both, lifter):
    """mmpose's config with the data set swapped learns and measures what it does on Human36mDataset."""
    store, files = both
    path, narrow = LIFTERS[lifter]
    config = Config.fromfile(Path(mmpose.__file__).parent / ".mim/configs/body_3d_keypoint" / path)
    config.merge_from_dict(dict(model=narrow))
    found = []
    for swapped in (True, False):
        loaders = []
        for name, batch_size in (("train_dataloader", 1 if lifter == "MotionBERT" else 4), ("test_dataloader", 64)):
            loader = config[name].to_dict()
            loader = dict(batch_size=batch_size, num_workers=0, sampler=loader["sampler"], dataset=loader["dataset"])
            if swapped:
                kept = {name: value for name, value in loader["dataset"].items() if name not in FILES}
                loader["dataset"] = kept | dict(type="PoseStoreMocapDataset", store=str(store))
            else:
                loader["dataset"] |= {k: v for k, v in files.items() if k in loader["dataset"]}
            loaders.append(loader)
        found.append(run(config.model.to_dict(), *loaders, config.test_evaluator))
    (losses, metrics), (their_losses, their_metrics) = found
    np.testing.assert_allclose(losses, their_losses, rtol=1e-4)
    assert len(losses) == (1 if lifter == "MotionBERT" else 2) and metrics.keys() == their_metrics.keys()
    actions = {name.removeprefix("MPJPE_") for name in metrics if name.startswith("MPJPE_")}
    assert actions == ({"Waiting"} if lifter == "MotionBERT" else {"Directions", "Waiting", "Walking"})
    np.testing.assert_allclose([metrics[n] for n in metrics], [their_metrics[n] for n in metrics], rtol=1e-3)


def lifting_loaders(files, frames):
    """Loaders of Human36mDataset for our models: mmpose's codec, keypoints left in (T, K, 2)."""
    codec = dict(type="VideoPoseLifting", num_keypoints=17, reshape_keypoints=False)
    dataset = dict(
        type="Human36mDataset",
        **files,
        seq_len=frames,
        causal=False,
        pad_video_seq=True,
        pipeline=[
            dict(type="GenerateTarget", encoder=codec),
            dict(type="PackPoseInputs", meta_keys=("id", "target_img_path", "flip_indices", "target_root")),
        ],
    )
    loader = dict(num_workers=0, dataset=dataset, collate_fn=dict(type="pseudo_collate"))
    return (
        dict(batch_size=4, sampler=dict(type="DefaultSampler", shuffle=True), **loader),
        dict(batch_size=100, sampler=dict(type="DefaultSampler", shuffle=False), **loader),
    )


MODEL = dict(
    type="PoseLifter",
    backbone=dict(
        type="MPMBackbone", num_frames=27, inputs=("2d",), mask_tokens=False, channels=16, hidden_channels=16,
        depth=1, num_heads=2, drop=0.0, attn_drop=0.0, mlp_drop=0.0,
    ),
    head=dict(
        type="LiftingHead", num_frames=27, strides=(3, 9), channels=16, hidden_channels=16, num_heads=2, drop=0.0,
        attn_drop=0.0,
    ),
    test_cfg=dict(flip_test=True),
)  # fmt: skip
METRICS = [dict(type="PoseErrorMetric"), dict(type="MPJPE"), dict(type="MPJPE", mode="p-mpjpe")]


def test_our_lifter_on_human36m_dataset(both):
    """Trained and tested on mmpose's data set and on ours, it has the same losses and the same errors."""
    store, files = both
    loaders = lifting_loaders(files, 27)
    losses, metrics = run(MODEL, *loaders, METRICS)
    assert metrics["pose/mpjpe"] == pytest.approx(1000 * metrics["MPJPE"], rel=1e-5)
    assert metrics["pose/p_mpjpe"] == pytest.approx(1000 * metrics["P-MPJPE"], rel=1e-4)

    windows = dict(type="PoseWindowDataset", store=str(store), window=27)
    ours = [
        loader | dict(dataset=windows, collate_fn=dict(type="keep_batch"), batch_size=loader["batch_size"])
        for loader in loaders
    ]
    model = MODEL | dict(data_preprocessor=dict(type="LiftingPreprocessor", flip=False))
    # Labels of all frames train the sequence too, so compare the untrained model.
    _, untrained = run(model, ours[0], ours[1], METRICS[:1], steps=0)
    _, theirs = run(MODEL, *loaders, METRICS[:1], steps=0)
    assert untrained["pose/mpjpe"] == pytest.approx(theirs["pose/mpjpe"], rel=1e-5)
    assert len(losses) == 2 and np.isfinite(losses).all()


def test_genuine_samples_of_mmpose(motion_dir, tmp_path):
    """mmpose's own sample of Human3.6M: four images, through both data sets and our lifter."""
    folder = motion_dir / "mmpose-samples"
    source = MMPoseFiles(folder / "test_h36m_body3d.npz", cameras_file=folder / "cameras.pkl")
    write_store(tmp_path / "store", [s for recording in source.recordings() for s in source.read(recording)])
    files = dict(data_root=str(folder), ann_file="test_h36m_body3d.npz", camera_param_file="cameras.pkl")
    cut = dict(seq_len=27, causal=False, pad_video_seq=True)
    ours, theirs = PoseStoreMocapDataset(tmp_path / "store", **cut), Human36mDataset(**files, **cut)
    assert len(ours) == len(theirs) == 4
    for one, other in zip(map(ours.get_data_info, range(4)), map(theirs.get_data_info, range(4)), strict=True):
        assert one["target_img_path"][0].split("_0")[0] == Path(other["target_img_path"][0]).name.split("_0")[0]
        for name in ("keypoints", "keypoints_3d", "lifting_target"):
            np.testing.assert_allclose(one[name], other[name], rtol=1e-6)
        for name in ("f", "c", "k", "p", "R", "T", "w", "h"):
            np.testing.assert_allclose(one["camera_param"][name], other["camera_param"][name], rtol=1e-5, atol=1e-6)
    losses, metrics = run(MODEL, *lifting_loaders(files, 27), METRICS)
    assert len(losses) == 1 and metrics["pose/mpjpe"] == pytest.approx(1000 * metrics["MPJPE"], rel=1e-5)


def test_config_of_the_documentation(both, tmp_path):
    """It is MMPose's config but for the data sets, and these can be built."""
    text = (Path(__file__).parents[2] / "docs/mmpose_lifters.md").read_text().split("```python\n")[1].split("```")[0]
    (tmp_path / "config.py").write_text(text)
    config = Config.fromfile(tmp_path / "config.py")
    original = Config.fromfile(
        Path(mmpose.__file__).parent / ".mim/configs/body_3d_keypoint" / LIFTERS["VideoPose3D"][0]
    )
    assert config.model == original.model.to_dict() | dict(_scope_="mmpose")
    assert [metric.mode for metric in config.test_evaluator] == ["mpjpe", "p-mpjpe"]
    init_default_scope("mmpose")
    for name, samples in (("train_dataloader", 300), ("test_dataloader", 300)):
        assert config[name].sampler == original[name].sampler.to_dict() | dict(_scope_="mmpose")
        dataset = DATASETS.build(config[name].dataset | dict(store=str(both[0])))
        assert isinstance(dataset, PoseStoreMocapDataset) and len(dataset) == samples
        assert dataset[0]["inputs"].shape == (34, 27)
