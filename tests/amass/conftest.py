"""A body of SMPL's joints with three vertices a joint, and AMASS archives, written in the layout of the real ones.

Also archives in the layout that MPM's released code reads.
"""

from pathlib import Path

import numpy as np
import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.pose.geometry import normalize_screen
from mpm_mmpose.pose.keypoints import COMMON_16, H36M_17
from studies.quickstart.synthetic_motion import generate_motion

BODY_PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19]
# metres from the parent, person facing z with left on x
BODY_OFFSETS = """
0 -.2 .03; .07 -.09 -.01; -.07 -.09 0; 0 .11 -.03; .03 -.38 0; -.04 -.38 -.01; .01 .14 0; -.01 -.40 -.04; .02 -.40 -.03;
0 .05 0; .03 -.06 .12; -.03 -.06 .12; 0 .21 -.04; .07 .12 -.03; -.08 .11 -.03; .01 .07 .05; .12 .04 -.02; -.11 .05 -.01;
.26 -.01 -.02; -.26 0 -.01; .25 .01 0; -.26 .01 0"""


def parents_of(kind):
    parents = list(BODY_PARENTS) + ([15] * 3 if kind == "smplx" else [])
    for wrist in (20, 21):
        for _finger in range(5):
            parents += [wrist, len(parents), len(parents) + 1]
    return np.array(parents)


def body_arrays(kind="smplh", gender="neutral", shapes=16, seed=0):
    """Arrays of a body model: random weights, blend shapes and regressor around joints of human proportions."""
    random = np.random.default_rng([seed, *map(ord, gender)])
    parents = parents_of(kind)
    number = len(parents)
    offsets = np.vstack((np.array([row.split() for row in BODY_OFFSETS.split(";")], float), np.zeros((number - 22, 3))))
    offsets[22:] = random.uniform(-0.03, 0.03, (number - 22, 3))
    joints = offsets.copy()
    for joint in range(1, number):
        joints[joint] += joints[parents[joint]]
    template = np.repeat(joints, 3, axis=0) + random.uniform(-0.05, 0.05, (3 * number, 3))
    template[3 * 15] = joints[15] + (0.01, 0.16, 0.02)  # crown
    weights = random.dirichlet(np.full(number, 0.1), 3 * number) * 0.3
    weights[np.arange(3 * number), np.repeat(np.arange(number), 3)] += 0.7
    regressor = np.zeros((number, 3 * number))
    for joint in range(number):
        regressor[joint, 3 * joint : 3 * joint + 3] = random.dirichlet(np.ones(3))
    tree = np.stack((parents, np.arange(number))).astype(np.int64)
    tree[0, 0] = 2**32 - 1  # as the published files have it
    return dict(
        v_template=template,
        shapedirs=random.normal(0, 0.01, (3 * number, 3, shapes)),
        posedirs=random.normal(0, 0.003, (3 * number, 3, 9 * (number - 1))),
        J_regressor=regressor,
        weights=weights,
        kintree_table=tree,
        f=np.zeros((4, 3), np.uint32),
        hands_meanl=random.normal(size=45),
        hands_meanr=random.normal(size=45),
        hands_componentsl=random.normal(size=(45, 45)),
        hands_componentsr=random.normal(size=(45, 45)),
    )


def rotation(vector):
    """Rodrigues' formula for one axis-angle."""
    angle = np.linalg.norm(vector)
    if angle == 0:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def forward(model, pose, betas):
    """Joints (J, 3), vertices (V, 3) and rotations (J, 3, 3) of one frame, joint by joint as SMPL's paper has it."""
    parents = model["kintree_table"][0]
    shaped = model["v_template"] + model["shapedirs"][:, :, : len(betas)] @ betas
    rest = model["J_regressor"] @ shaped
    local = [rotation(vector) for vector in pose.reshape(-1, 3)]
    joints, turns = [rest[0]], [local[0]]
    for joint in range(1, len(rest)):
        parent = parents[joint]
        joints.append(joints[parent] + turns[parent] @ (rest[joint] - rest[parent]))
        turns.append(turns[parent] @ local[joint])
    corrected = shaped + model["posedirs"] @ np.concatenate([(turn - np.eye(3)).ravel() for turn in local[1:]])
    vertices = np.zeros_like(corrected)
    for joint, (turn, place) in enumerate(zip(turns, joints, strict=True)):
        vertices += model["weights"][:, joint, None] * ((corrected - rest[joint]) @ turn.T + place)
    return np.array(joints), vertices, np.array(turns), rest, shaped


