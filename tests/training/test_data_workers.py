import time
from types import SimpleNamespace

import pytest
from torch.utils.data import DataLoader, Dataset

from mpm_mmpose.training import data_workers
from mpm_mmpose.training.data_workers import DataWorkersHook
from mpm_mmpose.training.errors import line_of


class Batch:
    """What torch says of a batch for which shared memory has no room, in the thread that hands it over."""

    def __reduce__(self):
        raise RuntimeError("unable to allocate shared memory(shm) for file </torch_1>: Success (0)")


class Windows(Dataset):
    def __len__(self):
        return 8

    def __getitems__(self, indices):
        return Batch()


def keep(batch):
    return batch


@pytest.mark.timeout(60)
@pytest.mark.parametrize("stage", ["train", "val", "test"])
def test_a_batch_that_cannot_be_handed_over_ends_the_run_with_a_line(stage):
    begun = []
    loader = DataLoader(
        Windows(),
        batch_size=2,
        num_workers=2,
        persistent_workers=True,
        collate_fn=keep,
        worker_init_fn=lambda worker: begun.append(worker),
    )
    runner = SimpleNamespace(**{f"{stage}_loop": SimpleNamespace(dataloader=loader)})
    hook = DataWorkersHook()
    for _ in range(2):  # as before each validation
        getattr(hook, f"before_{stage}")(runner)
    started = time.monotonic()
    with pytest.raises(RuntimeError) as error:
        next(iter(loader))
    assert time.monotonic() - started < 30
    line = line_of(error.value)
    assert line.startswith("a process that reads data ended (worker (pid")
    assert "/dev/shm has" in line and "--shm-size" in line and "\n" not in line


def test_a_training_that_leaves_is_no_error_of_who_reads_for_it(capsys):
    for error, said in ((ConnectionResetError("reset"), False), (EOFError(), False), (ValueError("broken"), True)):
        data_workers._report(type(error), error, None)
        assert ("broken" in capsys.readouterr().err) == said
