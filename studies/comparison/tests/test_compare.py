import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data.pose_store import write_store
from mpm_mmpose.errors import UsageError
from studies.comparison.budget import Budget
from studies.comparison.compare import check_stores, compare, write_page
from studies.comparison.lifters import LIFTERS
from studies.quickstart.synthetic_motion import generate_motion

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    for name, seeds in dict(train=(0, 1), val=(2,), test=(3,)).items():
        clips = [generate_motion(kind, 1.5, 30, seed) for seed in seeds for kind in ("walking", "waving")]
        write_store(folder / name, [view for clip in clips for view in project_views(clip, cameras=2)])
    return [folder / name for name in ("train", "val", "test")]


def command(*arguments):
    run = [sys.executable, str(ROOT / "tools/compare.py"), *map(str, arguments)]
    return subprocess.run(run, capture_output=True, text=True, timeout=280)


@pytest.mark.slow
def test_all_models_on_the_same_frames_and_nothing_twice(stores, tmp_path):
    """One road for all: trained, tested, on a page; what was done is not done again."""
    folder = tmp_path / "trainings"
    results = compare(list(LIFTERS), stores, Budget(steps=40), 1, [1.0], folder)
    frames = [{name: n for name, (_, n) in runs[0]["by_sequence"].items()} for runs in results.values()]
    assert all(of == frames[0] for of in frames) and sum(frames[0].values()) == 4 * 45
    assert all(np.isfinite(runs[0]["figures"]["mpjpe"]) and "mpjve" in runs[0]["figures"] for runs in results.values())
    text = write_page(results, Budget(steps=40), stores, "tools/compare.py", tmp_path / "table.md")
    assert (tmp_path / "table.md").read_text() == text + "\n" and "40 steps a training, 1 seeds" in text
    assert text.count("\n| ") == 1 + len(LIFTERS) + 1 + 2 and (tmp_path / "table.png").stat().st_size > 10_000
    assert (tmp_path / "table.csv").read_text().count("\n") == 1 + len(LIFTERS)
    marker = folder / "mpm/rate_1_seed_0/result.json"
    kept = json.loads(marker.read_text())
    marker.write_text(json.dumps(kept | dict(steps=12345)))
    assert compare(["mpm"], stores, Budget(steps=40), 1, [1.0], folder)["mpm"][0]["steps"] == 12345


@pytest.mark.slow
def test_the_rate_is_chosen_on_the_validation_store(stores, tmp_path):
    results = compare(["simplebaseline"], stores, Budget(steps=40), 1, [1e-6, 1.0], tmp_path)
    (run,) = results["simplebaseline"]
    assert run["training"]["rate"] == 1.0 and run["training"]["test"] == str(stores[2])


def test_stores_that_not_every_model_can_take(stores, tmp_path):
    check_stores(stores)
    short = generate_motion("walking", 0.5, 30, 0)
    write_store(tmp_path / "short", list(project_views(short, cameras=1)))
    with pytest.raises(UsageError, match="no clip has the 27 frames of a window; the longest has 15"):
        check_stores([tmp_path / "short"])
    with pytest.raises(UsageError, match="there is no pose store here"):
        check_stores([tmp_path / "none"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "5", "--minutes", "1"], "not allowed with argument"),
        ([], "one of the arguments --minutes --windows --steps is required"),
        (["--steps", "50", "--models", "mpn"], "invalid choice: 'mpn'"),
        (["--minutes", "-1"], "invalid float above 0 value: '-1'"),
        (["--steps", "50", "--out", "table.txt"], "--out: give a file that ends in .md"),
    ],
)
def test_wrong_use(arguments, message, stores, tmp_path):
    done = command("--data", *stores, "--out", tmp_path / "a.md", *arguments)
    assert done.returncode == 2 and message in done.stderr


def test_names_are_those_of_the_study():
    text = (ROOT / "tools/compare.py").read_text()
    assert f"MODELS = {tuple(LIFTERS)}".replace("'", '"') in text
