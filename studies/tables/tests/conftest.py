from dataclasses import replace

import numpy as np
import pytest

from mpm_mmpose.data import PoseSequence, write_store

from ..budget import BUDGETS
from ..check import SUBJECTS

CI = BUDGETS["ci"]
INTRINSICS = np.array([1000, 1000, 500, 500, 0, 0, 0, 0, 0], np.float32)


def make_store(path, seed, clips=3, frames=20, keypoint_set="h36m_17", subjects=("A",), meta=None):
    rng = np.random.default_rng(seed)
    sequences = []
    for i in range(max(clips, len(subjects))):
        pose = (rng.normal(0, 0.3, (frames, 17, 3)) + [0, 0, 4]).astype(np.float32)
        sequences.append(
            PoseSequence(
                name=f"clip {i}",
                keypoints_3d=pose,
                keypoints=(1000 * pose[..., :2] / pose[..., 2:] + 500).astype(np.float32),
                intrinsics=INTRINSICS,
                width=1000,
                height=1000,
                fps=50,
                subject=subjects[i % len(subjects)],
                action=["Walking", "Photo"][i % 2],
                keypoint_set=keypoint_set,
            )
        )
    write_store(path, sequences, meta=meta or {})
    return str(path)


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    """A store to train on and one to test on."""
    folder = tmp_path_factory.mktemp("stores")
    return make_store(folder / "some_train", 0), make_store(folder / "some_test", 1)


@pytest.fixture(scope="session")
def paper_stores(tmp_path_factory):
    """A folder with all stores that the paper's tables read, by their names and with their subjects."""
    folder = tmp_path_factory.mktemp("paper")
    (folder / "data/stores").mkdir(parents=True)
    names = [*SUBJECTS, "amass_train"]
    for seed, name in enumerate(names):
        own = dict(keypoint_set="mpi_inf_3dhp_17", meta=dict(annotation="univ_annot3"))
        more = own if "3dhp" in name else {}
        make_store(folder / "data/stores" / name, seed, subjects=SUBJECTS.get(name, ("CMU/01",)), **more)
    return folder


@pytest.fixture
def ci():
    return replace(CI)
