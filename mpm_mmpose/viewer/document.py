"""The page itself: one HTML file with everything in it, which asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from ..atomic_file import write_atomically
from ..pose.scene import Scene
from ..version import __version__
from .content import scene_content
from .packing import Packer
from .pictures import pack_images

ASSETS = resources.files(__package__) / "assets"
#: The page's own modules, each a file assets/<name>.js that others import as page/<name>.
MODULES = (
    "bodies",
    "clock",
    "colours",
    "data",
    "ground",
    "image",
    "keyboard",
    "labels",
    "legend",
    "main",
    "meshes",
    "places",
    "plot",
    "stage",
    "state",
)
LIBRARY = {"three": "vendor/three.module.min.js", "three/OrbitControls": "vendor/OrbitControls.js"}
START = 'import "page/main";'


def write_page(
    path: Path,
    scene: Scene,
    images: Iterable[np.ndarray] | None = None,
    *,
    called: tuple[str, str] = ("person", "people"),
) -> Path:
    """Write a scene as one HTML file that a browser opens from disk, whole or not at all; returns the path.

    images: (H, W, 3) uint8 BGR, one a frame from the scene's first on, to be embedded as small JPEGs behind the 2D
    keypoints. called: what one and several of the scene's people are. Raises ValueError for arrays that do not fit
    together or are more than a page takes, KeyError for an unknown keypoint set, OSError where nothing can be written.
    """
    packer = Packer()
    content = scene_content(scene, packer)
    content["called"] = list(called)
    content["images"], jpegs = (None, "") if images is None else pack_images(images, len(scene.times))
    text = page_text(scene.name, content, packer.base64(), jpegs)

    def write(file: Path) -> None:
        file.write_text(text, encoding="utf-8")

    return write_atomically(path, write)


def page_text(name: str, content: dict[str, Any], arrays: str, jpegs: str) -> str:
    """The HTML of a page called ``name``; content: what JSON takes; arrays, jpegs: base64."""
    modules = LIBRARY | {f"page/{module}": f"{module}.js" for module in MODULES}
    imports = json.dumps({"imports": {name: _module(file) for name, file in modules.items()}})
    style = _asset("page.css")
    return Template(_asset("page.html")).substitute(
        policy=_policy(scripts=[imports, START], style=style),
        version=html.escape(__version__),
        licence=_asset("vendor/LICENSE"),
        title=html.escape(name),
        style=style,
        imports=imports,
        start=START,
        scene=json_in_html(content),
        arrays=arrays,
        jpegs=jpegs,
    )


def json_in_html(value: Any) -> str:
    """JSON without the characters that HTML reads, so that no name of a person or file ends the script around it."""
    text = json.dumps(value, allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _module(name: str) -> str:
    encoded = base64.b64encode(_asset(name).encode()).decode("ascii")
    return f"data:text/javascript;base64,{encoded}"


def _policy(scripts: list[str], style: str) -> str:
    """Content security policy: nothing is fetched from anywhere, and only what this page was written with runs."""

    def hash_of(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"

    return "; ".join(
        [
            "default-src 'none'",
            f"script-src data: {' '.join(map(hash_of, scripts))}",
            f"style-src {hash_of(style)}",
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
