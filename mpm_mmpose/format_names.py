"""The formats that a result can be left in, by name; needs nothing beyond Python, so that --help is there at once."""

#: A file of the scene in each; the writers are in mpm_mmpose.formats.
SCENE_FORMATS = ("json", "npz", "csv", "bvh", "trc", "c3d", "glb", "smpl")
#: All: a page and a video as well.
FORMATS = (*SCENE_FORMATS, "html", "video")
#: What is left where nothing else is asked for: MMPose's JSON, arrays, and a video.
DEFAULT_FORMATS = ("json", "npz", "video")
#: ... and of images, by the commands.
IMAGE_FORMATS = ("json", "npz", "bvh", "html", "video")


def suffix_of(format: str) -> str:
    """The suffix of a format's files, with the dot."""
    return {"video": ".mp4", "smpl": ".smpl.npz"}.get(format, f".{format}")
