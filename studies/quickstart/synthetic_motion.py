"""Plausible articulated motion made from nothing but a seed: needs no download and has no licence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mpm_mmpose.readers.motion import Motion

from .synthetic_body import SIDES, Pose, forward_kinematics, random_body
from .synthetic_gait import Gait, walk
from .synthetic_script import ACTIVITIES, ARM_LIMITS, LEFT, RIGHT, Script

#: Kinds of motion; `mixed` goes from one activity to another.
KINDS = (*ACTIVITIES, "mixed")


def generate_motion(kind: str, seconds: float = 10.0, fps: float = 50.0, seed: int | Sequence[int] = 0) -> Motion:
    """One person of random size doing `kind` for a while, with rests and transitions.

    Returns a Motion of round(seconds * fps) frames in world space, metres, Z up, floor z = 0, Human3.6M 17 keypoints.
    The same arguments give the same motion. Raises ValueError for an unknown kind, or no time to fill.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind of synthetic motion {kind!r}; there are {', '.join(KINDS)}")
    frames = round(seconds * fps)
    if frames < 1:
        raise ValueError(f"seconds={seconds} at fps={fps} makes no frame; ask for at least one")
    rng = np.random.default_rng(seed)
    body = random_body(rng)
    script = Script(body, rng)

    # The clip is cut from a longer one: it starts anywhere in an activity, and its last step knows where it will land.
    skipped = int(rng.uniform(0.0, 4.0) * fps)
    time = np.arange(skipped + frames + int(1.5 * fps) + 1) / fps
    now = rng.uniform(0.3, 1.0)
    while now < time[-1]:
        now = _next_activity(kind, rng)(script, now)
    gait = walk(
        body,
        time,
        script.bouts,
        start=rng.normal(0.0, 0.5, 2),
        heading=rng.uniform(-np.pi, np.pi),
        widths=(rng.uniform(0.16, 0.34), rng.uniform(0.08, 0.17)),
        toe_out=tuple(np.deg2rad(rng.normal(9, 5, 2))),
        lift=rng.uniform(0.03, 0.08),
    )
    keep = slice(skipped, skipped + frames)
    gait = Gait(*(getattr(gait, field)[keep] for field in Gait.__dataclass_fields__))
    keypoints = forward_kinematics(body, _pose(script, gait, time[keep], rng))
    label = "-".join(map(str, np.atleast_1d(seed)))
    return Motion(
        name=f"synthetic_{kind}_{label}",
        keypoints_3d=keypoints.astype(np.float32),
        fps=fps,
        subject=f"synthetic_{label}",
        action=kind,
        source=f"generate_motion(kind={kind!r}, seconds={seconds:g}, fps={fps:g}, seed={seed!r})",
    )


def _next_activity(kind: str, rng: np.random.Generator):
    if rng.random() < 0.25:
        return Script.standing
    return ACTIVITIES[rng.choice(list(ACTIVITIES)) if kind == "mixed" else kind]


def _sway(time: np.ndarray, amplitudes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise (T, C) with the given amplitudes (C,): three slow sinusoids each, the slower the larger."""
    hertz = rng.uniform([0.08, 0.3, 0.7], [0.25, 0.7, 1.4], (len(amplitudes), 3))
    phases = rng.uniform(0, 2 * np.pi, hertz.shape)
    waves = np.sin(2 * np.pi * hertz * time[:, None, None] + phases)
    return amplitudes * (waves @ np.array([0.6, 0.3, 0.12]))


def _pose(script: Script, gait: Gait, time: np.ndarray, rng: np.random.Generator) -> Pose:
    """Angles and end points of every frame: script and gait added up, with smooth noise, inside the joints' limits."""
    body = script.body
    degrees = np.deg2rad([4.0, 2.5, 2.0, 3.0, 2.0, 2.0, 5.0, 3.0, 2.0] + [5.0, 3.0, 5.0, 5.0] * 2)
    noise = _sway(time, np.concatenate([degrees, [0.015, 0.02, 0.006]]), rng)
    pelvis_noise, trunk_noise, neck_noise = noise[:, 0:3], noise[:, 3:6], noise[:, 6:9]
    arm_noise, shift_noise = noise[:, 9:17].reshape(-1, 2, 4), noise[:, 17:]
    style = rng.uniform([0.04, 0.02, 0.25, 0.3, 0.0, 0.0], [0.14, 0.07, 0.65, 1.0, 0.12, 0.035])
    pelvis_yaw, pelvis_roll, arm_swing, elbow_swing, stoop, bounce = style

    # A step's rhythm: the left foot touches down at phase 0, the right one at 0.5; its hip is then in front.
    beat = 2 * np.pi * gait.phase
    rhythm = gait.effort * np.cos(beat)
    lean, drop = script.lean.sample(time), script.drop.sample(time)
    forward = np.stack([np.cos(gait.heading), np.sin(gait.heading)], -1)
    left = np.stack([-forward[:, 1], forward[:, 0]], -1)
    still = 1.0 - 0.6 * np.clip(gait.effort, 0, 1)

    pelvis = np.empty((len(time), 3))
    ahead = -script.back.sample(time) + shift_noise[:, 0] * still
    # The weight is over the standing foot: the left one in the first half of the cycle.
    aside = shift_noise[:, 1] * still + 0.022 * gait.effort * np.sin(beat)
    pelvis[:, :2] = gait.path + ahead[:, None] * forward + aside[:, None] * left
    pelvis[:, 2] = body.standing - drop + shift_noise[:, 2] - bounce * gait.effort * np.cos(2 * beat)
    pelvis_angles = np.stack(
        [
            gait.heading - pelvis_yaw * rhythm,
            0.35 * lean + 0.05 * gait.effort,
            -pelvis_roll * gait.effort * np.sin(beat),
        ],
        -1,
    )
    pelvis_angles += pelvis_noise * still[:, None]

    twist, side = script.twist.sample(time), script.side.sample(time)
    trunk = np.stack([twist + 2.0 * pelvis_yaw * rhythm, 0.65 * lean + stoop, side - 0.8 * pelvis_angles[:, 2]], -1)
    trunk += trunk_noise
    neck = np.stack(
        [
            script.look.sample(time) - twist - pelvis_yaw * rhythm,
            script.nod.sample(time) - 0.35 * lean - stoop,
            -side / 2,
        ],
        -1,
    )
    neck = np.clip(neck + neck_noise, np.deg2rad([-75, -50, -35]), np.deg2rad([75, 50, 35]))

    arms = np.stack([np.stack([track.sample(time) for track in arm], -1) for arm in script.arms], 1) + arm_noise
    # Hanging arms swing against the legs; the further an arm is from hanging, the less.
    loose = np.clip(1.0 - np.abs(arms[..., 0]) / 1.2 - arms[..., 1] / 1.5, 0.0, 1.0)
    against = -SIDES * rhythm[:, None] * loose
    arms[..., 0] += arm_swing * against
    arms[..., 3] += elbow_swing * arm_swing * (against + gait.effort[:, None] * loose)
    for which in (LEFT, RIGHT):
        wave = script.wave[which].sample(time) * np.sin(2 * np.pi * script.wave_hertz * time + which)
        arms[:, which, 3] += wave
        arms[:, which, 2] += 0.3 * wave
    arms = np.clip(arms, *ARM_LIMITS)

    knee_yaw = 0.5 * (gait.heading[:, None] + gait.foot_yaw) + SIDES * script.splay.sample(time)[:, None]
    return Pose(pelvis, pelvis_angles, trunk, neck, arms, gait.ankles, knee_yaw)
