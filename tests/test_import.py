"""What importing the package loads, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

LIGHT = ("mpm_mmpose", "mpm_mmpose.pose.scene", "mpm_mmpose.pose.keypoints", "mpm_mmpose.readers.keypoints_2d")
HEAVY = ("torch", "mmengine", "mmcv", "mmpose", "cv2")
OLD_CONFIG = """
custom_imports = dict(imports=["mpm_mmpose"], allow_failed_imports=False)
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_needs_no_pytorch_is_imported_without_it():
    loaded = run(f"import sys, {', '.join(LIGHT)}\nprint([name for name in {HEAVY} if name in sys.modules])")
    assert loaded.strip() == "[]"


@pytest.mark.parametrize("before", ["import mpm_mmpose.register", "import mmengine, mpm_mmpose"])
def test_registered(before):
    registries = "MODELS, DATASETS, METRICS, HOOKS, DATA_SAMPLERS"
    names = ("MPMBackbone", "PoseWindowDataset", "PoseErrorMetric", "RandomStateHook", "ContiguousSampler")
    code = f"{before}\nfrom mmpose.registry import {registries}\n"
    assert run(f"{code}print(*(r.get(n) is not None for r, n in zip(({registries}), {names})))").split() == ["True"] * 5


def test_a_config_that_names_the_package_registers_it(tmp_path: Path):
    (tmp_path / "old.py").write_text(OLD_CONFIG)
    code = f"from mmengine.config import Config\nConfig.fromfile({str(tmp_path / 'old.py')!r})\n"
    assert "MPMBackbone" in run(f"{code}from mmpose.registry import MODELS\nprint(MODELS.get('MPMBackbone'))")


@pytest.mark.parametrize(("given", "then"), [("", "1"), ("0", "0")])
def test_large_pages_are_asked_for_unless_the_user_says_otherwise(given, then):
    before = f"import os; os.environ['THP_MEM_ALLOC_ENABLE'] = '{given}'; " if given else ""
    assert run(f"{before}import mpm_mmpose.register; import os; print(os.environ['THP_MEM_ALLOC_ENABLE'])").split() == [
        then
    ]
