"""Files of a pose store, for the one that writes and the one that reads.

A store is a directory: ``store.json`` (format, version, keypoint set, what it was made from, the sequences' texts, and
CRC-32 checksums of the rows in each file) and plain ``.npy`` files. Frame arrays run over all frames of all sequences
(N, ...), tables have one row per sequence (S, ...).
"""

import numpy as np

FORMAT = "mpm_mmpose.pose_store"
VERSION = 1

# name of the .npy file: shape of a frame's row for that many keypoints; all float32
FRAME_ARRAYS = {
    "keypoints": lambda number: (number, 2),
    "keypoints_3d": lambda number: (number, 3),
    "keypoint_scores": lambda number: (number,),
}
# name of the .npy file: (type, shape of a sequence's row)
TABLES = {
    "lengths": (np.int64, ()),
    "sizes": (np.int32, (2,)),
    "fps": (np.float64, ()),
    "intrinsics": (np.float32, (9,)),
    "rotations": (np.float32, (3, 3)),
    "translations": (np.float32, (3,)),
}
# fields of store.json with one text per sequence
TEXTS = ("names", "subjects", "actions", "cameras", "sources")
