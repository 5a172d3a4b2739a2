"""Where the tests find the reference figures and the real motion, which are not part of the repository."""

import os
from pathlib import Path

# Before numpy is imported: with several threads its small matrices take a hundred times as long beside other work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest  # noqa: E402
import torch  # noqa: E402

SHARED = Path(os.environ.get("MPM_SHARED", Path(__file__).parents[1] / "shared"))


def shared_folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"{name}: not beside this checkout; set MPM_SHARED to the folder that holds {name}/")
    return folder


@pytest.fixture(scope="session")
def reference_dir() -> Path:
    """Figures that the authors' code computes (see docs/architecture.md, "Parity")."""
    return shared_folder("reference")


@pytest.fixture(scope="session")
def paper_dir() -> Path:
    """The text of the paper, as extracted from its PDF."""
    return shared_folder("paper")


@pytest.fixture(scope="session")
def motion_dir() -> Path:
    """Recorded motion: bandai-1/*.bvh and cmu/*/*.{asf,amc}."""
    return shared_folder("data")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Keep figures comparable between machines: reductions depend on the number of threads.

    With two of them small models take a hundred times as long beside other work.
    """
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def trained_lifter(tmp_path_factory) -> tuple[Path, Path]:
    """Paths of a config and of the checkpoint that a training of one epoch with it left."""
    from trained_lifter import train, write_files

    folder = tmp_path_factory.mktemp("trained_lifter")
    config = write_files(folder)
    return config, train(config, folder / "work")
