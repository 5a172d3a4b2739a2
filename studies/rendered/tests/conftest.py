"""A short walk, projected by two virtual cameras."""

import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data import PoseSequence, write_store

from ...quickstart.synthetic_motion import generate_motion


@pytest.fixture(scope="session")
def sequences() -> list[PoseSequence]:
    """Three clips of 60 frames, 30 frames a second, by two cameras each."""
    motions = [
        generate_motion(kind, seconds=2.0, fps=30, seed=seed)
        for seed, kind in enumerate(("walking", "mixed", "waving"))
    ]
    return [sequence for motion in motions for sequence in project_views(motion, cameras=2)]


@pytest.fixture(scope="session")
def store(sequences, tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "walks"
    write_store(path, sequences)
    return path
