import errno

import pytest
from mmpose.registry import DATASETS, MODELS

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.data.window_dataset import PoseWindowDataset
from mpm_mmpose.training import errors as training_errors
from mpm_mmpose.training.errors import TrainingStopped, line_of


def error_of(call, *args, **kwargs):
    with pytest.raises(Exception) as error:
        call(*args, **kwargs)
    return error.value


def test_what_a_user_can_mend_is_one_line(tmp_path):
    assert line_of(TrainingStopped("loss is nan\n in step 3")) == "loss is nan in step 3"
    assert line_of(PermissionError(errno.EACCES, "Permission denied", "runs")) == "[Errno 13] Permission denied: 'runs'"
    ours = error_of(PoseWindowDataset, "store", window=0)
    assert line_of(ours) == "PoseWindowDataset: window is 0; give 1 or more"
    wrapped = error_of(DATASETS.build, dict(type="PoseWindowDataset", store="store", window=0))
    assert line_of(wrapped) == "PoseWindowDataset: window is 0; give 1 or more"


def test_a_type_or_an_argument_that_is_not_known_is_one_line():
    assert line_of(error_of(DATASETS.build, dict(type="PoseWindowDatset"))).startswith(
        "the config names a type 'PoseWindowDatset', which the registry mmpose::dataset does not have"
    )
    unknown = error_of(MODELS.build, dict(type="MPMBackbone", dept=3))
    assert line_of(unknown) == "of the config: MPMBackbone.__init__() got an unexpected keyword argument 'dept'"


def test_a_defect_is_none():
    assert line_of(error_of(lambda: 1 / 0)) is None
    assert line_of(error_of(int, "three")) is None  # not raised by us


def test_full_shared_memory_is_said_and_a_full_disk_is_not_taken_for_it(monkeypatch):
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(training_errors, "_free", lambda: 0.0)
    assert "/dev/shm has 0 MB left" in line_of(full)
    assert line_of(OSError(errno.ENOSPC, "No space left on device", "epoch_1.pth")).endswith("'epoch_1.pth'")
    monkeypatch.setattr(training_errors, "_free", lambda: 500.0)
    assert line_of(full) == "[Errno 28] No space left on device"
