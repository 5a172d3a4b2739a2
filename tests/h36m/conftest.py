"""Files of exactly the layouts in which Human3.6M is published, with made motion in them."""

from functools import partial

import numpy as np
import pytest

from mpm_mmpose.pose.geometry import project, world_to_camera
from mpm_mmpose.readers.h36m import cameras
from studies.quickstart.synthetic_motion import generate_motion

# Which of VideoPose3D's 32 joints each of the 17 keypoints is, written out by hand.
JOINTS = {0: 0, 1: 1, 2: 2, 3: 3, 4: 6, 5: 7, 6: 8, 7: 12, 8: 13, 9: 14, 10: 15}
JOINTS |= {11: 17, 12: 18, 13: 19, 14: 25, 15: 26, 16: 27}
TAKES = {
    "S1": {"Directions 1": 5, "Walking": 7},
    "S9": {"Greeting": 4, "Waiting 1": 5, "Waiting": 6, "WalkDog 1": 3},
    "S11": {"Photo": 6},
}


def make_motions(takes=TAKES):
    """World motion (T, 17, 3) m by (subject, take)."""
    return {
        (subject, take): generate_motion("walking", frames / 50, 50, (index, number)).keypoints_3d
        for index, (subject, names) in enumerate(takes.items())
        for number, (take, frames) in enumerate(names.items())
    }


def nested(table):
    result = {}
    for (subject, take), value in table.items():
        result.setdefault(subject, {})[take] = value
    return result


def thirty_two(world):
    """(T, 32, 3) as VideoPose3D's: the other joints hold what no test may ever see."""
    positions = np.full((len(world), 32, 3), 77.0, dtype=np.float32)
    for keypoint, joint in JOINTS.items():
        positions[:, joint] = world[:, keypoint]
    return positions


def write_videopose3d(folder, takes=TAKES, edit_3d=None, edit_2d=None, extra=2, symmetry=None):
    """data_3d_h36m.npz and data_2d_h36m_cpn_ft_h36m_dbb.npz, whose 2D is the projection plus (camera, 0.5) px.

    edit_3d and edit_2d change the tables before they are written; extra: frames by which 2D is longer.
    """
    table_3d = {key: thirty_two(world) for key, world in make_motions(takes).items()}
    table_2d = {}
    for (subject, take), world in make_motions(takes).items():
        views = []
        for index, camera in enumerate(cameras(subject)):
            image = project(
                world_to_camera(world.astype(float), camera.rotation, camera.translation), camera.intrinsics
            )
            image = np.concatenate((image, np.repeat(image[-1:], extra, 0))) + (index, 0.5)
            views.append(image.astype(np.float32))
        table_2d[subject, take] = views
    positions_3d, positions_2d = nested(table_3d), nested(table_2d)
    metadata = dict(
        layout_name="h36m",
        num_joints=17,
        keypoints_symmetry=symmetry or [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]],
    )
    for edit, table in ((edit_3d, positions_3d), (edit_2d, positions_2d)):
        if edit:
            edit(table)
    paths = folder / "data_3d_h36m.npz", folder / "data_2d_h36m_cpn_ft_h36m_dbb.npz"
    np.savez_compressed(paths[0], positions_3d=positions_3d)
    np.savez_compressed(paths[1], positions_2d=positions_2d, metadata=metadata)
    return paths


def write_mmpose(folder, takes=TAKES, step=1, edit=None):
    """h36m_test.npz of annotation_body3d, and CPN's .npy, whose 2D is the annotated plus 1 px and scores are 0.75."""
    names, part, points = [], [], []
    for (subject, take), world in make_motions(takes).items():
        base = f"{subject}_{take.replace(' ', '_')}"
        for camera in cameras(subject):
            keypoints_3d = world_to_camera(world.astype(float), camera.rotation, camera.translation)[::step]
            ones = np.ones((*keypoints_3d.shape[:2], 1))
            points.append(np.concatenate((keypoints_3d, ones), -1))
            part.append(np.concatenate((project(keypoints_3d, camera.intrinsics), ones), -1))
            for frame in range(len(keypoints_3d)):
                name = f"{base}.{camera.name}"
                names.append(f"{subject}/{name}/{name}_{frame * step + 1:06d}.jpg")
    fields = dict(imgname=np.array(names), part=np.concatenate(part), S=np.concatenate(points))
    fields |= dict(center=np.full((len(names), 2), 500.0), scale=np.ones(len(names)))
    detections = fields["part"].copy()
    detections[..., :2] += 1
    detections[..., 2] = 0.75
    if edit:
        edit(fields)
    paths = folder / "h36m_test.npz", folder / "cpn_ft_h36m_dbb_test.npy"
    np.savez(paths[0], **fields)
    np.save(paths[1], detections)
    return paths


@pytest.fixture
def takes():
    """Frames of each recording in the files, by subject and take."""
    return TAKES


@pytest.fixture
def motions():
    """World motion (T, 17, 3) m of each recording in the files, by (subject, take)."""
    return make_motions()


@pytest.fixture
def videopose3d(tmp_path):
    """Function that writes VideoPose3D's two files and gives their paths."""
    return partial(write_videopose3d, tmp_path)


@pytest.fixture
def mmpose_files(tmp_path):
    """Function that writes MMPose's annotations and detections and gives their paths."""
    return partial(write_mmpose, tmp_path)
