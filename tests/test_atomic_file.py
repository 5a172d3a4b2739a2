import errno

import pytest

from mpm_mmpose.atomic_file import write_atomically


def test_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail(file):
        file.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", [None, "its own", "another.jpg"])
def test_errors_of_the_system_name_the_file(tmp_path, place):
    path = tmp_path / "a.txt"

    def fail(file):
        raise OSError(errno.ENOSPC, "No space left on device", str(file) if place == "its own" else place)

    with pytest.raises(OSError, match="No space left on device") as raised:
        write_atomically(path, fail)
    assert raised.value.errno == errno.ENOSPC
    assert raised.value.filename == ("another.jpg" if place == "another.jpg" else str(path))


def test_folders_are_made_and_the_file_is_given_back(tmp_path):
    path = write_atomically(tmp_path / "new" / "a.npz", lambda file: file.write_bytes(b"whole"))
    assert path.read_bytes() == b"whole" and path == tmp_path / "new" / "a.npz"
    assert list(path.parent.iterdir()) == [path]
