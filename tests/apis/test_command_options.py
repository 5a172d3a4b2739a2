"""The options of people, as each of the three commands takes them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "keypoints": [f"{ROOT}/demo/keypoints_to_3d.py", "walk.npy"],
    "video": [f"{ROOT}/demo/video_to_3d.py", "walk.mp4"],
    "light": ["-m", "mpm_mmpose.runtime", "walk.npy"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--character", "my.glb", "--format", "bvh"], "--character: moves in the format glb alone; add --format glb"),
        (["--character", "my.glb", "--format", "glb"], "my.glb"),
        (["--character", "broken.glb", "--format", "glb"], "broken.glb: is no .glb; export the character as"),
    ],
)
def test_a_character_that_cannot_be_moved_is_said_in_one_line_before_any_work(tmp_path, command, options, said):
    (tmp_path / "broken.glb").write_bytes(b"PK")
    (tmp_path / "walk.mp4").write_bytes(b"no video")
    np.save(tmp_path / "walk.npy", np.random.default_rng(0).uniform(100, 900, (3, 17, 2)))
    arguments = [*COMMANDS[command], "--out", "out", *options]
    arguments += [] if command == "video" else ["--fps", "30", "--width", "1000", "--height", "1000"]
    done = subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr
    assert "Loading PyTorch" not in done.stderr and not (tmp_path / "out").exists()
    assert len(done.stderr.strip().splitlines()) == 1
