import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data.pose_store import write_store
from studies.quickstart.synthetic_motion import generate_motion
from studies.real.known_focal import main, measure


def test_both_ways_are_lifted_and_differ(tmp_path, capsys):
    write_store(tmp_path / "store", list(project_views(generate_motion("walking", 2.0, 30, 0), cameras=2)))
    known, guessed = measure(tmp_path / "store").values()
    assert known.shape == guessed.shape == (1,) and 10 < known[0] < 300
    assert abs(known[0] - guessed[0]) > 0.1
    assert main([str(tmp_path / "store")]) == 0
    assert f"lens known {known[0]:.1f} mm, guessed {guessed[0]:.1f} mm" in capsys.readouterr().out


def test_wrong_use(capsys):
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert main(["no/store"]) in (1, 2) and "no/store" in capsys.readouterr().err
