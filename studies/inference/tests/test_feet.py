import numpy as np
import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data.pose_store import write_store
from mpm_mmpose.runtime.shipped import shipped_model
from studies.inference.feet import main, measure, standing
from studies.quickstart.synthetic_motion import generate_motion


def test_feet_of_the_ground_truth():
    ankles = np.zeros((20, 2, 3))
    ankles[:, 0, 0] = np.arange(20) / 30  # 1 m/s along the floor
    ankles[:, 1, 1] = -np.where(np.arange(20) > 10, 0.5, 0)  # lifted, still
    stands = standing(ankles, np.array((0, -1.0, 0)), 30.0)
    assert not stands[:, 0].any()
    assert stands[:9, 1].all() and not stands[11:, 1].any()


def test_what_locking_does(tmp_path, capsys):
    clips = [clip for seed in range(2) for clip in project_views(generate_motion("walking", 2.0, 30, seed), cameras=2)]
    write_store(tmp_path / "store", clips)
    rows, (hits, found, true) = measure(tmp_path / "store", shipped_model())
    assert 0 < hits <= min(found, true)
    slide, error, root, _ = (np.nanmean([row[index] for row in rows["ground truth"]]) for index in range(4))
    assert slide < 0.3 and error == root == 0
    as_lifted, locked = (np.nanmean(rows[name], axis=0) for name in ("as lifted", "feet locked"))
    assert locked[0] < 0.6 * as_lifted[0] and locked[1] < 1.1 * as_lifted[1]
    assert main([str(tmp_path / "store")]) == 0
    assert f"| feet locked | {locked[0]:.2f} | {locked[1]:.1f} |" in capsys.readouterr().out


def test_a_store_that_is_not_there(tmp_path, capsys):
    assert main([str(tmp_path / "none")]) in (1, 2)
    assert "none" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["store", "--modle", "a"])
