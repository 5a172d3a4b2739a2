"""The docs site: `uv run --group docs sphinx-build -W -b html docs work_dirs/site`; search and an API reference."""

import warnings
from pathlib import Path

warnings.filterwarnings("ignore")  # of what autodoc imports; Sphinx's own are errors with -W

project = "mpm_mmpose"
author = "The mpm_mmpose authors"
copyright = author
release = (Path(__file__).parents[1] / "mpm_mmpose/version.py").read_text().split('"')[1]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
root_doc = "contents"
exclude_patterns = ["Thumbs.db"]
myst_heading_anchors = 4
myst_enable_extensions = ["dollarmath"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
html_theme = "furo"
html_title = f"mpm_mmpose {release}"
html_static_path: list[str] = []
