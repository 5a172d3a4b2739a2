import json
import pickle
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.datasets.pose_store import CONVERTERS, PoseSequence, PoseStore, write_store

RANDOM = np.random.default_rng(0)


def make_sequence(name, frames, **changes):
    fields = dict(
        name=name,
        keypoints_3d=RANDOM.normal(size=(frames, 17, 3)),
        keypoints=RANDOM.uniform(0, 1000, size=(frames, 17, 2)),
        intrinsics=RANDOM.uniform(size=9),
        rotation=np.eye(3),
        translation=RANDOM.normal(size=3),
        width=1000,
        height=1002,
        fps=50,
        subject="S1",
        action="Walking",
        camera="cam0",
        source="a.bvh",
    )
    return PoseSequence(**(fields | changes))


@pytest.fixture
def sequences():
    return [make_sequence("one", 3), make_sequence("two", 1, action="Sitting"), make_sequence("thrée", 10, fps=25.0)]


@pytest.fixture
def path(tmp_path, sequences):
    write_store(tmp_path / "store", iter(sequences), meta=dict(made_from="test"))
    return tmp_path / "store"


def assert_same(ours, theirs):
    for name, value in vars(theirs).items():
        np.testing.assert_array_equal(getattr(ours, name), value, err_msg=name)


def test_round_trip(path, sequences):
    store = PoseStore(path)
    assert len(store) == 3 and store.num_frames == 14
    assert store.starts.tolist() == [0, 3, 4] and store.lengths.tolist() == [3, 1, 10]
    assert store.names == ("one", "two", "thrée") and store.meta == dict(made_from="test")
    assert store.keypoints.shape == (14, 17, 2) and store.keypoints_3d.dtype == np.float32
    assert store.keypoint_scores is None
    for index, sequence in enumerate(sequences):
        assert_same(store.sequence(index), sequence)
    assert store.sequence(-1).name == "thrée"
    with pytest.raises(IndexError):
        store.sequence(3)


def test_scores_and_unknown_cameras(tmp_path):
    sequence = make_sequence("a", 4, keypoints_3d=None, intrinsics=None, rotation=None, translation=None)
    sequence.keypoint_scores = RANDOM.uniform(size=(4, 17)).astype(np.float32)
    write_store(tmp_path / "s", [sequence])
    assert_same(PoseStore(tmp_path / "s").sequence(0), sequence)


def test_frames_are_mapped_and_every_process_maps_them(path):
    store = pickle.loads(pickle.dumps(PoseStore(path)))
    assert isinstance(store.keypoints, np.memmap) and isinstance(store.keypoints_3d, np.memmap)
    assert len(pickle.dumps(store)) < 1000
    with pytest.raises(ValueError, match="read-only"):
        store.keypoints[0] = 0


def test_each_frame_is_held_once_and_opening_is_quick(tmp_path):
    write_store(tmp_path / "s", (make_sequence(f"s{i}", 100) for i in range(500)))
    assert (tmp_path / "s/keypoints_3d.npy").stat().st_size == 128 + 500 * 100 * 17 * 3 * 4
    start = time.perf_counter()
    PoseStore(tmp_path / "s")
    assert time.perf_counter() - start < 0.1


