"""Files of exactly the layouts in which MPI-INF-3DHP is published, with made motion in them."""

from functools import partial

import numpy as np
import pytest
import scipy.io
from cameras import project_linear

from mpm_mmpose.pose.geometry import world_to_camera
from studies.quickstart.synthetic_motion import generate_motion

# Human3.6M's keypoint at each of the 17 places, and each of those among the 28, written out by hand.
H36M = [10, 8, 14, 15, 16, 11, 12, 13, 1, 2, 3, 4, 5, 6, 0, 7, 9]
AMONG_28 = [7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6]
USED = (0, 1, 2, 4, 5, 6, 7, 8)
LENS = np.array([1497.5, 1496.5, 1024.5, 1051.25, 0, 0, 0, 0, 0])
UNIVERSAL = 0.9  # its size beside the person's, seen from the camera


def place(camera):
    """World-to-camera rotation and translation (m) of one of 14 cameras around the motion."""
    angle = camera * 0.45
    forward = -np.array([np.cos(angle), np.sin(angle), 0])
    rotation = np.stack((np.cross(forward, [0, 0, 1]), [0, 0, -1], forward))
    return rotation, -rotation @ (-4 * forward + [0, 0, 1.4])


def place_in_file(camera):
    """The same from the data set's world, which has y up: x of it is x here, y is z, z is -y."""
    rotation, translation = place(camera)
    return np.stack((rotation[:, 0], rotation[:, 2], -rotation[:, 1]), axis=1), translation


def make_motion(frames, seed, camera):
    """2D (T, 17, 2) px and camera-space 3D (T, 17, 3) mm."""
    world = generate_motion("walking", frames / 25, 25, seed).keypoints_3d.astype(float)[:, H36M]
    points = world_to_camera(world - world[:1, 14:15] * [1, 1, 0], *place(camera))
    return project_linear(points, LENS), points * 1000


def among_28(poses):
    """(T, 28 * C) as the training set's: the other keypoints hold what no test may ever see."""
    full = np.full((len(poses), 28, poses.shape[-1]), 77777.0)
    full[:, AMONG_28] = poses
    return full.reshape(len(poses), -1)


def cells(arrays):
    result = np.empty((len(arrays), 1), dtype=object)
    result[:, 0] = arrays
    return result


def write_calibration(path, lens=LENS):
    lines = ["Skeletool Camera Calibration File V1.0"]
    for camera in range(14):
        intrinsic, extrinsic = np.eye(4), np.eye(4)
        intrinsic[[0, 1, 0, 1], [0, 1, 2, 2]] = lens[:4]
        rotation, translation = place_in_file(camera)
        extrinsic[:3, :3], extrinsic[:3, 3] = rotation, translation * 1000
        lines += [f"name          {camera}", "  sensor      10 10", "  size        2048 2048", "  animated    0"]
        for name, matrix in (("intrinsic", intrinsic), ("extrinsic", extrinsic)):
            lines.append(f"  {name}   " + " ".join(map(repr, matrix.ravel().tolist())) + " ")
        lines.append("  radial      0")
    path.write_text("\n".join(lines) + "\n")


def write_training(folder, subject="S1", take="Seq1", frames=6, seed=1, calibration=True, edit=None):
    """S1/Seq1/annot.mat, MATLAB 5 as the data set's, and camera.calibration beside it."""
    path = folder / subject / take / "annot.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    views = [make_motion(frames, seed, camera) for camera in range(14)]
    fields = dict(
        annot2=cells([among_28(image) for image, _ in views]),
        annot3=cells([among_28(points) for _, points in views]),
        univ_annot3=cells([among_28(points * UNIVERSAL) for _, points in views]),
        cameras=np.arange(14, dtype=np.uint8)[None],
        frames=np.arange(frames, dtype=np.uint16)[:, None],
    )
    if edit:
        edit(fields)
    scipy.io.savemat(path, fields, do_compression=True)
    if calibration:
        write_calibration(path.with_name("camera.calibration"))
    return path


def write_test(folder, subject="TS1", frames=8, seed=2, edit=None):
    """TS1/annot_data.mat: HDF5 behind MATLAB's 512 bytes. Frames 2 and 3 are not valid, and hold NaN."""
    h5py = pytest.importorskip("h5py", reason="h5py is an optional dependency: pip install h5py")
    path = folder / subject / "annot_data.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    image, points = make_motion(frames, seed, 0)
    image[2:4] = points[2:4] = np.nan
    valid = np.ones((frames, 1))
    valid[2:4] = 0
    fields = dict(
        annot2=image[:, None],
        annot3=points[:, None],
        univ_annot3=points[:, None] * UNIVERSAL,
        valid_frame=valid,
        activity_annotation=np.array([1, 1, 2, 2, 2, 7, 1, 1])[:frames, None].astype(float),
        bb_crop=np.zeros((frames, 34)),
    )
    if edit:
        edit(fields)
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in fields.items():
            file[name] = value
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64 HDF5 schema 1.00 .".ljust(124) + b"\x00\x02IM")
    return path


def write_pstmo(folder, edit=None):
    """data_train_3dhp.npz and data_test_3dhp.npz."""
    train, test = {}, {}
    for subject, take, frames, rate in (("S1", "Seq1", 6, 25), ("S1", "Seq2", 5, 50)):
        views = {}
        for camera in USED:
            image, points = make_motion(frames, 1, camera)
            views[str(camera)] = dict(data_2d=image, data_3d=points * UNIVERSAL)
        train[f"{subject} {take}"] = [views, rate]
    for subject, frames in (("TS1", 8), ("TS5", 4)):
        image, points = make_motion(frames, 2, 0)
        valid = np.ones(frames)
        valid[2] = 0
        test[subject] = dict(data_2d=image, data_3d=points * UNIVERSAL, valid=valid)
    if edit:
        edit(train, test)
    paths = folder / "data_train_3dhp.npz", folder / "data_test_3dhp.npz"
    for path, table in zip(paths, (train, test), strict=True):
        np.savez_compressed(path, data=table)
    return paths


@pytest.fixture
def motion():
    """Function of frames, seed and camera: 2D (T, 17, 2) px and camera-space 3D (T, 17, 3) mm in the files."""
    return make_motion


@pytest.fixture
def lens():
    """Intrinsics (9,) px of all cameras."""
    return LENS


@pytest.fixture
def camera_place():
    """Function of a camera's number: its rotation and translation m."""
    return place


@pytest.fixture
def camera_place_in_file():
    """The same as the data set's files have it."""
    return place_in_file


@pytest.fixture
def training(tmp_path):
    """Function that writes an annot.mat of the training set and gives its path."""
    return partial(write_training, tmp_path)


@pytest.fixture
def testing(tmp_path):
    """Function that writes an annot_data.mat of the test set and gives its path."""
    return partial(write_test, tmp_path)


@pytest.fixture
def pstmo(tmp_path):
    """Function that writes P-STMO's two files and gives their paths."""
    return partial(write_pstmo, tmp_path)
