"""A random human body and its pose from joint angles and foot positions.

Space: world, metres, Z up, floor z = 0. A body looking along +X has its left side at +Y. Angles are radians; all
functions work on T frames at once. Pairs of limbs are stacked as (left, right).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpm_mmpose.pose.rotations import axis_rotation

#: +1 for the left limb, -1 for the right one: mirrors what points sideways.
SIDES = np.array([1.0, -1.0])

#: Straightest leg as a part of its length; a person's knee is never quite straight, and full stretch makes it jerk.
LEG_REACH = 0.994


@dataclass(frozen=True)
class Body:
    """Bone lengths of one person in metres, the same on both sides."""

    height: float
    hip: float
    thigh: float
    shin: float
    ankle: float
    foot: float
    spine: float
    chest: float
    nose: tuple[float, float]
    head: tuple[float, float]
    shoulder: float
    upper_arm: float
    forearm: float

    @property
    def leg(self) -> float:
        """Hip to ankle, stretched."""
        return self.thigh + self.shin

    @property
    def standing(self) -> float:
        """Height of the hips above the floor when the person stands relaxed."""
        return 0.985 * self.leg + self.ankle


@dataclass
class Pose:
    """Joint angles and end points of T frames; the input of `forward_kinematics`.

    pelvis (T, 3): wanted world position in metres (lowered where a foot would be out of reach).
    trunk, neck (T, 3): yaw, pitch (+ forward), roll (+ to the right); `trunk` relative to the pelvis, `neck` to it.
    pelvis_angles (T, 3): the same in the world. arms (T, 2, 4): flexion, abduction, inward rotation, elbow flexion.
    ankles (T, 2, 3): world positions. knee_yaw (T, 2): world direction in which the knees point.
    """

    pelvis: np.ndarray
    pelvis_angles: np.ndarray
    trunk: np.ndarray
    neck: np.ndarray
    arms: np.ndarray
    ankles: np.ndarray
    knee_yaw: np.ndarray


def random_body(rng: np.random.Generator) -> Body:
    """Draw a person between 1.5 m and 1.95 m tall; proportions are those of the Human3.6M skeletons, varied."""
    height = float(np.clip(rng.normal(1.71, 0.1), 1.5, 1.95))
    legs = rng.normal(1.0, 0.025)
    trunk = rng.normal(2.0 - legs, 0.015)  # long legs go with a short trunk at the same height
    arms, shoulders, hips = rng.normal(1.0, (0.035, 0.06, 0.08))
    thigh_share = rng.normal(0.495, 0.008)

    def scaled(fraction: float, factor: float) -> float:
        return float(height * fraction * np.clip(factor, 0.8, 1.2))

    leg = scaled(0.496, legs)
    return Body(
        height=height,
        hip=scaled(0.072, hips),
        thigh=leg * thigh_share,
        shin=leg * (1.0 - thigh_share),
        ankle=scaled(0.042, 1.0),
        foot=scaled(0.075, 1.0),
        spine=scaled(0.132, trunk),
        chest=scaled(0.147, trunk),
        nose=(scaled(0.036, 1.0), scaled(0.062, 1.0)),
        head=(scaled(-0.02, 1.0), scaled(0.066, 1.0)),
        shoulder=scaled(0.087, shoulders),
        upper_arm=scaled(0.160, arms),
        forearm=scaled(0.144, arms),
    )


def rotation(yaw: np.ndarray, pitch: np.ndarray, roll: np.ndarray) -> np.ndarray:
    """Rotation Rz(yaw) Ry(pitch) Rx(roll) of angles (...) as matrices (..., 3, 3)."""
    return axis_rotation("z", yaw) @ axis_rotation("y", pitch) @ axis_rotation("x", roll)


def forward_kinematics(body: Body, pose: Pose) -> np.ndarray:
    """World positions (T, 17, 3) in metres, Human3.6M order, of a body in T poses.

    Spine, neck and arms follow their angles; the legs reach the ankles by two-bone inverse kinematics with the knee on
    the side of `knee_yaw`, and the pelvis comes down smoothly where a leg is too short for that.
    """
    pelvis_rotation = rotation(*pose.pelvis_angles.T)
    hip_offsets = body.hip * SIDES[:, None] * pelvis_rotation[:, None, :, 1]
    pelvis = _lower_to_reach(body, pose.pelvis, hip_offsets, pose.ankles)
    hips = pelvis[:, None] + hip_offsets
    knees, ankles = _bend_legs(body, hips, pose.ankles, pose.knee_yaw)

    # The trunk bends half at the lower and half at the upper spine.
    half = rotation(*(0.5 * pose.trunk).T)
    lower = pelvis_rotation @ half
    upper = lower @ half
    spine = pelvis + body.spine * lower[..., 2]
    thorax = spine + body.chest * upper[..., 2]
    face = upper @ rotation(*pose.neck.T)
    nose = thorax + body.nose[0] * face[..., 0] + body.nose[1] * face[..., 2]
    head = nose + body.head[0] * face[..., 0] + body.head[1] * face[..., 2]

    shoulders = thorax[:, None] + body.shoulder * SIDES[:, None] * upper[:, None, :, 1]
    elbows, wrists = _move_arms(body, upper, shoulders, pose.arms)

    out = np.empty((len(pelvis), 17, 3))
    out[:, 0], out[:, 7], out[:, 8], out[:, 9], out[:, 10] = pelvis, spine, thorax, nose, head
    for side, (leg, arm) in enumerate(((4, 11), (1, 14))):
        out[:, leg], out[:, leg + 1], out[:, leg + 2] = hips[:, side], knees[:, side], ankles[:, side]
        out[:, arm], out[:, arm + 1], out[:, arm + 2] = shoulders[:, side], elbows[:, side], wrists[:, side]
    return out


def _lower_to_reach(body: Body, pelvis: np.ndarray, hip_offsets: np.ndarray, ankles: np.ndarray) -> np.ndarray:
    """Pelvis (T, 3) brought down, without a kink, until both ankles are within LEG_REACH of their hips."""
    hips = pelvis[:, None] + hip_offsets
    across = ((ankles - hips)[..., :2] ** 2).sum(-1)
    highest = ankles[..., 2] - hip_offsets[..., 2] + np.sqrt(np.maximum((LEG_REACH * body.leg) ** 2 - across, 1e-4))
    softness = 0.012  # metres over which the limits are blended: a smooth minimum never exceeds the minimum
    heights = np.stack([pelvis[:, 2], highest[:, 0], highest[:, 1]])
    lowest = heights.min(0)
    smooth = lowest - softness * np.log(np.exp((lowest - heights) / softness).sum(0))
    return np.concatenate([pelvis[:, :2], smooth[:, None]], 1)


def _bend_legs(
    body: Body, hips: np.ndarray, targets: np.ndarray, knee_yaw: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Knees and ankles (T, 2, 3) of legs from `hips` towards `targets`, knees bent towards `knee_yaw`."""
    reach = targets - hips
    distance = np.linalg.norm(reach, axis=-1, keepdims=True)
    along = reach / distance
    distance = np.clip(distance, 0.25 * body.leg, LEG_REACH * body.leg)
    forward = np.stack([np.cos(knee_yaw), np.sin(knee_yaw), np.zeros_like(knee_yaw)], -1)
    pole = forward - (forward * along).sum(-1, keepdims=True) * along
    pole /= np.linalg.norm(pole, axis=-1, keepdims=True)
    thigh_along = (distance**2 + body.thigh**2 - body.shin**2) / (2.0 * distance)
    out = np.sqrt(np.maximum(body.thigh**2 - thigh_along**2, 0.0))
    return hips + thigh_along * along + out * pole, hips + distance * along


def _move_arms(
    body: Body, trunk: np.ndarray, shoulders: np.ndarray, angles: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Elbows and wrists (T, 2, 3); at zero the arms hang, and elbow flexion brings the forearm forward."""
    flexion, abduction, inward, elbow = np.moveaxis(angles, -1, 0)
    swing = rotation(0.0, -flexion, SIDES * abduction)
    direction = trunk[:, None] @ swing
    # Rz(-side * inward) applied to the forearm (sin e, 0, -cos e), written out.
    sine = np.sin(elbow)
    forearm = np.stack([sine * np.cos(inward), -SIDES * sine * np.sin(inward), -np.cos(elbow)], -1)
    elbows = shoulders - body.upper_arm * direction[..., 2]
    return elbows, elbows + body.forearm * (direction @ forearm[..., None])[..., 0]
