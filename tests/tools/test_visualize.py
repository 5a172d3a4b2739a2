import importlib.util
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data.pose_store import write_store
from mpm_mmpose.formats import LiftedPerson, Scene
from mpm_mmpose.formats.arrays import write_npz
from mpm_mmpose.pose.keypoints import COMMON_16, H36M_17
from studies.quickstart.synthetic_motion import generate_motion

SCRIPT = Path(__file__).parents[2] / "tools/visualize.py"
spec = importlib.util.spec_from_file_location("visualize", SCRIPT)
visualize = importlib.util.module_from_spec(spec)
spec.loader.exec_module(visualize)


@pytest.fixture(scope="module")
def clips():
    """Two sequences: their frames, one after the other, and ground truth relative to the pelvis."""
    clips = {"walk": "walking", "wave": "waving"}
    return [
        replace(next(project_views(generate_motion(kind, 1.0, 30, 0), cameras=1)), name=name)
        for name, kind in clips.items()
    ]


def ground_truths(clips):
    return [clip.keypoints_3d - clip.keypoints_3d[:, :1] for clip in clips]


def dump(path, clips, off, **changes):
    """What an evaluation leaves of predictions that are ``off`` m too deep."""
    ground_truth = np.concatenate(ground_truths(clips))
    arrays = dict(
        prediction=ground_truth + np.array([0, 0, off], np.float32),
        ground_truth=ground_truth,
        counted=np.ones(ground_truth.shape[:2], bool),
        sequence=np.repeat([0, 1], 30),
        frame=np.tile(np.arange(30), 2),
        action=np.repeat([0, 1], 30),
        sequences=np.array(["walk", "wave"]),
        actions=np.array(["a", "b"]),
        keypoints=np.array(H36M_17.names),
    )
    np.savez(path, **{name: value for name, value in (arrays | changes).items() if value is not None})
    return path


@pytest.fixture
def files(tmp_path, clips):
    write_store(tmp_path / "store", clips)
    return dict(a=dump(tmp_path / "a.npz", clips, 0.02), b=dump(tmp_path / "b.npz", clips, 0.05))


def run(*arguments):
    return visualize.main([str(argument) for argument in arguments])


def failure(capsys, *arguments):
    """Status and message of a command that fails."""
    try:
        status = run(*arguments)
    except SystemExit as error:
        status = error.code
    return status, capsys.readouterr().err


def test_help_is_quick_and_complete():
    start = time.perf_counter()
    result = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, check=True)
    assert time.perf_counter() - start < 1
    for option in "--pred --ground-truth --clip --person --fps --out --figure --frames".split():
        assert option in result.stdout


def test_page_and_figure(files, tmp_path, capsys):
    page, figure = tmp_path / "page.html", tmp_path / "figure.svg"
    options = ["--ground-truth", tmp_path / "store", "--clip", "wave", "--figure", figure, "--frames", 3, 29]
    assert run("--pred", files["a"], "--pred", f"large={files['b']}", "--out", page, *options) == 0
    assert "30 frames" in capsys.readouterr().out
    assert "wave" in page.read_text() and '"name": "large"' in page.read_text()
    assert '"Ground truth: store"' in page.read_text()
    assert ">frame 29<" in figure.read_text() and ">50 mm<" in figure.read_text()


def test_clip_has_to_be_chosen(files, tmp_path, capsys):
    out = ["--out", tmp_path / "page.html"]
    status, message = failure(capsys, "--pred", files["a"], *out)
    assert status == 2 and "holds 2 clips; choose one with --clip: walk, wave" in message
    status, message = failure(capsys, "--pred", files["a"], "--clip", "wawe", *out)
    assert status == 2 and "has no clip 'wawe'; it has wave" in message


def test_wrong_use(files, tmp_path, capsys):
    out = ["--out", tmp_path / "page.html"]
    wrong = {
        "no such file: nowhere.npz": ["--pred", "nowhere.npz", *out],
        "no such file: nothing": ["--pred", files["a"], "--ground-truth", "nothing", *out],
        "give --out page.html": ["--pred", files["a"]],
        "ends with .html": ["--pred", files["a"], "--out", "page.pdf"],
        "ends with .pdf": ["--pred", files["a"], "--figure", "figure.html"],
        "--figure, which is not given": ["--pred", files["a"], *out, "--frames", 3],
        "two predictions are called 'a'": ["--pred", files["a"], "--pred", files["a"], *out],
        "is a folder": ["--pred", tmp_path / "store", *out],
        "frame 30: walk has frames 0 to 29": ["--pred", files["a"], "--clip", "walk", "--figure", "f.pdf"]
        + ["--frames", 30],
    }
    for message, arguments in wrong.items():
        status, said = failure(capsys, *arguments)
        assert (status, message in said) == (2, True), (message, said)
    assert not (tmp_path / "page.html").exists()


def test_files_that_do_not_belong_together(files, clips, tmp_path, capsys):
    sixteen = list(COMMON_16.indices_in(H36M_17))
    ground_truth = np.concatenate(ground_truths(clips))
    others = {
        "has the keypoint set h36m_17": dict(
            keypoints=np.array(COMMON_16.names),
            ground_truth=ground_truth[:, sixteen],
            prediction=ground_truth[:, sixteen],
            counted=np.ones((60, 16), bool),
        ),
        "have other ground truths, up to": dict(ground_truth=ground_truth[::-1]),
        "no frame in common": dict(frame=np.tile(np.arange(100, 130), 2)),
        "those of no known set": dict(keypoints=np.array([f"keypoint {i}" for i in range(17)])),
        "has no ground_truth": dict(ground_truth=None),
    }
    for message, changes in others.items():
        other = dump(tmp_path / "other.npz", clips, 0.01, **changes)
        arguments = ["--pred", files["a"], "--pred", other, "--clip", "walk", "--out", tmp_path / "page.html"]
        status, said = failure(capsys, *arguments)
        assert (status, message in said) == (2, True), (message, said)


def test_damaged_file(files, tmp_path, capsys):
    cut = tmp_path / "cut.npz"
    cut.write_bytes(files["a"].read_bytes()[:2000])
    status, message = failure(capsys, "--pred", cut, "--out", tmp_path / "page.html")
    assert status == 2 and "cut.npz: is no .npz archive" in message


def test_results_of_an_inference(clips, tmp_path):
    ground_truth = ground_truths(clips)[0]
    person = LiftedPerson(
        "7", "h36m_17", np.arange(30), ground_truth + 0.03, keypoints_2d=clips[0].keypoints, keypoint_set_2d="h36m_17"
    )
    write_npz(tmp_path / "ours.npz", Scene("walk", [person], np.arange(30) / 30, 30.0, 1000, 1002))
    theirs = dump(tmp_path / "theirs.npz", clips, 0.02)
    page = tmp_path / "page.html"
    assert run("--pred", tmp_path / "ours.npz", "--pred", theirs, "--clip", "walk", "--out", page) == 0
    assert page.stat().st_size > 100_000


def test_a_page_that_cannot_be_written(files, tmp_path, capsys):
    (tmp_path / "taken").write_text("a file where a folder should be")
    status, message = failure(capsys, "--pred", files["a"], "--clip", "walk", "--out", tmp_path / "taken" / "page.html")
    assert status == 1 and "taken" in message
