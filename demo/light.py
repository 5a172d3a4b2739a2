#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.10,<3.13"
# dependencies = [
#     "numpy>=1.26",
#     "onnxruntime>=1.20",
#     "ai-edge-litert>=1.4",
#     "opencv-python-headless<4.12",
#     "mediapipe==0.10.21",
# ]
#
# # Of mediapipe only the models' files are used; what it asks for besides is large and not needed.
# [[tool.uv.dependency-metadata]]
# name = "mediapipe"
# version = "0.10.21"
# requires-dist = []
# ///
"""A video to 3D without PyTorch and MMPose: `uv run demo/light.py my_video.mp4 --out out` installs what it needs."""

import sys
from pathlib import Path

# In a checkout the package is beside this folder, in an installed wheel around it (mpm_mmpose/.mim/demo).
_HERE = Path(__file__).resolve()
sys.path.insert(0, str(_HERE.parents[1 if (_HERE.parents[1] / "mpm_mmpose").is_dir() else 3]))

from mpm_mmpose.apis.light_command import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
