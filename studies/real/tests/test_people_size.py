import numpy as np

from mpm_mmpose.data.pose_store import PoseSequence, write_store
from mpm_mmpose.pose.keypoints import H36M_17
from studies.real.people_size import main, measure


def person(name, subject, length, frames):
    """Every bone of this length, m."""
    pose = np.zeros((17, 3), np.float32)
    for index in H36M_17.outwards[1:]:
        pose[index] = pose[H36M_17.parents[index]] + [length, 0, 0]
    return PoseSequence(
        name, np.repeat(pose[None] + [0, 0, 4], frames, 0).astype(np.float32), None, fps=30, subject=subject
    )


def test_people_count_once_and_frames_each(tmp_path, capsys):
    write_store(tmp_path / "store", [person("a", "1", 0.1, 30), person("b", "1", 0.1, 30), person("c", "2", 0.2, 20)])
    people, by_frames = measure(tmp_path / "store")
    np.testing.assert_allclose([people["1"], people["2"], by_frames], [1.6, 3.2, 2.0], atol=1e-4)
    assert main([str(tmp_path / "store")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "store: 2 people, 2.40 m; by frames 2.00 m",
        "all: 2 people, 2.40 m",
    ]
    assert main([str(tmp_path / "none")]) == 1
