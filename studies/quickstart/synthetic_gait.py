"""Where the feet of a walking or turning person stand, and the path of the body above them.

Space: world, metres, Z up, floor z = 0, heading in radians counter-clockwise from +X. A foot keeps its place from
touch-down to heel-rise, so feet do not slide, whatever the path.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .synthetic_body import SIDES, Body

#: Part of the gait cycle for which a foot is on the floor.
STANCE = 0.6

#: Phase of the cycle (0 = touch-down) at which a planted foot is below the body: before the middle of the stance,
#: because the trailing ankle gains length by the rising heel.
BELOW_BODY = 0.24

#: Phase at which people stop and start: both feet are down.
REST = 0.05


@dataclass(frozen=True)
class Bout:
    """Steps without a stop: `half_cycles` steps from `start` to `stop` (s) at `speed` (m/s), turning `turn` (rad)."""

    start: float
    stop: float
    half_cycles: int
    speed: float
    turn: float
    steering: float = 0.0


@dataclass
class Gait:
    """Path and feet of T frames.

    path (T, 2) m, heading (T,) rad, phase (T,) in gait cycles of the left foot, effort (T,) 0 standing to 1 walking
    briskly, ankles (T, 2, 3) m, foot_yaw (T, 2) rad.
    """

    path: np.ndarray
    heading: np.ndarray
    phase: np.ndarray
    effort: np.ndarray
    ankles: np.ndarray
    foot_yaw: np.ndarray


def ease(x: np.ndarray) -> np.ndarray:
    """Smooth step from 0 to 1 without a jump in velocity or acceleration (minimum jerk)."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * x * (10.0 - 15.0 * x + 6.0 * x * x)


def _plateau(time: np.ndarray, start: float, stop: float, ramp: float) -> np.ndarray:
    return ease((time - start) / ramp) * ease((stop - time) / ramp)


def walk(
    body: Body,
    time: np.ndarray,
    bouts: list[Bout],
    *,
    start: np.ndarray,
    heading: float,
    widths: tuple[float, float],
    toe_out: tuple[float, float],
    lift: float,
) -> Gait:
    """Walk the bouts one after another and stand still between them.

    time (T,) s, equally spaced; start (2,) m; heading rad; widths: distance of the feet standing and walking, m;
    toe_out of the left and the right foot, rad; lift: how high a swinging foot is carried, m.
    """
    step = time[1] - time[0] if len(time) > 1 else 1.0
    phase = np.full_like(time, REST)
    speed, turn_rate, effort = np.zeros_like(time), np.zeros_like(time), np.zeros_like(time)
    for bout in bouts:
        length = bout.stop - bout.start
        ramp = min(0.8, 0.5 * length)
        pace = _plateau(time, bout.start, bout.stop, ramp)
        # The plateau's area is known, so the phase gains exactly half_cycles / 2 and ends with both feet down.
        fine = np.linspace(bout.start, bout.stop, 256)
        gain = np.cumsum(_plateau(fine, bout.start, bout.stop, ramp))
        phase += 0.5 * bout.half_cycles * np.interp(time, fine, (gain - gain[0]) / (gain[-1] - gain[0]))
        moving = _plateau(time, bout.start + 0.1 * ramp, bout.stop - 0.35 * ramp, ramp)
        speed += bout.speed * moving
        turn_rate += moving * bout.turn / max(length - 1.45 * ramp, 0.3)
        turn_rate += moving * bout.steering * np.sin(2 * np.pi * (time - bout.start) / max(length, 4.0))
        effort += pace * np.clip(abs(bout.speed) / 1.4, 0.25, 1.2)
    headings = heading + np.cumsum(turn_rate) * step
    path = start + np.cumsum(speed[:, None] * _direction(headings), 0) * step

    stops = REST + np.cumsum([0] + [bout.half_cycles for bout in bouts]) / 2
    ankles = np.empty((len(time), 2, 3))
    foot_yaw = np.empty((len(time), 2))
    for side, sign in enumerate(SIDES):
        ankles[:, side], foot_yaw[:, side] = _foot(
            body, phase, side * 0.5, stops, path, headings, effort, sign, widths, toe_out[side], lift
        )
    return Gait(path, headings, phase, effort, ankles, foot_yaw)


def _direction(angle: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(angle), np.sin(angle)], -1)


def _foot(
    body: Body,
    phase: np.ndarray,
    offset: float,
    stops: np.ndarray,
    path: np.ndarray,
    heading: np.ndarray,
    effort: np.ndarray,
    sign: float,
    widths: tuple[float, float],
    toe_out: float,
    lift: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Ankle (T, 3) and direction (T,) of one foot: planted, rising on its ball, swinging to the next place."""
    cycle = phase + offset
    first = int(np.floor(cycle[0]))
    index = np.floor(cycle).astype(int) - first
    within = cycle - index - first

    # Where each footprint lies: below the body at BELOW_BODY, or where the person stands if they stop in that step.
    prints = first + np.arange(index[-1] + 2)
    stopped = np.isin(np.round(2 * (prints - offset)), np.round(2 * (stops - REST)))
    at = prints - offset + np.where(stopped, REST, BELOW_BODY)
    yaw = np.interp(at, phase, heading) + sign * toe_out
    ground = np.stack([np.interp(at, phase, path[:, i]) for i in range(2)], -1)
    width = widths[0] + (widths[1] - widths[0]) * np.clip(np.interp(at, phase, effort), 0.0, 1.0)
    left = _direction(np.interp(at, phase, heading) + np.pi / 2)
    balls = ground + 0.5 * sign * width[:, None] * left + body.foot * _direction(yaw)

    swing = np.clip((within - STANCE) / (1.0 - STANCE), 0.0, 1.0)
    go = (swing * swing * (3.0 - 2.0 * swing))[:, None]
    ball = balls[index] + go * (balls[index + 1] - balls[index])
    yaws = yaw[index] + go[:, 0] * (yaw[index + 1] - yaw[index])
    strength = np.clip(effort, 0.0, 1.0)
    raised = np.sin(np.pi * swing) ** 2 * lift * (0.6 + 0.4 * strength)
    heel = strength * (0.85 * ease((within - 0.36) / 0.28) * ease((0.95 - within) / 0.28))
    behind = -body.foot * np.cos(heel) + body.ankle * np.sin(heel)
    up = body.foot * np.sin(heel) + body.ankle * np.cos(heel)
    return np.concatenate([ball + behind[:, None] * _direction(yaws), (up + raised)[:, None]], 1), yaws
