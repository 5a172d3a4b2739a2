import numpy as np
import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data.pose_store import write_store
from mpm_mmpose.runtime.shipped import shipped_model
from studies.quickstart.synthetic_motion import generate_motion
from studies.real.vertical_error import main, measure


def test_what_people_say_of_up_and_how_the_camera_was_held(tmp_path, capsys):
    clips = [clip for seed in range(3) for clip in project_views(generate_motion("walking", 2.0, 30, seed), cameras=2)]
    write_store(tmp_path / "store", clips)
    found = measure(tmp_path / "store", shipped_model())
    true = [np.rad2deg(np.arccos(-clip.rotation[1, 2])) for clip in clips]
    np.testing.assert_allclose(found["the camera"], true, atol=1e-3)
    assert np.median(found["people"]) < 10
    assert main([str(tmp_path / "store")]) == 0
    assert f"| the camera | {np.median(true):.1f} |" in capsys.readouterr().out


def test_a_store_that_is_not_there(tmp_path, capsys):
    assert main([str(tmp_path / "none")]) in (1, 2)
    assert "none" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["store", "--modle", "a"])
