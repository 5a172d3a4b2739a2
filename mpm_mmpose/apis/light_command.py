"""A video, or 2D keypoints, to 3D with an exported model; needs numpy and ONNX Runtime, and neither PyTorch nor MMPose.

Videos, images and webcams need OpenCV and BlazePose's models as well: docs/install.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ..errors import UsageError
from ..format_names import FORMATS, IMAGE_FORMATS, suffix_of
from ..option_parser import OptionParser, add_file_options, add_person_options, positive, score

EPILOG = """examples:
  python -m mpm_mmpose.runtime walk.mp4 --out out
  python -m mpm_mmpose.runtime walk.json --model lift.onnx --out walk.bvh --fps 30 --width 1920 --height 1080

docs/deployment.md says more.
exit status: 0 done; 1 something failed; 2 wrong use; 130 interrupted"""

#: What is left in a folder of keypoints where nothing else is asked for.
FILE_FORMATS = ("npz",)
#: Options that say what a file of keypoints does not.
OF_FILES = ("width", "height", "keypoint_format", "keypoint_set", "keypoint_map", "sequence", "ids")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    as_module = Path(sys.argv[0]).name == "__main__.py"
    parser = OptionParser(
        prog="python -m mpm_mmpose.runtime" if as_module else None,  # else the file's name, as light.py
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source",
        metavar="VIDEO|FILE",
        help="a video, an image, a folder of images, or webcam (Ctrl-C ends it); or a file or folder of a 2D detector, "
        "or a pose store",
    )
    parser.add_argument(
        "--model", metavar="ONNX", help="what tools/deployment/export_onnx.py wrote; default: the model in this package"
    )
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        help=f"a file that ends in {', '.join(map(suffix_of, FORMATS))}, or a folder",
    )
    parser.add_argument(
        "--format",
        nargs="+",
        choices=FORMATS,
        help=f"what to leave in a folder; default: {' '.join(FILE_FORMATS)}; of videos {' '.join(IMAGE_FORMATS)}",
    )
    parser.add_argument("--fps", type=positive(float), help="frames a second; where the source is wrong or silent")
    add_file_options(parser)
    parser.add_argument(
        "--providers",
        nargs="+",
        metavar="NAME",
        help="of ONNX Runtime, the first that can do a step does it; default: the GPU's where there is one, the CPU's",
    )
    parser.add_argument(
        "--threshold", type=score, default=0.3, help="keypoints that score less are masked; %(default)s"
    )
    parser.add_argument("--mode", choices=("exact", "blended"), help="default: exact where the model has target poses")
    parser.add_argument("--no-flip-test", action="store_true", help="half the time, a little less exact")
    add_person_options(parser)
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


def formats_of(out: Path, wanted: list[str] | None, usual: tuple[str, ...] = FILE_FORMATS) -> list[str] | None:
    """The formats to leave in a folder, None where ``out`` is one file; UsageError for what cannot be meant."""
    known = [suffix_of(name) for name in FORMATS]
    is_file = out.suffix.lower() in known and not out.is_dir()
    if wanted and is_file:
        raise UsageError(f"{out}: is one file, where --format leaves several; give a folder as --out, or no --format")
    if not wanted and out.suffix and not is_file and not out.is_dir():
        known = ", ".join(known)
        raise UsageError(f"{out}: suffix {out.suffix!r} is not known; give a folder, or a file with one of {known}")
    return None if is_file else wanted or list(usual)


def run(args: argparse.Namespace) -> int:
    """Lift and write; returns the exit status, 1 where anything or anybody is missing."""
    # Of damaged videos OpenCV and FFmpeg say hundreds of lines, we one.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    from ..runtime.shipped import shipped_model
    from .command_options import lifting_options, read_file, writing_options
    from .inferencer import MPMInferencer
    from .source_kind import source_kind

    of_keypoints = source_kind(args.source) in ("keypoints", "folder", "motion")
    formats = formats_of(args.out, args.format, FILE_FORMATS if of_keypoints else IMAGE_FORMATS)
    call = dict(people=lifting_options(args), writing=writing_options(args), progress=sys.stderr.isatty())
    if formats:
        call |= dict(out_dir=args.out, formats=formats)
    if not of_keypoints and (
        given := [name for name in OF_FILES if getattr(args, name) not in (None, 0, "auto", "file")]
    ):
        named = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UsageError(f"{args.source}: {named}: are of files of 2D keypoints, and these are images; leave it out")
    source = read_file(args) if of_keypoints else args.source
    inferencer = MPMInferencer(
        weights=args.model or shipped_model(),
        backend="onnx",
        providers=args.providers,
        threshold=args.threshold,
        mode=args.mode,
        flip_test=not args.no_flip_test,
    )
    status = 0
    try:
        for number, result in enumerate(inferencer(source, fps=args.fps, **call)):
            if number and not formats:
                raise UsageError(
                    f"{args.source}: holds several recordings, and {args.out} is the first of them; give a folder as "
                    "--out, or choose one with --sequence"
                )
            status = 1 if result.recording.problem or result.unwritten or not result.people else status
            if not formats and result.people:
                inferencer.kept += result.save(args.out)
            for note in filter(None, (result.recording.span, *result.notes, result.recording.problem)):
                print(f"note: {note}", file=sys.stderr)
            for problem in result.unwritten:
                print(f"error: {problem}", file=sys.stderr)
            print(f"{result.name}: {len(result.people)} people in {len(result.recording.times)} frames")
    except ImportError as error:
        raise UsageError(f"{args.source}: this needs {error.name}; install it (docs/light.md)") from None
    finally:
        for path in inferencer.kept:
            print(f"wrote: {path}")
    return status
