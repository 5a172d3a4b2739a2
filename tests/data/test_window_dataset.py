import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmengine.registry import FUNCTIONS
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mpm_mmpose.augmentation.window_batch import WindowBatch, mirror
from mpm_mmpose.data import PoseSequence, PoseWindowDataset, keep_batch, write_store
from mpm_mmpose.pose.geometry import normalize_intrinsics, normalize_screen
from mpm_mmpose.pose.keypoints import COMMON_16, H36M_17, MPI_INF_3DHP_17

RANDOM = np.random.default_rng(0)


def make_store(path, lengths, prefix="s", **changes):
    """Random sequences of ``lengths``, of sizes and actions of their own, in a new store; returns the sequences."""
    fields = dict(fps=50)
    sequences = [
        PoseSequence(
            f"{prefix}{i}",
            RANDOM.normal(size=(frames, 17, 3)),
            RANDOM.uniform(0, 1000, size=(frames, 17, 2)),
            intrinsics=RANDOM.uniform(1, 1000, size=9),
            width=1000 + i,
            height=900 + 2 * i,
            action=("Walk", "Sit")[i % 2],
            subject=f"S{i}",
            **(fields | changes),
        )
        for i, frames in enumerate(lengths)
    ]
    write_store(path, sequences, overwrite=True)
    return sequences


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("windows") / "store"
    return path, make_store(path, [1, 5, 27, 100])


