import os
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from mpm_mmpose.format_names import SCENE_FORMATS, suffix_of
from mpm_mmpose.formats import WRITERS, read_scene, write_scene

from .conftest import moving, scene_of_poses

HOLDS_ONE = ("bvh", "trc", "glb", "smpl")
OF_MOTIONS = ("bvh", "glb", "smpl")
SUFFIXES = {name: suffix_of(name) for name in WRITERS}


def test_every_format_that_has_a_name_has_a_writer():
    assert tuple(WRITERS) == SCENE_FORMATS


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_of_one_person_is_one_file(tmp_path, name):
    path = tmp_path / f"walk{SUFFIXES[name].upper()}"
    assert write_scene(path, scene_of_poses(moving(4))).paths == [path] == list(tmp_path.iterdir())
    assert path.stat().st_size > 500


@pytest.mark.parametrize("name", WRITERS)
def test_several_people(tmp_path, name):
    end = SUFFIXES[name]
    written = write_scene(tmp_path / f"walk{end}", scene_of_poses(moving(4), moving(4, seed=1)))
    names = [f"walk_1{end}", f"walk_2{end}"] if name in HOLDS_ONE else [f"walk{end}"]
    assert [path.name for path in written.paths] == names
    assert sorted(path.name for path in tmp_path.iterdir()) == names


@pytest.mark.parametrize("name", ["walk", "walk.fbx", "walk.json.gz", ".bvh"])
def test_a_suffix_that_is_not_known(tmp_path, name):
    with pytest.raises(
        ValueError, match=r"is not known; give one of \.json, \.npz, \.csv, \.bvh, \.trc, \.c3d, \.glb, \.smpl\.npz"
    ):
        write_scene(tmp_path / name, scene_of_poses(moving(4)))


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in OF_MOTIONS])
def test_frames_without_3d_are_said(tmp_path, name):
    poses = moving(4)
    poses[1] = np.nan
    poses[2, 5, 0] = np.nan
    written = write_scene(tmp_path / f"walk.{name}", scene_of_poses(moving(3), poses))
    assert written.notes == ["person 2 has no 3D in 2 of 4 frames"]


FULL_DISK = """
import pickle, resource, signal, sys
from mpm_mmpose.formats import write_scene
scene = pickle.load(sys.stdin.buffer)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for path in sys.argv[1:]:
    try:
        write_scene(path, scene)
    except OSError as error:
        print(error)
"""


def test_a_full_disk_leaves_what_was_there(tmp_path):
    """In a process whose files may not grow beyond 1 kB: what is too large fails in the middle of it."""
    paths = [tmp_path / f"walk{end}" for end in SUFFIXES.values()]
    for path in paths:
        path.write_text("before")
    scene = pickle.dumps(scene_of_poses(moving(50)))
    done = subprocess.run([sys.executable, "-c", FULL_DISK, *paths], input=scene, capture_output=True, check=True)
    said = dict(zip(paths, done.stdout.decode().splitlines(), strict=True))
    assert "is the disk full?" in said.pop(tmp_path / "walk.c3d") and done.stderr == b""
    assert all(line.endswith(f"File too large: '{path}'") for path, line in said.items())
    assert {path.read_text() for path in tmp_path.iterdir()} == {"before"} and len(list(tmp_path.iterdir())) == len(
        paths
    )


def test_numpy_is_all_that_is_needed():
    code = (
        "import sys, mpm_mmpose.formats\n"
        "heavy = {'torch', 'mmpose', 'mmcv', 'mmengine', 'cv2', 'scipy', 'matplotlib', 'ezc3d', 'bvhio'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("format", sorted(WRITERS))
def test_names_that_are_no_unicode_or_no_names(tmp_path, walk, format):
    """Files are called by bytes, which need not be UTF-8; people and recordings are called after them."""
    name = os.fsdecode(b"caf\xe9\ttab\nline")
    people = [replace(person, name=name) for person in walk.people]
    folder = tmp_path / os.fsdecode(b"dossier\xe9")
    folder.mkdir()
    written = write_scene(folder / f"{name}{SUFFIXES[format]}", replace(walk, name=name, people=people, notes=[name]))
    assert written.paths and all(path.parent == folder and path.stat().st_size for path in written.paths)
    assert len(set(written.paths)) == (2 if format in HOLDS_ONE else 1)
    if format == "npz":
        assert [person.name for person in read_scene(written.paths[0]).people] == ["caf? tab line", "caf? tab line_2"]
    if format == "trc":
        header = written.paths[0].read_text(encoding="utf-8").splitlines()[0]
        assert header.count("\t") == 4
