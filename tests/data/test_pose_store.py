import json
import pickle
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.data import store_check
from mpm_mmpose.data.pose_store import CONVERTERS, PoseSequence, PoseStore, write_store

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
    PoseStore(tmp_path / "s")  # the first time, values are read
    start = time.process_time()
    PoseStore(tmp_path / "s")
    assert time.process_time() - start < 0.1


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
        (dict(fps=1e9), "fps is 1e.09; give the frames a second, from 1 to 1000"),
        (dict(width=-1), "no image is -1 x 1002 px"),
        (dict(keypoints_3d=np.full((4, 17, 3), 1e5)), "keypoints_3d goes up to 1e.05 in frame 0, 1000 m are the most"),
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


def change(path, name, edit):
    """Change the array of a file as its bytes, in place, without its checksum."""
    array = np.load(path / f"{name}.npy")
    edit(array)
    np.save(path / f"{name}.npy", array)
    index = json.loads((path / "store.json").read_text())
    index["checksums"].pop(name, None)
    (path / "store.json").write_text(json.dumps(index))


def put(index, value):
    def edit(array):
        array[index] = value

    return edit


@pytest.mark.parametrize(
    ("name", "edit", "message"),
    [
        (
            "keypoints",
            put((5, 3, 0), np.nan),
            "keypoints.npy: sequence 'thrée' has nan in frame 1, where numbers up to",
        ),
        ("keypoints_3d", put((3, 0, 0), np.inf), "keypoints_3d.npy: sequence 'two' has inf in frame 0"),
        ("keypoints_3d", put((13, 16, 2), 1e30), "keypoints_3d.npy: sequence 'thrée' has 1e.30 in frame 9"),
        ("keypoints", put((0, 0, 0), 1e5), "keypoints.npy: sequence 'one' has 100000 in frame 0"),
        ("lengths", put(slice(None), [5, -1, 10]), "lengths.npy: sequence 'two' has -1, which cannot be"),
        ("lengths", put(slice(None), [2**62, 2**62, 14]), "lengths.npy: sequence 'one' has 4.61169e.18"),
        ("lengths", put(1, 2), "keypoints.npy: has 14 rows, lengths.npy asks for 15"),
        ("sizes", put((0, 0), -1), "sizes.npy: sequence 'one' has -1 1002, which cannot be"),
        ("fps", put(2, 1e-9), "fps.npy: sequence 'thrée' has 1e-09, which cannot be"),
        ("fps", put(0, np.nan), "fps.npy: sequence 'one' has nan, which cannot be"),
        ("intrinsics", put((0, 2), np.nan), "intrinsics.npy: sequence 'one' has"),
        ("rotations", put((1, 0), 0.5), "rotations.npy: sequence 'two' has"),
        ("translations", put((1, 2), 1e9), "translations.npy: sequence 'two' has"),
    ],
)
def test_values_that_cannot_be_are_refused(path, name, edit, message):
    change(path, name, edit)
    with pytest.raises(ValueError, match=message):
        PoseStore(path)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (dict(keypoint_set="h36m_18"), "'keypoint_set' is 'h36m_18', which is not known"),
        (dict(keypoint_set=[]), "'keypoint_set' is .., which is not known"),
        (dict(frame_arrays=7), "'frame_arrays' is 7, no arrays of a store"),
        (dict(frame_arrays=["../../keypoints"]), "'frame_arrays' is .* no arrays of a store"),
        (dict(frame_arrays=["keypoint_scores"]), "'frame_arrays' is .* no arrays of a store"),
        (dict(names=7), "'names' is no list of texts"),
        (dict(names=["a", "b", 3]), "'names' is no list of texts"),
        (dict(names=["a", "b", "a"]), "'names' has a name twice"),
        (dict(meta=None), "'meta' is None, not a table"),
        (dict(meta=dict(activities=[])), "'activities' are no stretches"),
        (dict(meta=dict(activities=dict(one=[[-1, 1]]))), "'activities' are no stretches"),
        (dict(checksums=[]), "'checksums' is no table of numbers"),
    ],
)
def test_indices_that_cannot_be_are_refused(path, fields, message):
    index = json.loads((path / "store.json").read_text())
    (path / "store.json").write_text(json.dumps(index | fields))
    with pytest.raises(ValueError, match=f"store.json: field {message}|store.json: field 'meta': {message}"):
        PoseStore(path)
    (path / "store.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="store.json: its lists are nested too deep"):
        PoseStore(path)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'shape': (3, 17, 2, ".ljust(128)])
def test_files_that_numpy_cannot_read(path, content):
    (path / "keypoints.npy").write_bytes(content)
    with pytest.raises(ValueError, match="keypoints.npy: has no valid .npy header"):
        PoseStore(path)


def test_tables_of_other_frames_are_noticed(path):
    """Lengths that are swapped add up to the same frames: windows would go from one clip into the next."""
    np.save(path / "lengths.npy", np.array([1, 3, 10]))
    with pytest.raises(ValueError, match="lengths.npy: is not as it was written, its checksum is another; convert"):
        PoseStore(path)


def test_values_are_read_once_and_again_where_files_are_others(path, tmp_path, monkeypatch):
    read = []
    check = store_check.check_sums
    monkeypatch.setattr(store_check, "check_sums", lambda *given: read.append(list(given[2])) or check(*given))
    for _ in range(3):
        PoseStore(path)
    assert [arrays for arrays in read if "keypoints" in arrays] == [["keypoints", "keypoints_3d"]]
    shutil.copytree(path, tmp_path / "copy")  # with what says that it was checked
    keypoints = np.load(path / "keypoints.npy", mmap_mode="r+")
    np.load(tmp_path / "copy/keypoints.npy", mmap_mode="r+")[0] = keypoints[0] = 1
    keypoints.flush()
    for place in (path, tmp_path / "copy"):
        with pytest.raises(ValueError, match="keypoints.npy: is not as it was written"):
            PoseStore(place)


def test_stores_of_before_have_no_checksums(path, caplog):
    index = json.loads((path / "store.json").read_text())
    del index["checksums"]
    (path / "store.json").write_text(json.dumps(index))
    for _ in range(2):
        assert len(PoseStore(path)) == 3
    assert [record.message for record in caplog.records] == [
        f"{path}: was written before stores had checksums, so its tables may be of other frames; to be sure "
        "convert the data again. This warning is given once."
    ]


def test_a_store_in_a_folder_that_may_not_be_written_to(path, monkeypatch):
    monkeypatch.setattr(store_check, "write_atomically", lambda *given: (_ for _ in ()).throw(PermissionError()))
    assert len(PoseStore(path)) == 3 and not (path / store_check.CHECKED).exists()