def naive_windows(sequences, window, frame_step, stride):
    """(sequence index, centre, frames) of all windows, in plain Python."""
    for index, sequence in enumerate(sequences):
        for centre in range(0, len(sequence), stride):
            frames = [centre + (i - window // 2) * frame_step for i in range(window)]
            yield index, centre, [min(max(frame, 0), len(sequence) - 1) for frame in frames]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    window=st.integers(1, 30),
    frame_step=st.integers(1, 4),
    stride=st.integers(1, 7),
)
def test_windows_equal_a_naive_reference(tmp_path, lengths, window, frame_step, stride):
    sequences = make_store(tmp_path / "store", lengths)
    dataset = PoseWindowDataset(tmp_path / "store", window, frame_step, stride)
    expected = list(naive_windows(sequences, window, frame_step, stride))
    assert len(dataset) == len(expected)
    order = RANDOM.permutation(len(dataset))
    batch = dataset.__getitems__(order.tolist())
    for row, item in enumerate(order):
        index, _, frames = expected[item]
        sequence = sequences[index]
        assert batch["window"][row] == item and batch["sequence"][row] == index
        assert dataset.metainfo["actions"][batch["action"][row]] == sequence.action
        np.testing.assert_array_equal(batch["keypoints_3d"][row], sequence.keypoints_3d[frames])
        normalised = normalize_screen(sequence.keypoints[frames], sequence.width, sequence.height)
        np.testing.assert_allclose(batch["keypoints"][row], normalised, atol=3e-7)
        camera = normalize_intrinsics(sequence.intrinsics, sequence.width, sequence.height)
        np.testing.assert_allclose(batch["intrinsics"][row], camera, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("frame_step", [1, 2])
@pytest.mark.parametrize("mode", ["get_batch", "get_batch2_outall"])
def test_released_windows(reference_dir, tmp_path, frame_step, mode):
    """The released loader's windows, where it pads them on both sides or needs no more than one."""
    reference = np.load(reference_dir / "windows.npz", allow_pickle=False)
    sequences = []
    for i in range(4):
        poses = reference[f"seq{i}/poses_3d"]
        fields = dict(intrinsics=reference[f"seq{i}/cam"], width=2, height=2, fps=50)
        sequences.append(PoseSequence(f"s{i}", poses, reference[f"seq{i}/poses_2d"], **fields))
    write_store(tmp_path / "store", sequences)
    dataset = PoseWindowDataset(tmp_path / "store", 27, frame_step)
    names = ("frame_index", "seq_start_end", "poses_2d", "poses_3d")
    released = {name: reference[f"{mode}_tds{frame_step}_flip0/{name}"] for name in names}
    assert len(dataset) == len(released["frame_index"])
    sequence, frames = dataset.frames_of(np.arange(len(dataset)))
    np.testing.assert_array_equal(sequence, released["seq_start_end"][:, 0])
    # Bug 1 of the released loader: windows that overrun both ends come out short (-1).
    whole = (released["frame_index"] >= 0).all(1)
    assert whole.sum() > 90 and (~whole).sum() > 0
    inside = frames - dataset.table.starts[sequence, None]
    np.testing.assert_array_equal(inside[whole], released["frame_index"][whole])
    batch = dataset.__getitems__(np.flatnonzero(whole))
    np.testing.assert_array_equal(batch["keypoints_3d"], released["poses_3d"][whole])
    # Ours are normalised, in an image of 2 x 2 px: 1 less.
    np.testing.assert_allclose(batch["keypoints"] + 1, released["poses_2d"][whole], atol=1e-5)
    cameras = torch.from_numpy(np.stack([reference[f"seq{i}/cam"] for i in sequence[whole]]))
    views = WindowBatch(batch["keypoints"] + 1, batch["keypoints_3d"], cameras)
    mirrored = mirror(views, torch.ones(whole.sum(), dtype=torch.bool), torch.tensor(H36M_17.flip_indices))
    flipped = {name: reference[f"{mode}_tds{frame_step}_flip1/{name}"] for name in ("poses_2d", "poses_3d", "cam")}
    np.testing.assert_allclose(mirrored.keypoints, flipped["poses_2d"][whole], atol=1e-5)
    np.testing.assert_array_equal(mirrored.keypoints_3d, flipped["poses_3d"][whole])
    np.testing.assert_allclose(mirrored.intrinsics, flipped["cam"][whole], atol=1e-7)
    # Its 3DHP loader pads both sides, in test mode: right for every window.
    padded = reference[f"dhp_test_get_batch2_tds{frame_step}/frame_index"]
    where = reference[f"dhp_test_get_batch2_tds{frame_step}/seq_start_end"]
    ours = {(s, row[13]): row for s, row in zip(sequence, inside, strict=True)}
    for row, (s, start, _) in zip(padded, where, strict=True):
        np.testing.assert_array_equal(ours[s, start], row)


def test_batch_layout(store):
    path, _ = store
    dataset = PoseWindowDataset(str(path), 9)
    batch = dataset.__getitems__([3, 100, 3])
    assert {name: (tuple(v.shape), v.dtype) for name, v in batch.items()} == {
        "keypoints": ((3, 9, 17, 2), torch.float32),
        "keypoints_3d": ((3, 9, 17, 3), torch.float32),
        "intrinsics": ((3, 9), torch.float32),
        "down": ((3, 3), torch.float32),
        "aspect": ((3,), torch.float32),
        "window": ((3,), torch.int64),
        "sequence": ((3,), torch.int64),
        "frame": ((3,), torch.int64),
        "action": ((3,), torch.int64),
    }
    single = dataset[-1]
    assert single["window"].tolist() == [len(dataset) - 1] and single["keypoints"].shape == (1, 9, 17, 2)
    with pytest.raises(IndexError):
        dataset[len(dataset)]
    assert keep_batch(batch) is batch


def test_metainfo(store):
    path, sequences = store
    metainfo = PoseWindowDataset(path, 9, metainfo=dict(split="test")).metainfo
    assert metainfo["actions"] == ("Sit", "Walk")
    assert metainfo["sequences"] == tuple(s.name for s in sequences)
    assert metainfo["flip_indices"] == list(H36M_17.flip_indices)
    assert (metainfo["keypoint_set"], metainfo["stores"], metainfo["fps"]) == ("h36m_17", "store", 50.0)
    assert metainfo["split"] == "test" and metainfo["annotation"] is None
    write_store(path.with_name("dhp"), sequences[:1], dict(annotation="univ_annot3"), overwrite=True)
    assert PoseWindowDataset(path.with_name("dhp"), 9).metainfo["annotation"] == "univ_annot3"


def test_choices(store):
    path, sequences = store
    assert PoseWindowDataset(path, 9, actions=["Sit"]).metainfo["sequences"] == ("s1", "s3")
    assert PoseWindowDataset(path, 9, subjects=["S2"]).metainfo["sequences"] == ("s2",)
    chosen = PoseWindowDataset(path, 9, sequences=["s3", "s0"])
    assert chosen.metainfo["sequences"] == ("s0", "s3") and len(chosen) == 101
    np.testing.assert_array_equal(chosen[100]["keypoints_3d"][0, 4], sequences[3].keypoints_3d[99])
    flat = PoseWindowDataset(path, 9, modalities=["3d"])[0]
    assert "keypoints" not in flat and "keypoints_3d" in flat


def test_max_windows_are_evenly_spaced(store):
    path, _ = store
    everything = PoseWindowDataset(path, 9)
    few = PoseWindowDataset(path, 9, max_windows=10)
    assert len(few) == 10
    batch = few.__getitems__(range(10))
    picked = [i * 133 // 10 for i in range(10)]
    np.testing.assert_array_equal(batch["keypoints"], everything.__getitems__(picked)["keypoints"])
    assert batch["window"].tolist() == list(range(10))
    assert len(PoseWindowDataset(path, 9, max_windows=10**6)) == len(everything)


def test_other_keypoint_set(store):
    path, _ = store
    ours = PoseWindowDataset(path, 9, keypoint_set="common_16")
    whole = PoseWindowDataset(path, 9).__getitems__([50, 7])
    batch = ours.__getitems__([50, 7])
    keep = [i for i in range(17) if i != 9]
    for name in ("keypoints", "keypoints_3d"):
        np.testing.assert_array_equal(batch[name], whole[name][:, :, keep])
    assert ours.metainfo["flip_indices"] == list(COMMON_16.flip_indices)


def dhp_sequence(name, frames, scores=None):
    poses = RANDOM.normal(size=(frames, 17, 3)), RANDOM.uniform(0, 1000, size=(frames, 17, 2))
    return PoseSequence(name, *poses, scores, width=2048, height=2048, fps=25, keypoint_set=MPI_INF_3DHP_17.name)


def test_keypoints_that_a_store_has_not_are_lacking_and_stand_at_their_parent(tmp_path):
    sequence = dhp_sequence("S1_Seq1.0", 12)
    write_store(tmp_path / "dhp", [sequence])
    batch = PoseWindowDataset(tmp_path / "dhp", 5, keypoint_set="h36m_17").__getitems__([4, 9])
    mine, theirs = H36M_17.index, MPI_INF_3DHP_17.index
    for name in H36M_17.names:
        source = theirs("thorax" if name == "nose" else name)  # 3DHP's head is no nose: not taken for one
        for row, centre in enumerate((4, 9)):
            expected = sequence.keypoints_3d[centre - 2 : centre + 3, source]
            np.testing.assert_array_equal(batch["keypoints_3d"][row, :, mine(name)], expected)
    for field in ("unknown", "unknown_3d"):
        assert batch[field].all((0, 1)).tolist() == [name == "nose" for name in H36M_17.names]
        assert batch[field].sum() == 2 * 5
    assert "unknown" not in PoseWindowDataset(tmp_path / "dhp", 5, keypoint_set="common_16")[0]
    with pytest.raises(ValueError, match="coco_17 has no pelvis, the root of h36m_17"):
        write_store(tmp_path / "coco", [replace(sequence, keypoint_set="coco_17")])
        PoseWindowDataset(tmp_path / "coco", 5, keypoint_set="h36m_17")


@pytest.mark.parametrize("validity", [False, True])
def test_scores_of_zero_are_lacking(tmp_path, validity):
    scores = RANDOM.integers(0, 2, size=(9, 17)) * 0.7
    meta = dict(scores="validity") if validity else None
    write_store(tmp_path / "s", [dhp_sequence("TS1", 9, scores)], meta)
    batch = PoseWindowDataset([tmp_path / "s"], 3)[4]
    np.testing.assert_array_equal(batch["unknown"][0], scores[3:6] == 0)
    # Confidence is of 2D alone; MPI-INF-3DHP's valid_frame is of both.
    assert ("unknown_3d" in batch) == validity
    if validity:
        np.testing.assert_array_equal(batch["unknown_3d"], batch["unknown"])


def test_several_stores_are_read_as_one(tmp_path, store):
    path, _ = store
    make_store(tmp_path / "b", [4, 6], prefix="b", fps=25)
    both = PoseWindowDataset([path, tmp_path / "b"], 9)
    assert both.metainfo["fps"] is None and both.metainfo["stores"] == "store + b"
    parts = [PoseWindowDataset(path, 9), PoseWindowDataset(tmp_path / "b", 9)]
    assert len(both) == sum(map(len, parts)) == 143
    batch = both.__getitems__([140, 2, 133, 132])
    for row, (part, item) in enumerate([(1, 7), (0, 2), (1, 0), (0, 132)]):
        for name in ("keypoints", "keypoints_3d", "intrinsics"):
            np.testing.assert_array_equal(batch[name][row], parts[part][item][name][0])


@pytest.mark.parametrize("workers", [0, 2])
def test_loader_of_a_runner(store, workers):
    """A config's data loader hands our batches on as they are, from worker processes too."""
    path, _ = store
    loader = Runner.build_dataloader(
        dict(
            batch_size=50,
            num_workers=workers,
            dataset=dict(type="mmpose.PoseWindowDataset", store=str(path), window=27),
            sampler=dict(type="DefaultSampler", shuffle=True),
            collate_fn=dict(type="keep_batch"),
        ),
        seed=0,
    )
    batches = list(loader)
    assert [len(batch["window"]) for batch in batches] == [50, 50, 33]
    seen = torch.cat([batch["window"] for batch in batches])
    assert sorted(seen.tolist()) == list(range(133)) and seen.tolist() != list(range(133))
    direct = loader.dataset.__getitems__(batches[1]["window"].numpy())
    torch.testing.assert_close(direct, batches[1], rtol=0, atol=0, equal_nan=True)
    assert FUNCTIONS.get("keep_batch") is keep_batch


def test_workers_started_afresh_read_the_same(store):
    path, _ = store
    dataset = pickle.loads(pickle.dumps(PoseWindowDataset(path, 27)))
    loader = DataLoader(dataset, batch_size=40, collate_fn=keep_batch)
    assert sum(len(batch["window"]) for batch in loader) == 133


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (dict(window=0), ValueError, "window is 0; give 1 or more"),
        (dict(stride=0), ValueError, "stride is 0"),
        (dict(max_windows=0), ValueError, "max_windows is 0"),
        (dict(modalities=["4d"]), ValueError, "modalities is"),
        (dict(actions=["Fly"]), ValueError, r"no actions \['Fly'\]; there are Sit, Walk"),
        (dict(actions="Sit"), ValueError, "give a list of names"),
        (dict(actions=["Sit"], subjects=["S0"]), ValueError, "no sequence is of all of"),
        (dict(store="nowhere"), FileNotFoundError, "nowhere: there is no pose store here"),
    ],
)
def test_mistakes_are_named(store, options, error, message):
    with pytest.raises(error, match=message):
        PoseWindowDataset(**(dict(store=store[0], window=9) | options))


def test_missing_modality(tmp_path):
    write_store(tmp_path / "s", [PoseSequence("a", RANDOM.normal(size=(5, 17, 3)), None, fps=60)])
    with pytest.raises(ValueError, match="has no keypoints; leave its modality out"):
        PoseWindowDataset(tmp_path / "s", 9)
    batch = PoseWindowDataset(tmp_path / "s", 9, modalities=["3d"])[0]
    assert torch.isnan(batch["intrinsics"]).all() and batch["keypoints_3d"].shape == (1, 9, 17, 3)


@pytest.mark.parametrize("frame_step", [1, 2])
def test_a_store_is_only_read(store, frame_step):
    dataset = PoseWindowDataset(store[0], 9, frame_step)
    before = np.array(dataset.stores[0].keypoints), np.array(dataset.stores[0].keypoints_3d)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batch = dataset.__getitems__(range(40))
    for values in (batch["keypoints"], batch["keypoints_3d"]):
        values += 1.0  # a batch is the taker's own
    np.testing.assert_array_equal(dataset.stores[0].keypoints, before[0])
    np.testing.assert_array_equal(dataset.stores[0].keypoints_3d, before[1])


def test_no_windows_are_an_empty_batch(store):
    batch = PoseWindowDataset(store[0], 9).__getitems__([])
    assert batch["keypoints"].shape == (0, 9, 17, 2) and batch["keypoints_3d"].shape == (0, 9, 17, 3)
