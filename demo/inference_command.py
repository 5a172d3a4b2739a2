"""What video_to_3d.py and keypoints_to_3d.py share: arguments, and what is printed at the end."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from mpm_mmpose.format_names import DEFAULT_FORMATS, FORMATS
from mpm_mmpose.option_parser import OptionParser, add_person_options, positive, score

if TYPE_CHECKING:
    from mpm_mmpose.apis.sources import Recording
    from mpm_mmpose.lifting.people import PeopleDetector

EXIT_STATUS = "exit status: 0 done; 1 something failed, what was computed is kept; 2 wrong use; 130 interrupted"
BACKENDS = ("pytorch", "onnx")


def new_parser(description: str, example: str, formats: tuple[str, ...] = DEFAULT_FORMATS) -> argparse.ArgumentParser:
    """A parser with the arguments of both commands; formats: what is left where nothing else is asked for."""
    parser = OptionParser(
        description=description,
        epilog=f"example:\n  {example}\n\ndocs/inference_demo.md says more.\n{EXIT_STATUS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for what comes out")
    parser.add_argument(
        "--model",
        help="name in configs/mpm/metafile.yml, or a config file; default: the model that --weights say they are of, "
        "or the one in this package",
    )
    parser.add_argument(
        "--weights",
        help="a checkpoint's path or address, or an exported model (docs/deployment.md); default: the published ones "
        "of --model",
    )
    parser.add_argument(
        "--backend",
        choices=BACKENDS,
        help="onnx: --weights is an exported model, which needs no --model; default: by the name of the weights",
    )
    parser.add_argument(
        "--providers",
        nargs="+",
        metavar="NAME",
        help="of ONNX Runtime, the first that can do a step does it; default: the GPU's where there is one, the CPU's",
    )
    parser.add_argument("--task", choices=("lift", "complete"), default="lift", help="default: %(default)s")
    parser.add_argument("--device", help="default: the GPU where there is one")
    parser.add_argument("--fps", type=positive(float), help="frames a second, where the source is wrong or silent")
    parser.add_argument(
        "--track", choices=("iou", "oks"), default="iou", help="by what people are tracked; default: %(default)s"
    )
    parser.add_argument(
        "--format",
        nargs="+",
        choices=FORMATS,
        default=formats,
        help=f"what to leave in DIR; docs/formats.md says for what; default: {' '.join(formats)}",
    )
    parser.add_argument(
        "--threshold", type=score, default=0.3, help="keypoints that score less are not believed; default: %(default)s"
    )
    add_person_options(parser)
    parser.add_argument("--show", action="store_true", help="in a window, while it is made")
    return parser


def find_missing(source: str) -> str | None:
    """What to say of a source that is not there, before anything is loaded; None where it may be."""
    from mpm_mmpose.apis.source_kind import is_camera

    try:
        there = is_camera(source) or Path(source).exists()
    except PermissionError:
        return f"{source}: its folder may not be looked into; ask for permission to it (chmod +x)"
    return None if there else f"{source}: does not exist; give a video, image, folder or keypoint file, or webcam"


def ask_at_once(checks: Iterable[Callable[[], object]]) -> list[object]:
    """What checks give; raises UsageError that has the messages of all that fail, so that nobody is asked twice."""
    from mpm_mmpose.errors import UsageError

    found, wrong = [], []
    for check in checks:
        try:
            found.append(check())
        except UsageError as error:
            wrong.append(str(error))
    if wrong:
        raise UsageError("; ".join(wrong))
    return found


def check_model(args: argparse.Namespace) -> None:
    """UsageError where model or weights are not there; imports nothing heavy."""
    from mpm_mmpose.apis.model_names import find_model, is_exported
    from mpm_mmpose.errors import UsageError
    from mpm_mmpose.runtime.shipped import shipped_model

    if not is_exported(args.model, args.weights, args.backend):
        find_model(args.model, args.weights)
    elif args.weights is not None:
        if not Path(args.weights).is_file():
            raise UsageError(f"{args.weights}: no such file; give what tools/deployment/export_onnx.py wrote")
    elif args.model is not None:
        raise UsageError("--backend onnx: give the exported model as --weights; see tools/deployment/export_onnx.py")
    else:
        shipped_model()


def check_writing(args: argparse.Namespace) -> object:
    """How people are written; UsageError for a character that cannot be moved."""
    from mpm_mmpose.apis.command_options import writing_options

    return writing_options(args)


def needs_pytorch(model: str | None, weights: str | None, backend: str | None, pose2d: str | None) -> bool:
    """Whether any of these is a model of PyTorch's; pose2d: None where there are no images."""
    from mpm_mmpose.apis.model_names import is_exported

    return not is_exported(model, weights, backend) or pose2d not in (None, "blazepose")


