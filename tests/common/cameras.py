"""Cameras as other projects give them, for tests against their figures."""

from mpm_mmpose.pose.geometry import quaternion_to_matrix


def camera_extrinsics(orientation, position):
    """World-to-camera rotation (3, 3) and translation (3,) m of a camera given the VideoPose3D way.

    orientation (4,) is the camera's axes in the world, quaternion w, x, y, z; position (3,) m in the world.
    """
    rotation = quaternion_to_matrix(orientation).T
    return rotation, -(rotation @ position)


def project_linear(points, intrinsics):
    """`project` without distortion, clamped likewise (VideoPose3D's ``project_to_2d_linear``)."""
    cam = intrinsics
    while cam.ndim < points.ndim:
        cam = cam[..., None, :]
    return cam[..., 0:2] * (points[..., :2] / points[..., 2:]).clip(-1, 1) + cam[..., 2:4]
