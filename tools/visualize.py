#!/usr/bin/env python
"""Compare predictions of one clip: an HTML page to turn and play, and a figure for papers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mpm_mmpose.option_parser import OptionParser

EPILOG = """files:
  what an evaluation left:  uv run tools/test.py CONFIG CHECKPOINT --cfg-options test_evaluator.dump=A.npz
  what an inference left:   uv run demo/keypoints_to_3d.py ... --format npz
  ground truth: such a file, or a pose store (a folder), which has 2D, too

example:
  uv run tools/visualize.py --pred small=A.npz --pred large=B.npz --ground-truth data/stores/mocap_test \\
      --clip 02_05.cam0 --out page.html --figure figure.pdf --frames 10 50 90"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--pred", action="append", required=True, metavar="[NAME=]FILE", help="predictions, .npz; once for each model"
    )
    parser.add_argument(
        "--ground-truth", type=Path, help="true 3D, .npz or a pose store; default: what the predictions hold"
    )
    parser.add_argument("--clip", help="the sequence, where files hold several")
    parser.add_argument("--person", help="the person, where results of an inference hold several")
    parser.add_argument("--fps", type=float, help="frames a second, where no file says them")
    parser.add_argument("--out", type=Path, metavar="FILE.html", help="page to write")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="figure to write: .pdf, .svg or .png")
    parser.add_argument(
        "--frames", type=int, nargs="+", metavar="N", help="rows of the figure (default: 3 of the clip)"
    )
    args = parser.parse_args(argv)
    if args.out is None and args.figure is None:
        parser.error("give --out page.html, --figure figure.pdf, or both")
    if args.out is not None and args.out.suffix.lower() not in (".html", ".htm"):
        parser.error(f"--out {args.out}: give a name that ends with .html")
    if args.figure is not None and args.figure.suffix.lower() not in (".pdf", ".svg", ".png"):
        parser.error(f"--figure {args.figure}: give a name that ends with .pdf, .svg or .png")
    if args.frames and args.figure is None:
        parser.error("--frames chooses rows of --figure, which is not given")
    if args.fps is not None and not 1 <= args.fps <= 1000:
        parser.error(f"--fps {args.fps:g}: give frames a second, from 1 to 1000, such as 30")
    args.pred = _named(parser, args.pred)
    for path in (*args.pred.values(), *([args.ground_truth] if args.ground_truth else [])):
        if not path.exists():
            parser.error(f"no such file: {path}")
    for name, path in args.pred.items():
        if path.is_dir():
            parser.error(f"--pred {name}: {path} is a folder; give an .npz file")
    return args


def _named(parser: argparse.ArgumentParser, texts: list[str]) -> dict[str, Path]:
    """NAME=FILE to name and path; without a name it is that of the file."""
    named: dict[str, Path] = {}
    for text in texts:
        name, equals, file = text.partition("=")
        path = Path(file if equals and not Path(text).exists() else text)
        name = name if equals and not Path(text).exists() else path.stem
        if name in named:
            parser.error(f"two predictions are called {name!r}; give names: --pred NAME={path}")
        named[name] = path
    return named


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)
    from mpm_mmpose.apis.comparison import compare
    from mpm_mmpose.viewer import write_page

    try:
        scene = compare(args.pred, args.ground_truth, clip=args.clip, person=args.person, fps=args.fps)
        if args.figure is not None:
            from mpm_mmpose.visualization.paper_figure import draw_figure, frames_to_draw

            frames = frames_to_draw(scene, args.frames)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    try:
        if args.out is not None:
            write_page(args.out, scene, called=("prediction", "predictions"))
            print(f"wrote {args.out}: {len(scene.times)} frames, {args.out.stat().st_size / 1e6:.1f} MB")
        if args.figure is not None:
            draw_figure(scene, args.figure, frames)
            print(f"wrote {args.figure}: frames {', '.join(map(str, frames))}")
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
