"""Every row of the tables in docs/formats_read.md is typed."""

import re
from pathlib import Path

import numpy as np
import pytest
from keypoint_files import FRAMES, write_keypoint_files

PAGE = Path(__file__).parents[2] / "docs/formats_read.md"


def rows(section):
    """What stands in the last column of the rows of a section's first table."""
    text = PAGE.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return [re.findall(r"`([^`]*)`", line)[-1] for line in re.findall(r"^\| .* \|$", text.split("\n\n**")[0], re.M)][1:]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    write_keypoint_files(folder)
    return folder


def test_every_file_is_in_the_table(files):
    words = " ".join(rows("2D keypoints")).split()
    assert len(rows("2D keypoints")) == 24 and {path.name for path in files.iterdir()} <= set(words)


@pytest.mark.parametrize("row", rows("2D keypoints"))
def test_what_to_type(files, command, model, tmp_path, monkeypatch, row):
    monkeypatch.chdir(files)
    status, out, err = command("keypoints_to_3d", *row.split(), *model, "--out", tmp_path, "--format", "npz")
    assert status == 0, err
    assert f"1 people in {FRAMES} frames" in out
    (result,) = tmp_path.rglob("*.npz")
    with np.load(result) as arrays:
        assert np.isfinite(arrays["keypoints_3d"]).all() and len(arrays["keypoints_3d"]) == FRAMES
