"""SMPL: pose parameters of the body model's 24 joints, as files of AMASS have them; no body model is needed."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np

from ..atomic_file import write_atomically
from ..format_names import suffix_of
from ..pose.rotations import rotation_vectors
from ..pose.scene import Scene, plain_text
from .files import Written
from .motion import SkeletonMotion, motions_of
from .rig import Rig, retarget

#: Joints in SMPL's order, what each hangs on, and where it is in the mean body at rest, m, to the nearest cm: by these
#: the bones of a rest pose point, which differ by a degree or two from body to body.
_JOINTS = (
    ("pelvis", -1, (0.00, -0.22, 0.03)),
    ("left_hip", 0, (0.07, -0.31, 0.02)),
    ("right_hip", 0, (-0.07, -0.31, 0.02)),
    ("spine1", 0, (0.00, -0.11, 0.00)),
    ("left_knee", 1, (0.11, -0.69, 0.02)),
    ("right_knee", 2, (-0.11, -0.69, 0.02)),
    ("spine2", 3, (0.00, 0.02, 0.00)),
    ("left_ankle", 4, (0.09, -1.09, -0.03)),
    ("right_ankle", 5, (-0.09, -1.09, -0.03)),
    ("spine3", 6, (0.00, 0.07, 0.03)),
    ("left_foot", 7, (0.12, -1.14, 0.09)),
    ("right_foot", 8, (-0.12, -1.14, 0.09)),
    ("neck", 9, (0.00, 0.29, -0.01)),
    ("left_collar", 9, (0.08, 0.19, -0.01)),
    ("right_collar", 9, (-0.08, 0.19, -0.01)),
    ("head", 12, (0.00, 0.35, 0.04)),
    ("left_shoulder", 13, (0.17, 0.23, -0.02)),
    ("right_shoulder", 14, (-0.17, 0.23, -0.02)),
    ("left_elbow", 16, (0.43, 0.21, -0.04)),
    ("right_elbow", 17, (-0.43, 0.21, -0.04)),
    ("left_wrist", 18, (0.68, 0.22, -0.05)),
    ("right_wrist", 19, (-0.68, 0.22, -0.05)),
    ("left_hand", 20, (0.77, 0.21, -0.06)),
    ("right_hand", 21, (-0.77, 0.21, -0.06)),
)
NAMES = tuple(name for name, _, _ in _JOINTS)
PLACES = np.array([place for _, _, place in _JOINTS])
#: What no keypoint tells: these stay as at rest, relative to what they hang on.
UNDETERMINED = tuple(
    name for name in NAMES if name.partition("_")[2] in ("ankle", "foot", "collar", "wrist", "hand") or name == "head"
)
NOTE = "SMPL: feet, hands, collars and head are as at rest, how forearms and shins are twisted is a guess, shape is 0"


def write_smpl(path: Path, scene: Scene) -> Written:
    """One file per person, ``<path>_<person>.smpl.npz`` where there are several, from their first pose to the last.

    As in AMASS: poses (N, 72) rad, rotation vectors of 24 joints; trans (N, 3) m, which added to the model's pelvis at
    rest is where the pelvis is; betas (10,) 0; gender 'neutral'; mocap_framerate. Besides root (N, 3) m, the pelvis
    itself, and undetermined, names of joints that keypoints do not tell. y up on the floor, facing z at rest. Raises
    ValueError where nobody is left to write.
    """
    motions, notes = motions_of(path, scene, suffix_of("smpl"))
    return Written([_write(motion, scene) for motion in motions], [*notes, NOTE])


def rig() -> Rig:
    """SMPL's skeleton at rest."""
    parents = [parent for _, parent, _ in _JOINTS]
    local = np.tile(np.eye(4), (len(_JOINTS), 1, 1))
    local[:, :3, 3] = [place if parent < 0 else place - PLACES[parent] for _, parent, place in _JOINTS]
    limbs = [f"{side}_{one}" for side in ("left", "right") for one in ("hip", "knee", "ankle", "shoulder", "elbow")]
    limbs += ["left_wrist", "right_wrist", "neck", "head"]
    return Rig(parents, local, {name: NAMES.index(name) for name in limbs})


def _write(motion: SkeletonMotion, scene: Scene) -> Path:
    turns, _ = retarget(motion.fitted, motion.root, rig())
    poses = np.zeros((len(motion.root), len(_JOINTS), 3))
    for joint, turn in turns.items():
        poses[:, joint] = rotation_vectors(turn)
    arrays = {
        "poses": poses.reshape(len(poses), -1).astype(np.float32),
        "trans": (motion.root - PLACES[0]).astype(np.float32),
        "betas": np.zeros(10, np.float32),
        "gender": np.array("neutral"),
        "mocap_framerate": np.array(float(scene.fps)),
        "root": motion.root.astype(np.float32),
        "undetermined": np.array(UNDETERMINED),
        "made_by": np.array(plain_text(scene.made_by)),
    }
    whole = BytesIO()  # numpy leaves a file that it could not end open
    np.savez_compressed(whole, **arrays)
    return write_atomically(motion.path, lambda file: file.write_bytes(whole.getbuffer()))
