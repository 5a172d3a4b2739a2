"""Formats of results and of 2D keypoints, by name; needs nothing beyond Python, so that --help is there at once."""

#: A file of the scene in each; the writers are in mpm_mmpose.formats.
SCENE_FORMATS = ("json", "npz", "csv", "bvh", "trc", "c3d", "glb", "smpl")
#: All: a page and a video as well.
FORMATS = (*SCENE_FORMATS, "html", "video")
#: What is left where nothing else is asked for: MMPose's JSON, arrays, and a video.
DEFAULT_FORMATS = ("json", "npz", "video")
#: ... and of images, by the commands.
IMAGE_FORMATS = ("json", "npz", "bvh", "html", "video")


#: What 2D detectors wrote; the readers are in mpm_mmpose.readers.
KEYPOINT_FORMATS = ("mmpose", "coco", "alphapose", "annotations", "frames")
KEYPOINT_FORMATS += ("openpose", "videopose3d", "array", "csv", "yolo", "deeplabcut")
#: Whose keypoints these can be.
DETECTOR_SETS = ("coco_17", "halpe_26", "body_25", "body_25b", "openpose_18", "mpii_16", "posetrack_17")
DETECTOR_SETS += ("blazepose_33", "h36m_17")


def suffix_of(format: str) -> str:
    """The suffix of a format's files, with the dot."""
    return {"video": ".mp4", "smpl": ".smpl.npz"}.get(format, f".{format}")
