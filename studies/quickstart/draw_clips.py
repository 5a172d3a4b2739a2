"""Draw motion clips as strips of frames on a floor, to check by eye that people stand and that sides are right."""

import argparse
import sys
from pathlib import Path

from mpm_mmpose.option_parser import OptionParser


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = OptionParser(description=__doc__)
    parser.add_argument("clips", nargs="*", type=Path, metavar="FILE", help="motion files (.bvh, .amc, .npz of clips)")
    parser.add_argument("--synthetic", nargs="+", default=[], metavar="KIND", help="kinds of the built-in generator")
    parser.add_argument("--out", type=Path, required=True, help="picture to write (.png, .svg or .pdf)")
    parser.add_argument("--frames", type=int, default=8, help="frames a clip (default: 8)")
    parser.add_argument("--title", default="", help="title of the picture")
    args = parser.parse_args(argv)
    if not args.clips and not args.synthetic:
        parser.error("give motion files, or --synthetic KIND")
    for path in args.clips:
        if not path.is_file():
            parser.error(f"no such file: {path}")
    return args


def main() -> None:
    """Read or make the clips and write the picture."""
    args = parse_args()
    from mpm_mmpose.readers import read_motions

    from .clips import draw_clips
    from .synthetic_motion import generate_motion

    try:
        motions = [motion for path in args.clips for motion in read_motions(path)]
        motions += [generate_motion(kind, seconds=6.0, fps=50, seed=1) for kind in args.synthetic]
        draw_clips(motions, args.out, frames=args.frames, title=args.title)
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
