"""What the command writes, and its exit status."""

import importlib

import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data import PoseStore, write_store

from ...quickstart.synthetic_motion import generate_motion


@pytest.fixture(scope="module")
def tool():
    return importlib.import_module("studies.rendered.render_people")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "walk"
    write_store(path, project_views(generate_motion("walking", seconds=2.0, fps=30, seed=0), cameras=1))
    return str(path)


def test_images(tool, store, tmp_path, capsys):
    out = tmp_path / "images"
    assert tool.main(["images", store, "--out", str(out), "--number", "2", "--seed", "1"]) == 0
    assert [path.name for path in sorted((out / "images").iterdir())] == ["000000.jpg", "000001.jpg"]
    assert f"wrote {out / 'annotations.json'}" in capsys.readouterr().out


def test_videos_and_not_twice(tool, store, tmp_path, capsys):
    arguments = ["videos", store, "--out", str(tmp_path), "--number", "1", "--frames", "2"]
    assert tool.main(arguments) == 0
    assert PoseStore(tmp_path / "ground_truth").lengths.tolist() == [2]
    assert tool.main(arguments) == 2 and "error: " in capsys.readouterr().err


def test_wrong_use_and_what_is_not_there(tool, store, tmp_path, capsys):
    for wrong in (["images", store], ["films", store, "--out", "x"], ["images", store, "--out", "x", "--number", "0"]):
        with pytest.raises(SystemExit) as exit:
            tool.main(wrong)
        assert exit.value.code == 2
    assert tool.main(["images", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "there is no pose store here" in capsys.readouterr().err
    assert tool.main(["videos", store, "--out", str(tmp_path / "out"), "--number", "9"]) == 1
    assert "has 1 clips of 2 seconds or more" in capsys.readouterr().err