def clip_arrays(kind="smplh", frames=9, seed=0, fps=100.0, gender="female"):
    """Arrays of an archive of someone who moves upright in a Z-up world."""
    random = np.random.default_rng(seed)
    number = len(parents_of(kind))
    poses = random.normal(0, 0.3, (frames, number * 3))
    poses[:, :3] = (np.pi / 2, 0, 0)  # Y up to Z up
    trans = np.array([0.5, 0.2, 1.2]) + np.linspace(0, 0.3, frames)[:, None] * (1, 0, 0)
    arrays = dict(poses=poses, trans=trans, betas=random.normal(0, 1, 16), gender=np.array(gender))
    if kind == "smplh":
        return arrays | dict(mocap_framerate=np.array(fps), dmpls=np.zeros((frames, 8)))
    parts = dict(root_orient=poses[:, :3], pose_body=poses[:, 3:66], pose_jaw=poses[:, 66:69])
    parts |= dict(pose_eye=poses[:, 69:75], pose_hand=poses[:, 75:])
    return arrays | parts | dict(mocap_frame_rate=np.array(fps), surface_model_type=np.array("smplx"))


@pytest.fixture
def models(tmp_path):
    """Folder of tiny body models: SMPL-H of all genders, SMPL-X neutral."""
    pytest.importorskip("smplx", reason="smplx is an optional dependency: pip install --no-deps smplx==0.1.28")
    folder = tmp_path / "body_models"
    for gender in ("male", "female", "neutral"):
        (folder / "smplh" / gender).mkdir(parents=True)
        np.savez(folder / "smplh" / gender / "model.npz", **body_arrays("smplh", gender))
    (folder / "smplx").mkdir()
    np.savez(folder / "smplx" / "SMPLX_NEUTRAL.npz", **body_arrays("smplx", shapes=20))
    return folder


@pytest.fixture
def write_clip(tmp_path):
    """Writes an archive below ``tmp_path``, with ``changes`` to its arrays (None: left out), and returns its path."""

    def write(name: str = "amass/CMU/01/01_01_poses.npz", kind: str = "smplh", changes=None, **options) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = clip_arrays(kind, **options) | (changes or {})
        np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
        return path

    return write


@pytest.fixture
def released_clip():
    """Makes an entry of the released code's archive: someone who walks, root-relative, seen by a camera."""

    def make(number: int = 16, frames: int = 12, seed: int = 0) -> dict:
        sequence = next(project_views(generate_motion("walking", 1.0, 30, seed), cameras=1, seed=seed))
        kept = list(COMMON_16.indices_in(H36M_17) if number == 16 else range(17))
        screen = normalize_screen(sequence.keypoints.astype(float), sequence.width, sequence.height)
        poses = (sequence.keypoints_3d - sequence.keypoints_3d[:, :1]).astype(float)
        return dict(length=frames, pose2d=screen[:frames, kept], pose3d=poses[:frames, kept])

    return make


@pytest.fixture
def write_released(tmp_path):
    """Writes clips by name as the released code's archive and returns its path."""

    def write(clips: dict, name: str = "amass.npz") -> Path:
        np.savez(tmp_path / name, poses=np.array(clips, dtype=object))
        return tmp_path / name

    return write


@pytest.fixture
def body():
    """The makers of body models and clips, and the independent forward: see the functions of this file."""

    class Body:
        arrays, clip, forward = staticmethod(body_arrays), staticmethod(clip_arrays), staticmethod(forward)

    return Body
