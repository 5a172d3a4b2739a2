"""Make a GIF of a part of a video, for a README: smaller, fewer frames, few colours."""

import argparse
import sys
from pathlib import Path

from mpm_mmpose.option_parser import OptionParser


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = OptionParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.gif")
    parser.add_argument("--start", type=float, default=0.0, metavar="S", help="s (default: 0)")
    parser.add_argument("--seconds", type=float, default=5.0, metavar="S", help="how long (default: 5)")
    parser.add_argument("--fps", type=float, default=12.5, help="frames a second (default: 12.5)")
    parser.add_argument("--width", type=int, default=720, help="px (default: 720)")
    parser.add_argument("--colours", type=int, default=48, help="2 to 256 (default: 48)")
    args = parser.parse_args(argv)
    if not args.video.is_file():
        parser.error(f"no such file: {args.video}")
    if args.start < 0 or args.seconds <= 0 or not 0 < args.fps <= 50 or args.width < 16 or not 2 <= args.colours <= 256:
        parser.error("give --start 0 or more, --seconds above 0, --fps to 50, --width 16 or more, --colours 2 to 256")
    return args


def read_frames(video: Path, start: float, seconds: float, fps: float, width: int) -> list:
    """RGB images that are shown at even times. Raises ValueError where there are none."""
    import cv2
    from PIL import Image

    from mpm_mmpose.apis.images import open_images

    images = []
    for time, image in open_images(video):
        if time >= start + seconds:
            break
        if time >= start + len(images) / fps:
            height = round(image.shape[0] * width / image.shape[1])
            small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
            images.append(Image.fromarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB)))
    if not images:
        raise ValueError(f"{video}: has no frame from {start:g} s on that OpenCV can read")
    return images


def main(argv: list[str] | None = None) -> int:
    """Write the GIF; returns the exit status."""
    args = parse_args(argv)
    from PIL import Image

    from mpm_mmpose.atomic_file import write_atomically

    try:
        images = read_frames(args.video, args.start, args.seconds, args.fps, args.width)
        # One palette of all frames: colours that change from frame to frame flicker, and cost bytes.
        strip = Image.new("RGB", (images[0].width, 8 * images[0].height))
        for place in range(8):
            strip.paste(images[place * (len(images) - 1) // 7], (0, place * images[0].height))
        palette = strip.quantize(args.colours)
        flat = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
        # GIFs count in hundredths of a second.
        ends = [round(100 * index / args.fps) for index in range(len(flat) + 1)]
        durations = [10 * (end - begin) for begin, end in zip(ends, ends[1:], strict=False)]
        options = dict(save_all=True, append_images=flat[1:], duration=durations, loop=0, optimize=False)
        write_atomically(args.out, lambda file: flat[0].save(file, **options))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"wrote {args.out}: {len(flat)} frames, {args.out.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
