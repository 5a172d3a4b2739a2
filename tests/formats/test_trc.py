import numpy as np
import pytest

from mpm_mmpose.formats import Scene, write_scene
from mpm_mmpose.formats.placing import upright
from mpm_mmpose.pose.keypoints import H36M_17
from mpm_mmpose.version import __version__


def read(path):
    """Header lines as words, and the numbers of the rows, NaN where blank."""
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    return lines[:6], np.array([[float(word) if word else np.nan for word in line] for line in lines[6:]])


def test_layout_and_places(tmp_path, walk):
    written = write_scene(tmp_path / "walk.trc", walk)
    assert written == ([tmp_path / "walk_1.trc", tmp_path / "walk_b_2.trc"], ["person b/2 has no 3D in 1 of 3 frames"])
    header, rows = read(written.paths[1])
    assert header[0][:4] == ["PathFileType", "4", "(X/Y/Z)", "walk_b_2.trc"]
    assert header[0][4] == f"made by mpm_mmpose {__version__}; y up, z towards the camera"
    said = dict(zip(header[1], header[2], strict=True))
    assert said == dict(
        DataRate="25",
        CameraRate="25",
        NumFrames="5",
        NumMarkers="17",
        Units="mm",
        OrigDataRate="25",
        OrigDataStartFrame="1",
        OrigNumFrames="5",
    )
    assert header[3][:2] == ["Frame#", "Time"] and tuple(header[3][2::3]) == H36M_17.names
    assert header[4][2:5] == ["X1", "Y1", "Z1"] and header[4][-1] == "Z17" and header[5] == [""]
    assert len(header[3]) == len(header[4]) == rows.shape[1] == 2 + 3 * 17
    assert rows[:, 0].tolist() == [4, 5, 6, 7, 8]
    np.testing.assert_allclose(rows[:, 1], np.arange(3, 8) / 25)
    assert np.isnan(rows[1:4, 2:]).all()
    np.testing.assert_allclose(rows[[0, 4], 2:].reshape(2, 17, 3), 1000 * upright(walk)[0][1][[0, 2]], atol=1e-3)


def test_one_person_is_one_file(tmp_path, walk):
    scene = Scene("walk", walk.people[:1], walk.times, walk.fps)
    assert write_scene(tmp_path / "walk.trc", scene).paths == [tmp_path / "walk.trc"]
    assert read(tmp_path / "walk.trc")[1][:, 3::3].min() == 0  # the lowest keypoint is on the floor


def test_nobody(tmp_path):
    with pytest.raises(ValueError, match=r"empty\.trc: there is nobody to write"):
        write_scene(tmp_path / "empty.trc", Scene("empty", [], np.arange(3) / 10, 10.0))
