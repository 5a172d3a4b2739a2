#!/usr/bin/env python
"""Errors on a real person's video: what the demos make of it, beside MediaPipe's own 3D and a frozen pose.

The folder has videos `cam*.mp4` of calibrated cameras, 2D that other detectors see in them (`*_cam*.json`) and its own
`score.py`, which knows the ground truth. Nothing may be trained or chosen on such a clip.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COLUMNS = ("MPJPE", "turned", "P-MPJPE", "acceleration", "scale")


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="with cam*.mp4 and score.py")
    parser.add_argument("--out", type=Path, default=Path("work_dirs/real"), help="default: %(default)s")
    parser.add_argument("options", nargs="*", help="of the demos, after --, such as -- --weights MODEL.onnx")
    args = parser.parse_args()
    if not (args.folder / "score.py").is_file():
        parser.error(f"{args.folder}: has no score.py; give the folder of the clip")
    return args


def lift(source: Path, out: Path, options: list[str]) -> Path:
    """Run the demo that takes such a source; returns the .npz that it leaves."""
    demo = "keypoints_to_3d.py" if source.suffix == ".json" else "video_to_3d.py"
    command = [sys.executable, str(ROOT / "demo" / demo), str(source), "--out", str(out), "--format", "npz", *options]
    subprocess.run(command, check=True)
    return out / f"{source.stem}.npz"


def score(folder: Path, arguments: list[str]) -> list[float]:
    """The last line of the clip's own measure: one number a column."""
    command = [sys.executable, str(folder / "score.py"), "--folder", str(folder), *arguments]
    last = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1]
    return [float(number) for number in re.findall(r"-?\d+\.\d+", last)][-len(COLUMNS) :]


def main() -> None:
    """Lift, score, and print a Markdown table of the means over the cameras."""
    args = parse_args()
    cameras = sorted(path.stem for path in args.folder.glob("cam*.mp4"))
    inputs = {"video": {camera: args.folder / f"{camera}.mp4" for camera in cameras}}
    for path in sorted(args.folder.glob("*_cam*.json")):
        detector, _, camera = path.stem.rpartition("_")
        if camera in cameras:
            inputs.setdefault(f"2D of {detector}", {})[camera] = path
    rows = {}
    for name, sources in inputs.items():
        out = args.out / name.replace(" ", "_")
        found = {camera: lift(source, out, args.options) for camera, source in sources.items()}
        rows[f"ours, {name}"] = score(args.folder, [f"{camera}={path}" for camera, path in found.items()])
    for model in ("heavy", "full"):
        rows[f"MediaPipe's own 3D, {model}"] = score(args.folder, ["--mediapipe", model])
    rows["the clip's mean pose, frozen"] = score(args.folder, ["--still"])
    print(f"\n| mean of {', '.join(cameras)} | {' | '.join(COLUMNS)} |\n|---|{'---:|' * len(COLUMNS)}")
    for name, figures in rows.items():
        print(
            f"| {name} | "
            + " | ".join(f"{figure:.{2 if c == 'scale' else 1}f}" for c, figure in zip(COLUMNS, figures, strict=True))
            + " |"
        )


if __name__ == "__main__":
    main()
