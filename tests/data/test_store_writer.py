"""Stores are whole or not there: full disks, forbidden places, several processes that write to one path."""

import errno
import multiprocessing
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.data import store_writer
from mpm_mmpose.data.pose_store import PoseSequence, PoseStore, write_store
from mpm_mmpose.data.store_writer import StoreWriteError


def sequence(name="walk", frames=4, value=1.0):
    return PoseSequence(name=name, keypoints_3d=np.full((frames, 17, 3), value), keypoints=None, fps=25)


def folder(path):
    return sorted(file.name for file in path.iterdir())


@pytest.fixture
def full(monkeypatch):
    """Function: from now on the named file of a store is the system's full device, whose writes fail for real."""

    def on_full_device(name):
        def opening(file, mode="r", *args, **kwargs):
            return open("/dev/full" if Path(file).name == name else file, mode, *args, **kwargs)

        monkeypatch.setattr(store_writer, "open", opening, raising=False)

    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    return on_full_device


@pytest.mark.parametrize("frames", [4, 1000])
@pytest.mark.parametrize("name", ["keypoints_3d.npy", "lengths.npy"])
def test_full_disk(tmp_path, full, name, frames):
    """Many frames fail when they are written, few when the file is finished: they were in a buffer until then."""
    write_store(tmp_path / "old", [sequence(value=7)])
    full(name)
    for path, overwrite in ((tmp_path / "new", False), (tmp_path / "old", True)):
        with pytest.raises(StoreWriteError) as error:
            write_store(path, [sequence(frames=frames)], overwrite=overwrite)
        message = str(error.value)
        tables = 0 if frames == 1000 and name == "keypoints_3d.npy" else 108  # it does not come to these
        needed = frames * 17 * 3 * 4 + tables
        assert message.startswith(f"{path}: the disk is full ({needed:,} bytes are needed up to here, ")
        assert message.endswith("are free on its disk); make room there, or give a place on another disk")
        assert folder(tmp_path) == ["old"]
    assert (PoseStore(tmp_path / "old").keypoints_3d[:] == 7).all()


class FailsToClose:
    """A file of a network's disk: what was written is found not to fit when it is closed."""

    def __init__(self, file):
        self.file, self.closed = file, False

    def __getattr__(self, name):
        return getattr(self.file, name)

    def close(self):
        if not self.closed:
            self.closed = True
            self.file.close()
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))


@pytest.fixture
def fails_to_close(monkeypatch):
    monkeypatch.setattr(store_writer, "open", lambda *args: FailsToClose(open(*args)), raising=False)


def test_full_disk_at_the_end(tmp_path, fails_to_close):
    with pytest.raises(StoreWriteError, match="s: your quota on this disk is used up .* are needed up to here"):
        write_store(tmp_path / "s", [sequence()])
    assert folder(tmp_path) == []


def test_the_first_error_is_the_one_that_is_told(tmp_path, fails_to_close):
    def broken():
        yield sequence()
        raise ValueError("clip.bvh: is cut off")

    with pytest.raises(ValueError, match="clip.bvh: is cut off"):
        write_store(tmp_path / "s", broken())
    assert folder(tmp_path) == []


