"""A person who walks, rendered, and where their keypoints are."""

from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec

import numpy as np
import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from studies.quickstart.synthetic_motion import generate_motion
from studies.rendered.scene import Scene
from studies.rendered.stills import person_box


@pytest.fixture(scope="session")
def blazepose():
    from mpm_mmpose.blazepose import BlazePose

    try:
        distribution("mediapipe")
    except PackageNotFoundError:
        pytest.skip("mediapipe, whose wheel has the models, is not installed (it has none for aarch64)")
    if find_spec("ai_edge_litert") is None:
        pytest.skip("ai-edge-litert is not installed")
    return BlazePose(threads=1)


@pytest.fixture(scope="session")
def far_walk():
    """Images (N, H, W, 3) (N = 12) of somebody far away, and the keypoints (N, 17, 2) px of Human3.6M in them."""
    clip = next(project_views(generate_motion("walking", 0.5, 30, 0), cameras=1))
    keypoints = clip.keypoints[:12]
    box = person_box(keypoints[0], clip.width, clip.height)
    scene = Scene(np.random.default_rng(4), clip.width, clip.height, clip.intrinsics, box)
    return np.stack([scene.render(pose).image for pose in clip.keypoints_3d[:12]]), keypoints


@pytest.fixture(scope="session")
def walk(far_walk):
    """The same, but of the piece of the images in which the person is tall."""
    images, keypoints = far_walk
    half = 0.75 * np.ptp(keypoints[0, :, 1])
    left, top = np.maximum(keypoints[0].mean(0) - half, 0).astype(int)
    size = int(2 * half)
    return np.ascontiguousarray(images[:, top : top + size, left : left + size]), keypoints - (left, top)