@contextmanager
def _quiet(pytorch: bool) -> Iterator[None]:
    """What is loaded from where is no result, and what MMPose does without in a checkpoint is no warning."""
    if not pytorch:
        yield
        return
    print("Loading PyTorch and MMPose ...", file=sys.stderr, flush=True)
    from mmengine.logging import MMLogger

    logger = MMLogger.get_instance("mpm_mmpose", log_level="ERROR")
    with redirect_stdout(sys.stderr):
        yield
    logger.setLevel("WARNING")


def run(
    args: argparse.Namespace,
    source: str,
    read: Callable[[], Iterable[Recording]] | None,
    find_pose2d: Callable[[], str | PeopleDetector] = lambda: "blazepose",
) -> int:
    """Infer and return the exit status.

    read: reads the recordings of a source of 2D keypoints, None for a source of images. find_pose2d: gives what finds
    people in these.
    """
    # OpenMP's threads spin while they wait, which makes every step slower where other programs want the cores too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # What the libraries below warn each other about is nothing that a user can mend; of damaged videos and cameras that
    # are not there OpenCV and FFmpeg say hundreds of lines, we one.
    warnings.filterwarnings("ignore")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    from mpm_mmpose.apis.source_kind import wrong_command
    from mpm_mmpose.errors import UsageError

    inferencer = None
    status = 0
    try:
        wrong = find_missing(source) or wrong_command(source, "images" if read is None else "keypoints")
        if wrong is not None:
            raise UsageError(wrong)
        # Before PyTorch is imported, which takes seconds.
        _, writing, *recordings = ask_at_once(
            [lambda: check_model(args), lambda: check_writing(args), *([] if read is None else [read])]
        )
        with _quiet(needs_pytorch(args.model, args.weights, args.backend, getattr(args, "pose2d", None))):
            from mpm_mmpose.apis import MPMInferencer
            from mpm_mmpose.apis.command_options import lifting_options

            inferencer = MPMInferencer(
                args.model,
                args.weights,
                find_pose2d(),
                device=args.device,
                backend=args.backend,
                providers=args.providers,
                threshold=args.threshold,
            )
        for result in inferencer(
            recordings[0] if recordings else source,
            args.task,
            out_dir=args.out,
            formats=args.format,
            fps=args.fps,
            track=args.track,
            show=args.show,
            progress=True,
            people=lifting_options(args),
            writing=writing,
        ):
            for note in (result.recording.span, *result.notes, result.recording.problem):
                if note:
                    print(f"note: {note}", file=sys.stderr)
            for problem in result.unwritten:
                print(f"error: {problem}", file=sys.stderr)
            if result.recording.problem or result.unwritten or not result.people:
                status = 1
            print(f"{result.name}: {len(result.people)} people in {len(result.recording.times)} frames")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = 130
    except (ValueError, OSError, MemoryError) as error:
        print(f"error: {error or type(error).__name__}", file=sys.stderr)
        status = 2 if isinstance(error, UsageError) else 1
    except RuntimeError as error:  # out of memory on the GPU, or OpenCV and torch about what they were given
        print(f"error: {type(error).__name__}: {str(error).strip().partition(chr(10))[0]}", file=sys.stderr)
        status = 1
    for path in inferencer.kept if inferencer else ():
        print(f"kept: {path}")
    return status
