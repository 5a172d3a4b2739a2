"""The cells of the notebook one after the other, as Jupyter runs them, in a folder of their own."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "demo/first_steps.ipynb"
#: What shows pictures in Jupyter, which is no part of the environment.
STUB = """
import sys, types
display = types.ModuleType("IPython.display")
display.HTML = lambda text: print("shown:", len(text) > 10000)
display.IFrame = lambda page, **size: print("shown:", page)
sys.modules["IPython"] = types.ModuleType("IPython")
sys.modules["IPython"].get_ipython = lambda: None
sys.modules["IPython"].version_info = (9, 0)
sys.modules["IPython.display"] = display
"""


def test_every_cell_runs_from_a_clone(tmp_path):
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    (tmp_path / "studies").symlink_to(ROOT / "studies")
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([STUB, *cells])], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert 20 < int(re.search(r"MPJPE (\d+) mm", done.stdout)[1]) < 80
    assert "shown: True" in done.stdout and "shown: first_steps/array.html" in done.stdout
    assert {path.suffix for path in (tmp_path / "first_steps").iterdir()} == {".html", ".bvh", ".glb", ".npz"}


def test_it_is_kept_without_what_it_shows():
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert all(not cell.get("outputs") for cell in notebook["cells"])
    text = "".join("".join(cell["source"]) for cell in notebook["cells"])
    for link in re.findall(r"\]\(\.\./([^)]+)\)", text):
        assert (ROOT / link).is_file(), link
