"""What can be wrong with any file, for every reader but AMASS's: each is refused with the file's name and what to do.

What is particular to one layout is tested beside it: tests/h36m, tests/mpi_inf_3dhp, tests/keypoints_2d.
"""

import copy
import importlib.util
import json
import os
import pickle
import tracemalloc
import zipfile
from pathlib import Path

import motion_files
import numpy as np
import pytest

from mpm_mmpose.readers import files, read_motion
from mpm_mmpose.readers.h36m_mmpose import MMPoseFiles as H36MMMPose
from mpm_mmpose.readers.h36m_videopose3d import VideoPose3DFiles
from mpm_mmpose.readers.keypoints_2d import read_keypoints_2d
from mpm_mmpose.readers.mpi_inf_3dhp_mmpose import MMPoseFiles as MPIMMPose
from mpm_mmpose.readers.mpi_inf_3dhp_original import TestFile, TrainingFile
from mpm_mmpose.readers.mpi_inf_3dhp_pstmo import PSTMOFiles
from mpm_mmpose.readers.person_tracks import track_sequences


def load(folder):
    """The functions with which the tests of a folder write their files."""
    path = Path(__file__).parents[1] / folder / "conftest.py"
    spec = importlib.util.spec_from_file_location(f"writers_of_{folder}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


H36M, MPI, KEYPOINTS = map(load, ("h36m", "mpi_inf_3dhp", "keypoints_2d"))
TAKES = {"S1": {"Walking": 3}}
LENS = dict(f=np.ones((2, 1)), c=np.ones((2, 1)), k=np.zeros((3, 1)), p=np.zeros((2, 1)))
CAMERAS = {
    ("S1", name): dict(LENS, R=np.eye(3), T=np.zeros((3, 1)), w=1000, h=1000)
    for name in ("54138969", "55011271", "58860488", "60457274")
}


def dump(path, content):
    path.write_bytes(pickle.dumps(content) if path.suffix == ".pkl" else json.dumps(content).encode())
    return path


def write_mpi_mmpose(folder):
    image, points = MPI.make_motion(3, 3, 0)
    ones = np.ones((3, 17, 1))
    path = folder / "mpi_inf_3dhp_train.npz"
    names = np.array([f"S1_Seq2_Cam0_{frame + 1:06d}.jpg" for frame in range(3)])
    np.savez(path, imgname=names, part=np.concatenate((image, ones), -1), S=np.concatenate((points / 1000, ones), -1))
    return path


def write_mpi_cameras(folder):
    write_mpi_mmpose(folder)
    return dump(folder / "cameras_train.pkl", {"S1_Seq2_Cam0": dict(f=[1500, 1500], c=[1024, 1024], w=2048, h=2048)})


def write_motion(folder, name):
    (folder / "07").mkdir()
    for file, text in (
        ("07.asf", motion_files.asf_text()),
        ("07_01.amc", motion_files.amc_text([{}, {}])),
        ("a.bvh", motion_files.bvh_text([{}, {}])),
    ):
        (folder / "07" / file).write_text(text)
    return folder / "07" / name


def read_all(source):
    return [sequence for recording in source.recordings() for sequence in source.read(recording)]


def read_2d(path, **options):
    return [track_sequences(d, fps=25, width=1000, height=800) for d in read_keypoints_2d(path, **options)]


# reader: (what writes a file of it into a folder and gives its path, what reads it again)
READERS = {
    "Human3.6M, VideoPose3D, 3D": (
        lambda f: H36M.write_videopose3d(f, TAKES)[0],
        lambda p: read_all(VideoPose3DFiles(p)),
    ),
    "Human3.6M, VideoPose3D, 2D": (
        lambda f: H36M.write_videopose3d(f, TAKES)[1],
        lambda p: read_all(VideoPose3DFiles(p.with_name("data_3d_h36m.npz"), p)),
    ),
    "Human3.6M, MMPose": (lambda f: H36M.write_mmpose(f, TAKES)[0], lambda p: read_all(H36MMMPose(p))),
    "Human3.6M, MMPose, detections": (
        lambda f: H36M.write_mmpose(f, TAKES)[1],
        lambda p: read_all(H36MMMPose(p.with_name("h36m_test.npz"), p)),
    ),
    "Human3.6M, MMPose, cameras": (
        lambda f: H36M.write_mmpose(f, TAKES) and dump(f / "cameras.pkl", CAMERAS),
        lambda p: read_all(H36MMMPose(p.with_name("h36m_test.npz"), cameras_file=p)),
    ),
    "MPI-INF-3DHP, training": (
        lambda f: MPI.write_training(f, frames=3),
        lambda p: read_all(TrainingFile(p, "annot3")),
    ),
    "MPI-INF-3DHP, calibration": (
        lambda f: MPI.write_training(f, frames=3).with_name("camera.calibration"),
        lambda p: read_all(TrainingFile(p.with_name("annot.mat"), "annot3")),
    ),
    "MPI-INF-3DHP, test": (lambda f: MPI.write_test(f), lambda p: read_all(TestFile(p, "annot3"))),
    "MPI-INF-3DHP, P-STMO": (lambda f: MPI.write_pstmo(f)[0], lambda p: read_all(PSTMOFiles(p, "univ_annot3"))),
    "MPI-INF-3DHP, MMPose": (write_mpi_mmpose, lambda p: read_all(MPIMMPose(p, "annot3"))),
    "MPI-INF-3DHP, MMPose, cameras": (
        write_mpi_cameras,
        lambda p: read_all(MPIMMPose(p.with_name("mpi_inf_3dhp_train.npz"), "annot3")),
    ),
    "2D, MMPose": (
        lambda f: dump(f / "v.json", KEYPOINTS.mmpose_frames(people=1, frames=3)),
        lambda p: read_2d(p, format="mmpose"),
    ),
    "2D, COCO": (
        lambda f: dump(f / "v.json", KEYPOINTS.coco_results(people=1, frames=3)),
        lambda p: read_2d(p, format="coco"),
    ),
    "2D, AlphaPose": (
        lambda f: dump(f / "v.json", KEYPOINTS.alphapose_results(people=1, frames=3)),
        lambda p: read_2d(p, format="alphapose"),
    ),
    "2D, OpenPose": (
        lambda f: sorted(KEYPOINTS.write_openpose(f / "walk", people=1, frames=3).iterdir())[1],
        lambda p: read_2d(p.parent),
    ),
    "2D, VideoPose3D": (
        lambda f: KEYPOINTS.write_videopose3d(f / "v.npz"),
        lambda p: read_2d(p, format="videopose3d"),
    ),
    "BVH": (lambda f: write_motion(f, "a.bvh"), read_motion),
    "AMC": (lambda f: write_motion(f, "07_01.amc"), read_motion),
    "ASF": (lambda f: write_motion(f, "07.asf"), lambda p: read_motion(p.with_name("07_01.amc"))),
}
# Files that need not be there, and a folder of which the file is one of many.
OPTIONAL = ("MPI-INF-3DHP, calibration", "MPI-INF-3DHP, MMPose, cameras", "2D, OpenPose", "ASF")


@pytest.fixture(params=READERS)
def reader(request, tmp_path):
    """Name, the path of a good file, and the function that reads it."""
    write, read = READERS[request.param]
    path = write(tmp_path)
    read(path)
    return request.param, path, read


def refused(path, read, message):
    """The error begins with the file's name and says ``message``, and hardly any memory was taken."""
    tracemalloc.start()
    try:
        with pytest.raises((ValueError, OSError), match=message) as error:
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 2**25
    finally:
        tracemalloc.stop()
    assert str(error.value).startswith(str(path)), error.value


def foreign_zip(path):
    path.unlink()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "nothing")