def test_nothing_half_written_remains(tmp_path, path, sequences):
    def interrupted():
        yield sequences[0]
        raise KeyboardInterrupt

    before = PoseStore(path).names
    for target in (tmp_path / "new", path):
        with pytest.raises(KeyboardInterrupt):
            write_store(target, interrupted(), overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == ["store"]
    assert PoseStore(path).names == before


def test_overwriting(tmp_path, path, sequences):
    with pytest.raises(FileExistsError, match="exists already"):
        write_store(path, sequences)
    write_store(path, sequences[:1], overwrite=True)
    assert PoseStore(path).names == ("one",)
    (tmp_path / "home").mkdir()
    with pytest.raises(FileExistsError, match="is not a pose store and will not be overwritten"):
        write_store(tmp_path / "home", sequences, overwrite=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: [], "there are no sequences"),
        (lambda s: [s[0], s[0]], "'one': name occurs twice"),
        (lambda s: [s[0], make_sequence("b", 2, keypoints=None)], "'b' has keypoints_3d of h36m_17, those before it"),
        (
            lambda s: [
                s[0],
                make_sequence("b", 2, keypoint_set="common_16", keypoints=None, keypoints_3d=np.ones((2, 16, 3))),
            ],
            "of common_16, those before it",
        ),
    ],
)
def test_sequences_that_do_not_go_together(tmp_path, sequences, change, message):
    with pytest.raises(ValueError, match=message):
        write_store(tmp_path / "s", change(sequences))
    assert not list(tmp_path.glob("*s*"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(keypoints=None, keypoints_3d=None), "both missing"),
        (dict(keypoints=np.ones((3, 16, 2))), r"keypoints has shape \(3, 16, 2\); give \(4, 17, 2\)"),
        (dict(keypoints_3d=np.full((4, 17, 3), np.nan)), "keypoints_3d holds NaN"),
        (dict(intrinsics=np.ones(8)), "intrinsics has shape"),
        (dict(width=0), "width 0, height 1002"),
        (dict(fps=0), "fps is 0"),
        (dict(keypoints_3d=np.ones((0, 17, 3))), "no frames"),
    ],
)
def test_sequences_validate_themselves(changes, message):
    with pytest.raises(ValueError, match=f"'bad': .*{message}"):
        make_sequence("bad", 4, **changes)


def damage_truncate(path):
    file = path / "keypoints.npy"
    file.write_bytes(file.read_bytes()[:-100])


def damage_missing(path):
    (path / "lengths.npy").unlink()


def damage_foreign_rows(path):
    np.save(path / "keypoints_3d.npy", np.zeros((13, 17, 3), np.float32))


def damage_dtype(path):
    np.save(path / "keypoints_3d.npy", np.zeros((14, 17, 3)))


def damage_pickle(path):
    np.save(path / "lengths.npy", np.array([{}], dtype=object), allow_pickle=True)


def damage_format(path):
    (path / "store.json").write_text("{}")


def damage_json(path):
    (path / "store.json").write_text("{")


def damage_texts(path):
    index = json.loads((path / "store.json").read_text())
    (path / "store.json").write_text(json.dumps(index | dict(actions=["a"])))


def damage_version(path):
    index = json.loads((path / "store.json").read_text())
    (path / "store.json").write_text(json.dumps(index | dict(version=7)))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_truncate, r"keypoints.npy: says.* truncated.*copy or convert"),
        (damage_missing, r"lengths.npy: missing"),
        (damage_foreign_rows, r"keypoints_3d.npy: has 13 rows, lengths.npy asks for 14.*convert the data again"),
        (damage_dtype, r"keypoints_3d.npy: holds float64 rows"),
        (damage_pickle, r"lengths.npy: holds object rows"),
        (damage_format, r"store.json: field 'format' is not .*give another path"),
        (damage_json, r"store.json: is no JSON"),
        (damage_texts, r"store.json, field 'actions': has 1 rows, lengths.npy asks for 3"),
        (damage_version, r"store.json: field 'version' is 7, not 1"),
    ],
)
def test_broken_stores_are_refused(path, damage, message):
    damage(path)
    with pytest.raises(ValueError, match=message):
        PoseStore(path)


def test_converters_that_errors_name_are_there():
    folder = Path(__file__).parents[2] / "tools/dataset_converters"
    assert set(CONVERTERS) <= {file.stem for file in folder.glob("*.py")}


def test_no_store(tmp_path, path):
    for name, command in (
        ("h36m_train", "tools/dataset_converters/h36m.py"),
        ("amass_train", "tools/dataset_converters/amass.py"),
        ("mocap", "tools/dataset_converters/mocap.py"),
        ("mpi_inf_3dhp_test", "tools/dataset_converters/mpi_inf_3dhp.py"),
        ("nowhere", "amass.py, h36m.py, .*mocap.py, mpi_inf_3dhp.py of tools/dataset_converters"),
    ):
        with pytest.raises(FileNotFoundError, match=f"{name}: there is no pose store here .*; make it with {command} "):
            PoseStore(tmp_path / name)
    shutil.rmtree(path)
    path.mkdir()
    with pytest.raises(FileNotFoundError, match="store.json is missing"):
        PoseStore(path)
