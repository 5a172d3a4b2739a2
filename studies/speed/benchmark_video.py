"""Measure what a video costs from reading it to 3D, with BlazePose and an exported model; no PyTorch, no MMPose.

Each stage alone, in seconds of the CPU, which do not depend on what else the machine does; all of them overlapped, on
the clock, which do; and the most memory that the process had.
"""

import argparse
import os
import sys
import time


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", metavar="VIDEO", help="of one person or more")
    parser.add_argument("--model", metavar="ONNX", help="an exported model; default: the one in the package")
    parser.add_argument("--cores", type=int, default=1, help="that the process may use (default: 1)")
    parser.add_argument("--frames", type=int, default=0, help="to look at; the video is repeated (default: as it has)")
    parser.add_argument("--mode", choices=("exact", "blended"), help="of lifting; default: as the model is exported")
    parser.add_argument("--no-flip-test", action="store_true", help="lift the plain view alone")
    args = parser.parse_args(argv)
    if args.cores < 1 or args.frames < 0:
        parser.error("give 1 or more --cores, and 0 or more --frames")
    return args


def measure(args: argparse.Namespace) -> str:
    """The table, in Markdown."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    import cv2
    import numpy as np

    from mpm_mmpose.apis.images import Images, open_images
    from mpm_mmpose.apis.people_2d import find_people
    from mpm_mmpose.blazepose import BlazePose
    from mpm_mmpose.lifting.track_lifter import TrackLifter
    from mpm_mmpose.runtime import OnnxModel
    from mpm_mmpose.runtime.shipped import shipped_model

    cv2.setNumThreads(args.cores)
    source = open_images(args.video)

    class Repeated(Images):
        """The video again and again, until there were so many frames."""

        def __iter__(self):
            number = 0
            while number < self.total:
                for _, image in source:
                    yield number / self.fps, image
                    number += 1
                    if number == self.total:
                        return

    images = Repeated(source.name, source.fps, source.width, source.height, args.frames or source.total)
    detector = BlazePose()
    lifter = TrackLifter(
        OnnxModel(args.model or shipped_model(), threads=args.cores), mode=args.mode, flip_test=not args.no_flip_test
    )
    costs = {}
    start = time.process_time()
    shown = sum(1 for _ in images)
    costs["reading the video"] = time.process_time() - start
    start, clock = time.process_time(), time.monotonic()
    recording = find_people(images, detector)
    costs["finding people, 2D"] = time.process_time() - start - costs["reading the video"]
    start = time.process_time()
    for track in recording.tracks:
        lifter.lift(track)
    costs["lifting"] = time.process_time() - start
    clock = time.monotonic() - clock
    whole = sum(costs.values())
    people = np.sum([len(track) for track in recording.tracks]) / shown
    lines = [
        f"{shown} frames of {source.width} x {source.height} px, {people:.2f} people in each, {args.cores} cores",
        "",
    ]
    lines += ["| stage | CPU ms a frame | share |", "|---|--:|--:|"]
    lines += [f"| {name} | {1000 * cost / shown:.1f} | {cost / whole:.0%} |" for name, cost in costs.items()]
    lines += [f"| together | {1000 * whole / shown:.1f}, {shown / whole:.1f} frames a second of one core | |", ""]
    lines += [f"On the clock: {shown / clock:.1f} frames a second. Most memory: {_most_memory():.0f} MB."]
    return "\n".join(lines)


def _most_memory() -> float:
    """MB that this process had at most."""
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


def main(argv: list[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    args = parse_args(argv)
    from mpm_mmpose.errors import exit_status

    return exit_status(lambda: print(measure(args)))


if __name__ == "__main__":
    sys.exit(main())
