import numpy as np
import pytest
import torch
from cameras import camera_extrinsics, project_linear
from hypothesis import given
from hypothesis import strategies as st

from mpm_mmpose.pose import geometry
from mpm_mmpose.pose.rotations import axis_rotation

CAMERAS = [f"{subject}_cam{camera}" for subject in ("S1", "S9") for camera in range(4)]
# Human3.6M's first camera, px
INTRINSICS = np.array([1145.05, 1143.78, 512.54, 515.45, -0.2071, 0.2478, -0.0031, -0.00098, -0.0014])


@pytest.fixture(scope="module")
def reference(reference_dir):
    return np.load(reference_dir / "refine.npz", allow_pickle=False)


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy], ids=["numpy", "torch"])
def test_camera_parity(reference, camera, kind):
    def get(name):
        return kind(reference[f"camera/{camera}/{name}"])

    world = kind(reference["camera/world_xyz_m"])
    rotation, translation = camera_extrinsics(get("orientation_wxyz"), get("translation_m"))
    points = geometry.world_to_camera(world, rotation, translation)
    np.testing.assert_allclose(points, get("camera_xyz_m"), atol=3e-6)
    np.testing.assert_allclose(geometry.camera_to_world(points, rotation, translation), world, atol=3e-6)
    np.testing.assert_allclose(geometry.project(points, get("intrinsic")), get("project_to_2d"), atol=2e-6)
    np.testing.assert_allclose(project_linear(points, get("intrinsic")), get("project_to_2d_linear"), atol=2e-6)


@pytest.mark.parametrize("size", [(1000, 1002), (1000, 1000), (2048, 2048), (1920, 1080)])
def test_screen_parity(reference, size):
    px = reference["camera/px"]
    normalised = geometry.normalize_screen(px, *size)
    np.testing.assert_allclose(normalised, reference[f"camera/normalized_w{size[0]}_h{size[1]}"], atol=1e-12)
    np.testing.assert_allclose(geometry.denormalize_screen(normalised, *size), px, atol=1e-9)


@pytest.mark.parametrize("name", ["uvd2xyz", "uvd2xyz_T5"])
def test_uvd_parity(reference, name):
    uvd, gt, cam, expected = (torch.from_numpy(reference[f"{name}/{part}"]) for part in ("uvd", "gt_3d", "cam", "xyz"))
    absolute = geometry.uvd_to_camera(uvd, gt[:, :, 0, 2], cam)
    np.testing.assert_allclose(geometry.root_relative(absolute), expected, atol=1e-6)
    np.testing.assert_array_equal(absolute[..., 0, 2], gt[..., 0, 2])
    in_numpy = geometry.uvd_to_camera(uvd.numpy(), gt[:, :, 0, 2].numpy(), cam.numpy())
    np.testing.assert_allclose(in_numpy, absolute, atol=1e-6)


def test_uvd_to_camera_of_one_frame_and_its_gradient():
    uvd = torch.rand(4, 17, 3, dtype=torch.float64, requires_grad=True)
    depth = torch.full((4,), 5.0, dtype=torch.float64)
    cam = torch.from_numpy(INTRINSICS / 500)[None].expand(4, 9)
    geometry.uvd_to_camera(uvd, depth, cam)[:, 1:].sum().backward()
    assert (uvd.grad[:, 0] == 0).all() and (uvd.grad[:, 1:] != 0).all()


def test_quaternion_known_turns():
    half = np.sqrt(0.5)
    turns = geometry.quaternion_to_matrix(np.array([[1, 0, 0, 0], [half, 0, 0, half], [2, 2, 0, 0]], dtype=float))
    np.testing.assert_allclose(turns[0], np.eye(3), atol=1e-12)
    np.testing.assert_allclose(turns[1] @ [1, 0, 0], [0, 1, 0], atol=1e-12)  # 90 degrees about z
    np.testing.assert_allclose(turns[2] @ [0, 1, 0], [0, 0, 1], atol=1e-12)  # 90 degrees about x, length 2.8


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_turns_about_an_axis_are_those_of_rotations(axis):
    angles = np.linspace(-4, 4, 5)
    expected = axis_rotation("xyz"[axis], angles)
    about = np.broadcast_to(np.eye(3)[axis], (5, 3))
    for one in (axis, about):
        np.testing.assert_allclose(geometry.axis_turn(angles, one), expected, atol=1e-12)
    for one in (axis, torch.from_numpy(about.copy())):
        np.testing.assert_allclose(geometry.axis_turn(torch.from_numpy(angles), one), expected, atol=1e-12)


metres = st.floats(-1.5, 1.5)


@given(x=metres, y=metres, z=st.floats(2, 10))
def test_unprojection_inverts_linear_projection(x, y, z):
    point = np.array([[x, y, z]])
    uv = project_linear(point, INTRINSICS)
    np.testing.assert_allclose(geometry.unproject_linear(uv, point[..., 2], INTRINSICS), point, atol=1e-9)


@given(x=metres, y=metres, z=st.floats(2, 10), width=st.integers(100, 4000), height=st.integers(100, 4000))
def test_normalised_intrinsics_project_to_the_normalised_screen(x, y, z, width, height):
    point = np.array([[x, y, z]])
    normalised = geometry.normalize_intrinsics(INTRINSICS, width, height)
    expected = geometry.normalize_screen(geometry.project(point, INTRINSICS), width, height)
    np.testing.assert_allclose(geometry.project(point, normalised), expected, atol=1e-9)


def test_intrinsics_belong_to_the_leading_axes():
    points = np.random.default_rng(0).uniform(1, 3, (2, 5, 17, 3))
    cameras = np.stack([INTRINSICS, INTRINSICS * 1.1])
    both = geometry.project(points, cameras)
    for index in range(2):
        np.testing.assert_array_equal(both[index], geometry.project(points[index], cameras[index]))


@given(
    st.floats(-1, 1), st.floats(-1, 1), st.floats(2, 9), st.integers(0, 2**31 - 1), st.sampled_from(["numpy", "torch"])
)
def test_a_person_is_found_where_they_stand(x, y, z, seed, kind):
    random = np.random.default_rng(seed)
    poses = random.normal(0, 0.4, (3, 17, 3)).clip(-0.9, 0.9)
    poses -= poses[:, :1]
    root = np.array([x, y, z])
    intrinsics = np.tile([2.29, 2.287, 0.025, 0.029, 0, 0, 0, 0, 0], (3, 1))
    uv = (poses + root)[..., :2] / (poses + root)[..., 2:] * intrinsics[0, :2] + intrinsics[0, 2:4]
    if kind == "torch":
        poses, uv, intrinsics = map(torch.from_numpy, (poses, uv, intrinsics))
    np.testing.assert_allclose(geometry.fit_root(poses, uv, intrinsics), np.tile(root, (3, 1)), rtol=1e-6, atol=1e-6)


def test_a_person_behind_the_camera_is_put_before_it():
    poses, uv = np.zeros((1, 5, 3)), np.zeros((1, 5, 2))
    poses[0, :, 0], uv[0, :, 0] = np.arange(5), -np.arange(5)  # mirrored: no depth fits
    found = geometry.fit_root(poses, uv, np.array([[1.0, 1, 0, 0, 0, 0, 0, 0, 0]]))
    assert found[0, 2] == 0.1 and np.isfinite(found).all()
