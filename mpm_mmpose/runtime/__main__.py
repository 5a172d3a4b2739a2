"""2D keypoints to 3D with an exported model; needs numpy and ONNX Runtime, and neither PyTorch nor MMPose."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..apis.errors import UsageError
from ..option_parser import OptionParser, add_person_options

EPILOG = """example:
  python -m mpm_mmpose.runtime walk.json --model lift.onnx --out walk.bvh --fps 30 --width 1920 --height 1080

docs/deployment.md says more.
exit status: 0 done; 1 something failed; 2 wrong use; 130 interrupted"""

#: Those of mpm_mmpose.formats, which is imported when they are needed.
FORMATS = ("json", "npz", "csv", "bvh", "trc", "c3d", "html")


def positive(kind: type) -> object:
    """For `type=` of an argument: a number of this kind above 0."""

    def convert(text: str) -> float:
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError
        return value

    convert.__name__ = f"{kind.__name__} above 0"
    return convert


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(
        prog="python -m mpm_mmpose.runtime",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="FILE", help="keypoints: .json or .npz, OpenPose's folder, or a pose store")
    parser.add_argument("--model", required=True, metavar="ONNX", help="what tools/deployment/export_onnx.py wrote")
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        help=f"a file that ends in {', '.join(f'.{name}' for name in FORMATS)}, or a folder",
    )
    parser.add_argument("--format", nargs="+", choices=FORMATS, help="what to leave in a folder; default: npz")
    parser.add_argument("--fps", type=positive(float), help="frames a second; needed unless FILE says")
    parser.add_argument("--width", type=positive(int), default=0, help="of the video, px; needed unless FILE says")
    parser.add_argument("--height", type=positive(int), default=0, help="of the video, px; needed unless FILE says")
    parser.add_argument("--keypoint-format", default="auto", help="as in demo/keypoints_to_3d.py; default: as it looks")
    parser.add_argument("--keypoint-set", default="auto", help="of the detector; default: by what FILE says")
    parser.add_argument("--sequence", help="of a store; default: all of them")
    parser.add_argument(
        "--ids",
        choices=("file", "mend", "ignore"),
        default="file",
        help="of people: those of FILE, these with exchanges undone, or told apart anew; default: %(default)s",
    )
    parser.add_argument(
        "--providers",
        nargs="+",
        metavar="NAME",
        help="of ONNX Runtime, the first that can do a step does it; default: the GPU's where there is one, the CPU's",
    )
    parser.add_argument(
        "--threshold", type=float, default=0.3, help="keypoints that score less are hidden; %(default)s"
    )
    parser.add_argument("--mode", choices=("exact", "blended"), help="default: exact where the model has target poses")
    parser.add_argument("--no-flip-test", action="store_true", help="half the time, a little less exact")
    add_person_options(parser, positive(float))
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)
    try:
        return run(args)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except (ValueError, OSError, MemoryError) as error:
        print(f"error: {error or type(error).__name__}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1


def formats_of(out: Path, wanted: list[str] | None) -> list[str] | None:
    """The formats to leave in a folder, None where ``out`` is one file; UsageError for what cannot be meant."""
    is_file = out.suffix.lower().removeprefix(".") in FORMATS and not out.is_dir()
    if wanted and is_file:
        raise UsageError(f"{out}: is one file, where --format leaves several; give a folder as --out, or no --format")
    if not wanted and out.suffix and not is_file and not out.is_dir():
        known = ", ".join(f".{name}" for name in FORMATS)
        raise UsageError(f"{out}: suffix {out.suffix!r} is not known; give a folder, or a file with one of {known}")
    return None if is_file else wanted or ["npz"]


def run(args: argparse.Namespace) -> int:
    """Lift and write; returns the exit status, 1 where nobody could be lifted."""
    from .lifting import lift_file  # here, because --help needs no numpy

    formats = formats_of(args.out, args.format)
    status = 0
    results = lift_file(
        args.source,
        args.model,
        providers=args.providers,
        fps=args.fps,
        width=args.width,
        height=args.height,
        format=args.keypoint_format,
        keypoint_set=args.keypoint_set,
        sequence=args.sequence,
        ids=args.ids,
        mend_sides=args.mend_sides,
        person_height=args.person_height,
        trajectory=args.trajectory,
        focal=args.focal,
        focal_35mm=args.focal_35mm,
        progress=_show if sys.stderr.isatty() else None,
        threshold=args.threshold,
        mode=args.mode,
        flip_test=not args.no_flip_test,
    )
    for number, result in enumerate(results):
        if number and not formats:
            raise UsageError(
                f"{args.source}: holds several recordings, and {args.out} is the first of them; give a folder as "
                "--out, or choose one with --sequence"
            )
        status = status if result.people else 1
        written = []
        for format in (formats or [None]) if result.people else ():
            try:
                written += result.save(args.out, format and [format])
            except ValueError as error:  # what one format cannot hold, another can
                print(f"error: {error}", file=sys.stderr)
                status = 1
        for note in filter(None, (result.recording.span, *result.notes)):
            print(f"note: {note}", file=sys.stderr)
        print(f"{result.name}: {len(result.people)} people in {len(result.recording.times)} frames")
        for path in written:
            print(f"wrote: {path}")
    return status


def _show(person: str, done: int, total: int) -> None:
    print(
        f"\rperson {person}: {done} of {total} windows", end="\n" if done == total else "", file=sys.stderr, flush=True
    )


if __name__ == "__main__":
    sys.exit(main())