def sparse(path):
    """64 GiB that take no room on the disk."""
    os.truncate(path, 2**36)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("nothing\n"),
        lambda path: path.write_bytes(bytes(range(256)) * 20),
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        foreign_zip,
        lambda path: path.write_text(" " * 2000) and sparse(path),
        sparse,
    ],
    ids=["empty", "text", "bytes", "cut off", "another zip", "a huge file", "a huge end"],
)
def test_contents(reader, damage):
    name, path, read = reader
    damage(path)
    with open(path, "rb") as file:
        if name == "MPI-INF-3DHP, test" and file.read(6) == b"MATLAB" and path.stat().st_size == 2**36:
            pytest.skip("HDF5 knows where its data end; what is behind is not looked at")
    refused(
        path, read, "fetch|give|leave it out|detect again|is it the right file|is this the file|write|repair|format"
    )


def test_limit_of_text(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes(b"a\r\nb\rc\xff")
    assert files.read_text(path, limit=7) == "a\nb\nc�" and files.read_bytes(path, limit=7) == b"a\r\nb\rc\xff"
    with pytest.raises(ValueError, match="x.txt: has 7 bytes, more than the 6 that are read at once; give it in parts"):
        files.read_text(path, limit=6)


def test_directory(reader):
    name, path, read = reader
    path.unlink()
    path.mkdir()
    refused(path, read, "is a directory; give the file itself")


def test_pipe(reader):
    """Nobody ever writes to it: opening it would wait for ever."""
    name, path, read = reader
    path.unlink()
    os.mkfifo(path)
    refused(path, read, "is a device or a pipe; give a file")


def test_missing(reader):
    name, path, read = reader
    path.unlink()
    if name in OPTIONAL[:2]:
        read(path)
    elif name == "ASF":
        with pytest.raises(FileNotFoundError, match=r"07_01.amc: 0 .asf files .*add its skeleton as 07.asf"):
            read(path)
    elif name != "2D, OpenPose":
        refused(path, read, "does not exist; docs/data.md says where to get it")


def test_no_permission(reader, monkeypatch):
    """Tests may run as root, who may read everything."""
    name, path, read = reader

    def forbidden(file, *args):
        if Path(file) == path:
            raise PermissionError("denied")
        return open(file, *args)

    monkeypatch.setattr(files, "open", forbidden, raising=False)
    refused(path, read, r"may not be read; ask for permission to it \(chmod \+r\)")


JUNK = (None, -1, 1e300, float("nan"), 10**400, "text", [], {}, [[1, 2], [3]], {"a": 1})
ARRAYS = (
    np.zeros(()),
    np.zeros(3),
    np.zeros((0, 17, 3)),
    np.array([None, "a"], dtype=object),
    np.full((3, 17, 2), 1e300),
)


def places(value, path=()):
    """Of all values in nested dicts and lists; of long lists, of numbers, in the first."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(min(len(value), 3)):
            yield from places(value[index], (*path, index))


def exchanged(value, path, new):
    if not path:
        return new
    value = copy.copy(value)
    value[path[0]] = exchanged(value[path[0]], path[1:], new)
    return value


def wrapped(value):
    """As numpy writes an object that is no array."""
    array = np.empty((), dtype=object)
    array[()] = value
    return array


def check_refused_or_read(read, path, place, new):
    try:
        read(path)
    except (ValueError, OSError) as error:
        known = (path, path.parent) if path.name.endswith("_keypoints.json") else (path,)
        assert any(str(file) in str(error) for file in known), (place, new, error)


@pytest.mark.parametrize(
    "name",
    [
        "2D, MMPose",
        "2D, COCO",
        "2D, AlphaPose",
        "2D, OpenPose",
        "MPI-INF-3DHP, MMPose, cameras",
        "Human3.6M, MMPose, cameras",
    ],
)
def test_any_value_in_the_place_of_any_other(tmp_path, name):
    """Nothing but a refusal that names the file comes out of it: no other error, no warning."""
    write, read = READERS[name]
    path = write(tmp_path)
    content = pickle.loads(path.read_bytes()) if path.suffix == ".pkl" else json.loads(path.read_text())
    for place in places(content):
        for new in JUNK:
            check_refused_or_read(read, dump(path, exchanged(content, place, new)), place, new)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Human3.6M, VideoPose3D, 3D", "positions_3d"),
        ("Human3.6M, VideoPose3D, 2D", "positions_2d"),
        ("Human3.6M, VideoPose3D, 2D", "metadata"),
        ("MPI-INF-3DHP, P-STMO", "data"),
        ("2D, VideoPose3D", "positions_2d"),
        ("2D, VideoPose3D", "metadata"),
    ],
)
def test_any_value_in_a_table(tmp_path, name, field):
    write, read = READERS[name]
    path = write(tmp_path)
    with np.load(path, allow_pickle=True) as archive:
        content = {key: archive[key].item() for key in archive}
    if name.endswith("P-STMO"):
        views, rate = content["data"]["S1 Seq1"]
        content["data"] = {"S1 Seq1": [{"0": views["0"]}, rate]}
    for place in places(content[field]):
        for new in (*JUNK, *ARRAYS):
            np.savez(path, **{k: wrapped(v) for k, v in exchanged(content, (field, *place), new).items()})
            check_refused_or_read(read, path, place, new)


@pytest.mark.parametrize("name", ["Human3.6M, MMPose", "MPI-INF-3DHP, MMPose"])
def test_any_array_in_the_place_of_another(tmp_path, name):
    write, read = READERS[name]
    path = write(tmp_path)
    with np.load(path) as archive:
        content = dict(archive)
    for field in ("imgname", "part", "S"):
        array = content[field]
        others = (array[:0], array[1:], array[..., None], np.concatenate((array, array)), array.astype(object))
        others += tuple(array.astype(kind) for kind in ("f2", "f8", "i4", "c16")) if field != "imgname" else ()
        for new in (*map(wrapped, JUNK), *ARRAYS, *others):
            np.savez(path, **(content | {field: new}))
            check_refused_or_read(read, path, field, new)
    for fields in ({key: content[key][:0] for key in ("imgname", "part", "S")},):
        np.savez(path, **(content | fields))
        refused(path, read, "has no frames; leave it out")
