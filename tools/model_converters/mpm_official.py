"""Convert weights of the authors' release into a checkpoint of this package, and check them against figures."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from mpm_mmpose.option_parser import OptionParser


def rate(text: str) -> float:
    """For `type=` of an argument: 1 to 1000 Hz."""
    value = float(text)
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is no rate of 1 to 1000 frames a second")
    return value


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = OptionParser(
        description=__doc__,
        epilog="Exit status: 0 converted, 1 an output differs by more than the tolerance, 2 wrong use.",
    )
    parser.add_argument("src", metavar="SRC", help="weights of the authors: .pth, or a fixture .npz with state/*")
    parser.add_argument("dst", metavar="DST", help="checkpoint to write (.pth)")
    parser.add_argument("--refine", metavar="SRC", help="weights of a refine module to put into a lifting model")
    parser.add_argument("--check", metavar="FIXTURE.npz", help="run the converted model on the figures of this file")
    parser.add_argument("--heads", type=int, default=8, help="attention heads (default: 8, as released)")
    parser.add_argument("--strides", metavar="S,S,...", help="strides of a lifting decoder (default: as released)")
    parser.add_argument(
        "--fps", type=rate, default=50.0, help="of what they were trained on (default: 50, Human3.6M's)"
    )
    parser.add_argument(
        "--frame-step",
        type=int,
        default=2,
        help="frames between two of a window (default: 2, as released for Human3.6M; 1 for the others)",
    )
    parser.add_argument("--keypoint-set", help="by name (default: h36m_17, or common_16 for 16 keypoints)")
    parser.add_argument("--tolerance", type=float, default=1e-5, help="largest difference allowed (default: 1e-5)")
    args = parser.parse_args(argv)
    if not 1 <= args.frame_step <= 100:
        parser.error(f"argument --frame-step: {args.frame_step} is not a number of 1 to 100")
    if args.strides is not None:
        try:
            args.strides = tuple(int(stride) for stride in args.strides.split(","))
        except ValueError:
            parser.error(f"argument --strides: {args.strides!r} is not a list of numbers such as 3,3,3")
    return args


def main(argv: list[str] | None = None) -> int:
    """Convert, write, and check if asked to; returns the exit status."""
    args = parse_args(argv)
    # Imported here: MMPose takes seconds, and --help needs none of it.
    from mpm_mmpose.official.check import build_model, differences
    from mpm_mmpose.official.weights import converted_meta, infer_sizes, load_official, save_atomically

    try:
        official = load_official(args.src)
        if args.refine:
            refine = load_official(args.refine)
            if infer_sizes(refine).kind != "refine":
                raise ValueError(f"--refine {args.refine}: not the weights of a refine module")
            official |= refine
        sizes = infer_sizes(official, args.heads, args.strides)
        state = build_model(official, sizes).state_dict()
        found = differences(official, sizes, args.check) if args.check else {}
        source = [Path(path).name for path in (args.src, args.refine) if path]
        meta = converted_meta(sizes, args.fps, args.frame_step, args.keypoint_set) | dict(source=source)
        save_atomically(dict(state_dict=state, meta=meta), args.dst)
    except (OSError, ValueError, KeyError) as error:
        error = error.args[0] if isinstance(error, KeyError) else error  # of a name that is not known
        print(f"mpm_official.py: error: {error}", file=sys.stderr)
        return 2
    known = ", ".join(f"{name} {value}" for name, value in asdict(sizes).items() if value and name != "kind")
    print(f"{args.dst}: {sizes.kind} model, {len(state)} tensors; {known}")
    if found:
        print("largest absolute differences (2D: normalised units; 3D and all errors: metres)")
    for name, difference in found.items():
        print(f"{name:<40} {difference:.2e}{'' if difference <= args.tolerance else '  ABOVE TOLERANCE'}")
    return int(any(not difference <= args.tolerance for difference in found.values()))


if __name__ == "__main__":
    sys.exit(main())