def test_full_disk_while_the_list_is_written(tmp_path, monkeypatch):
    def fails(self, *args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", fails)
    with pytest.raises(StoreWriteError, match="the disk is full"):
        write_store(tmp_path / "s", [sequence()])
    assert folder(tmp_path) == []


def test_errors_of_readers_are_theirs(tmp_path):
    def unreadable():
        yield sequence()
        raise OSError(errno.ENOSPC, "of the source, whatever that means")

    with pytest.raises(OSError, match="of the source") as error:
        write_store(tmp_path / "s", unreadable())
    assert not isinstance(error.value, StoreWriteError) and folder(tmp_path) == []


@pytest.mark.slow
def test_command_on_a_full_disk(tmp_path, write_bvh):
    """A limit on the size of files, which the system enforces, through the command in a process of its own."""
    clip = write_bvh(frames=[{}] * 2000)
    script = Path(__file__).parents[2] / "tools/dataset_converters/mocap.py"

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    result = subprocess.run(
        [sys.executable, script, clip, "--out", tmp_path / "s", "--workers", "1"],
        capture_output=True,
        text=True,
        preexec_fn=limit,
    )
    assert result.returncode == 1 and "Traceback" not in result.stderr and "--skip-bad" not in result.stderr
    assert f"error: {tmp_path / 's'}: a file would be larger than is allowed here" in result.stderr
    assert "raise the limit (ulimit -f), or give another place" in result.stderr
    assert folder(tmp_path) == ["clip.bvh"]


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EACCES, r"s: may not be written; ask for permission to write there \(chmod \+w\), or give another"),
        (errno.EROFS, "s: the disk can only be read; give another place"),
        (errno.EIO, r"s: cannot be written \(.*Input/output error.*\); give another place"),
    ],
)
def test_forbidden_places(tmp_path, monkeypatch, number, message):
    """Tests may run as root, whom permissions do not stop."""

    def forbidden(*args, **kwargs):
        raise OSError(number, os.strerror(number), "x")

    monkeypatch.setattr(store_writer, "TemporaryDirectory", forbidden)
    with pytest.raises(StoreWriteError, match=message):
        write_store(tmp_path / "s", [sequence()])
    assert folder(tmp_path) == []


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreWriteError, match="file/s: .*file is in the way; move it, or give another place"):
        write_store(tmp_path / "file" / "s", [sequence()])
    with pytest.raises(StoreWriteError, match="cannot be written .*Not a directory"):
        write_store(tmp_path / "file" / "deeper" / "s", [sequence()])
    with pytest.raises(FileExistsError, match="file: exists already; give another path"):
        write_store(tmp_path / "file", [sequence()])


def test_stores_are_as_open_to_others_as_new_folders(tmp_path):
    (tmp_path / "folder").mkdir()
    write_store(tmp_path / "s", [sequence()])
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("folder", "s")]
    assert modes[0] == modes[1]


def test_links_stay_links(tmp_path):
    (tmp_path / "disk").mkdir()
    write_store(tmp_path / "disk" / "s", [sequence(value=1)])
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "s")
    write_store(tmp_path / "link", [sequence(value=2)], overwrite=True)
    assert (tmp_path / "link").is_symlink() and (PoseStore(tmp_path / "disk" / "s").keypoints_3d[:] == 2).all()
    assert folder(tmp_path) == ["disk", "link"] and folder(tmp_path / "disk") == ["s"]


def test_names_that_are_no_text(tmp_path):
    """Names of files are bytes; Python stands half a surrogate pair in for what is no UTF-8."""
    name = os.fsdecode(b"caf\xe9")
    write_store(tmp_path / "s", [sequence(name)], meta=dict(made_from=name))
    store = PoseStore(tmp_path / "s")
    assert store.names == (name,) and store.meta["made_from"] == name


def test_tables_are_what_numpy_writes(tmp_path):
    write_store(tmp_path / "s", [sequence(frames=3), sequence("run", frames=2)])
    for name, array in (("lengths", np.array([3, 2])), ("fps", np.array([25.0, 25.0]))):
        np.save(tmp_path / "x.npy", array)
        assert (tmp_path / "s" / f"{name}.npy").read_bytes() == (tmp_path / "x.npy").read_bytes()


def write_together(path, overwrite, value, barrier, results):
    """One of several processes: all write at once, and all are about to put their store in its place at once."""

    def sequences():
        barrier.wait(30)
        for number in range(20):
            yield sequence(f"s{number}", 50, value)
        barrier.wait(30)

    try:
        write_store(path, sequences(), meta=dict(value=value), overwrite=overwrite)
        results.put((value, "written"))
    except FileExistsError as error:
        results.put((value, str(error)))


