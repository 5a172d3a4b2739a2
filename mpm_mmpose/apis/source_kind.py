"""What a source is, by its name and first bytes, before anything is imported that could read it."""

from __future__ import annotations

from pathlib import Path

#: How addresses of cameras in a network begin, which are opened as they come.
STREAMS = ("rtsp://", "rtsps://", "rtmp://", "http://", "https://")
IMAGES = "png apng jpg jpeg jpe jp2 bmp dib tif tiff webp ppm pgm pbm pnm hdr exr avif heic heif"
VIDEOS = "mp4 m4v mov qt avi mkv webm wmv asf flv f4v mpg mpeg mpe m1v m2v vob mts m2ts ts 3gp 3g2 ogv ogg dv mxf gif"
KEYPOINTS = "json jsonl ndjson npz npy csv tsv txt h5 hdf5 pkl pickle xml yaml yml zip"
#: Motion in 3D, which other commands read.
MOTION = "bvh amc c3d trc fbx"
#: What files begin with that hold keypoints, whatever they are called.
_HEADS = (b"{", b"[", b"\x93NUMPY", b"PK\x03\x04", b"\x89HDF")


def is_camera(source: object) -> bool:
    """Whether a source is a webcam, or the address of a camera in the network."""
    return str(source).lower().partition(":")[0] == "webcam" or is_stream(source)


def is_stream(source: object) -> bool:
    """Whether a source is the address of a camera in the network."""
    return str(source).lower().startswith(STREAMS)


def source_kind(source: str | Path) -> str:
    """'camera', 'image', 'video', 'images' (a folder), 'folder' (of none of these), 'motion' or 'keypoints'.

    Suffixes are compared in lower case, and a file of another suffix is what its first bytes look like.
    """
    if is_camera(source):
        return "camera"
    path = Path(source)
    try:
        if path.is_dir():
            there = {_suffix(file) for file in path.iterdir()}
            if (path / "store.json").is_file():
                return "keypoints"
            return (
                "images" if there & set(IMAGES.split()) else "keypoints" if there & set(KEYPOINTS.split()) else "folder"
            )
        head = b"" if not path.is_file() else _head(path)
    except OSError:
        head = b""
    suffix = _suffix(path)
    for kind, suffixes in dict(image=IMAGES, video=VIDEOS, keypoints=KEYPOINTS, motion=MOTION).items():
        if suffix in suffixes.split():
            return kind
    return "keypoints" if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(_HEADS) else "video"


def _suffix(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(64)


def wrong_command(source: str | Path, wants: str) -> str | None:
    """What to say of a source that another command takes, None for one that may be right.

    wants: 'images' or 'keypoints'.
    """
    kind = source_kind(source)
    if kind == "motion":
        return (
            f"{source}: is motion in 3D and no 2D; tools/dataset_converters/mocap.py makes a pose store of it, whose "
            "sequences demo/keypoints_to_3d.py takes"
        )
    if wants == "keypoints" and kind not in ("keypoints", "folder"):
        is_what = {"images": "is a folder of images", "camera": "is a camera", "image": "is an image"}
        return (
            f"{source}: {is_what.get(kind, 'is a video')} and holds no 2D keypoints; demo/video_to_3d.py finds the "
            "people in it: give it to that"
        )
    if wants == "images" and kind == "keypoints":
        return f"{source}: holds no images; 2D keypoints are lifted by demo/keypoints_to_3d.py: give it to that"
    return None
