import os
import signal
import subprocess
import sys

import pytest

from mpm_mmpose.training.errors import TrainingStopped
from mpm_mmpose.training.work_dir_lock import lock_work_dir, unlock_work_dir

# Holds the work directory and has a child, as processes that read data are, that lives on.
HOLDER = """
import os, sys, time
from mpm_mmpose.training.work_dir_lock import lock_work_dir
lock_work_dir(sys.argv[1])
child = os.fork()
if child:
    print(child, flush=True)
time.sleep(60)
"""


def test_a_second_training_is_refused_and_a_killed_one_leaves_no_lock(tmp_path):
    work_dir = tmp_path / "new" / "run"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(work_dir)], stdout=subprocess.PIPE, text=True) as holder:
        child = int(holder.stdout.readline())
        try:
            with pytest.raises(TrainingStopped, match=rf"another training .*\(process {holder.pid}\).*another folder"):
                lock_work_dir(work_dir)
            holder.kill()
            holder.wait()
            os.kill(child, 0)  # is still there
            lock_work_dir(work_dir)
        finally:
            os.kill(child, signal.SIGKILL)
    assert (work_dir / ".lock").read_text() == f"{os.getpid()}\n"
    lock_work_dir(work_dir)  # the same process, as for a second Runner
    unlock_work_dir(work_dir)
    unlock_work_dir(work_dir)


def test_where_nothing_can_be_written_that_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        lock_work_dir(tmp_path / "file")