def race(path, overwrite, number=4):
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(number), context.Queue()
    processes = [
        context.Process(target=write_together, args=(path, overwrite, value, barrier, results))
        for value in range(1, number + 1)
    ]
    for process in processes:
        process.start()
    outcomes = dict(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    return outcomes


def assert_whole(path):
    """The store is that of one process; which one."""
    store = PoseStore(path)
    assert len(store) == 20 and store.num_frames == 1000
    assert (store.keypoints_3d[:] == store.meta["value"]).all()
    return store.meta["value"]


def test_processes_that_make_one_store(tmp_path):
    outcomes = race(tmp_path / "s", overwrite=False)
    winner = assert_whole(tmp_path / "s")
    assert outcomes.pop(winner) == "written" and len(outcomes) == 3
    assert set(outcomes.values()) == {
        f"{tmp_path / 's'}: exists already; give another path or ask for it to be overwritten"
    }
    assert folder(tmp_path) == ["s"]


@pytest.mark.parametrize("there", [False, True])
def test_processes_that_replace_one_store(tmp_path, there):
    if there:
        write_store(tmp_path / "s", [sequence()])
    assert set(race(tmp_path / "s", overwrite=True).values()) == {"written"}
    assert assert_whole(tmp_path / "s") in range(1, 5) and folder(tmp_path) == ["s"]


@pytest.mark.parametrize("moved", ["s", "new"])
@pytest.mark.parametrize("comes", [False, True])
def test_every_step_of_replacing(tmp_path, monkeypatch, moved, comes):
    """Before the old or the new store is moved, another process moves the old one away, and puts its own there."""
    path, rename, done = tmp_path / "s", Path.rename, []
    write_store(path, [sequence(value=1)])
    write_store(tmp_path / "other", [sequence(value=2)])

    def renaming(self, target):
        if self.name == moved and not done:
            done.append(moved)
            if path.exists():
                rename(path, tmp_path / "old")
            if comes:
                rename(tmp_path / "other", path)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", renaming)
    write_store(path, [sequence(value=3)], overwrite=True)
    assert done == [moved] and (PoseStore(path).keypoints_3d[:] == 3).all()
    assert set(folder(tmp_path)) <= {"old", "other", "s"}


@pytest.mark.parametrize("comes", [False, True])
def test_a_store_moved_away_while_it_is_looked_at_is_no_stranger(tmp_path, monkeypatch, comes):
    path, is_file = tmp_path / "s", Path.is_file
    write_store(path, [sequence(value=1)])
    write_store(tmp_path / "other", [sequence(value=2)])

    def looking(self):
        if self.name == "store.json" and not (tmp_path / "old").exists():
            path.rename(tmp_path / "old")
            found = is_file(self)
            if comes:
                (tmp_path / "other").rename(path)
            return found
        return is_file(self)

    monkeypatch.setattr(Path, "is_file", looking)
    write_store(path, [sequence(value=3)], overwrite=True)
    assert (PoseStore(path).keypoints_3d[:] == 3).all()


def test_another_store_comes_while_ours_is_made(tmp_path):
    def slow():
        yield sequence(value=1)
        write_store(tmp_path / "s", [sequence(value=2)])

    with pytest.raises(FileExistsError, match="s: exists already"):
        write_store(tmp_path / "s", slow())
    assert (PoseStore(tmp_path / "s").keypoints_3d[:] == 2).all() and folder(tmp_path) == ["s"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.EIO, "broken")])
def test_the_old_store_comes_back(tmp_path, monkeypatch, error):
    """What goes wrong after the old one was moved away."""
    write_store(tmp_path / "s", [sequence(value=1)])
    rename = Path.rename

    def renaming(self, target):
        if self.name == "new":
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", renaming)
    with pytest.raises((KeyboardInterrupt, StoreWriteError)):
        write_store(tmp_path / "s", [sequence(value=2)], overwrite=True)
    assert (PoseStore(tmp_path / "s").keypoints_3d[:] == 1).all() and folder(tmp_path) == ["s"]


def test_leftovers_of_a_killed_process(tmp_path):
    """Whatever is in them, and whatever process has its number now, they are neither used nor removed."""

    def killed():
        yield sequence(value=1)
        os._exit(9)

    process = multiprocessing.get_context("fork").Process(target=write_store, args=(tmp_path / "s", killed()))
    process.start()
    process.join(60)
    (leftover,) = folder(tmp_path)
    assert process.exitcode == 9 and leftover.startswith(".s.partial-")
    (tmp_path / f".s.partial-{os.getpid()}").mkdir()
    write_store(tmp_path / "s", [sequence(value=2)])
    assert (PoseStore(tmp_path / "s").keypoints_3d[:] == 2).all()
    assert folder(tmp_path) == sorted([leftover, f".s.partial-{os.getpid()}", "s"])


def test_who_has_the_replaced_store_open_keeps_it(tmp_path):
    write_store(tmp_path / "s", [sequence(frames=5000, value=1)])
    old = PoseStore(tmp_path / "s")
    write_store(tmp_path / "s", [sequence(frames=3, value=2)], overwrite=True)
    assert (old.keypoints_3d[:] == 1).all() and old.num_frames == 5000
    assert (PoseStore(tmp_path / "s").keypoints_3d[:] == 2).all()
