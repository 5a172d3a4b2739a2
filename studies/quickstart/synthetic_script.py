"""The script of a synthetic clip: what a person does when, as smooth tracks of values that activities write to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .synthetic_body import Body
from .synthetic_gait import Bout, ease

#: Arm poses in degrees: mean and spread of (flexion, abduction, inward rotation, elbow flexion).
ARM_POSES = {
    "hanging": ((2, 9, 12, 18), (8, 4, 12, 10)),
    "hand_on_hip": ((-18, 45, 68, 95), (7, 7, 8, 10)),
    "across_chest": ((38, 6, 68, 100), (10, 6, 10, 12)),
    "reaching": ((80, 8, 0, 15), (22, 14, 25, 14)),
    "overhead": ((160, 14, 0, 20), (14, 10, 20, 16)),
    "sideways": ((5, 80, 0, 15), (14, 16, 35, 14)),
    "at_ear": ((42, 38, 38, 134), (10, 10, 10, 6)),
    "carrying": ((15, 9, 5, 85), (10, 6, 14, 14)),
    "anything": ((55, 45, 15, 60), (45, 35, 35, 38)),
}

#: Limits of the same four angles: a shoulder's and an elbow's range; elbows bend one way only.
ARM_LIMITS = np.deg2rad([[-45, -8, -45, 4], [175, 150, 80, 145]])

LEFT, RIGHT = 0, 1


class Track:
    """One value over time: holds, and smooth moves between them."""

    def __init__(self, value: float = 0.0) -> None:
        self._times, self._values = [0.0], [value]

    def move(self, start: float, stop: float, value: float) -> None:
        """Go to `value` between start and stop (s); a start before the end of the last move waits for it."""
        start = max(start, self._times[-1])
        self._times += [start, max(stop, start + 0.3)]
        self._values += [self._values[-1], value]

    def sample(self, time: np.ndarray) -> np.ndarray:
        """Values (T,) at `time` (T,) s."""
        times, values = np.array([*self._times, np.inf]), np.array([*self._values, self._values[-1]])
        at = np.searchsorted(times, time, side="right") - 1
        span = np.maximum(times[at + 1] - times[at], 1e-6)
        return values[at] + (values[at + 1] - values[at]) * ease((time - times[at]) / span)


class Script:
    """Tracks of one person, and the activities that write to them.

    Distances in metres, angles in radians, times in seconds. Every activity takes its start and returns its end.
    """

    def __init__(self, body: Body, rng: np.random.Generator) -> None:
        self.body, self.rng = body, rng
        self.drop, self.back, self.lean, self.twist, self.side, self.nod, self.look = (Track() for _ in range(7))
        self.splay, self.swing = Track(np.deg2rad(rng.uniform(0, 10))), Track(1.0)
        self.wave = (Track(), Track())
        self.wave_hertz = rng.uniform(1.0, 2.4)
        self.arms = tuple(tuple(Track(value) for value in self._arm("hanging")) for _ in range(2))
        self.bouts: list[Bout] = []
        self.brisk = rng.uniform(0.6, 1.6)  # preferred walking speed

    def _arm(self, name: str) -> np.ndarray:
        mean, spread = ARM_POSES[name]
        return np.clip(np.deg2rad(self.rng.normal(mean, spread)), *ARM_LIMITS)

    def move_arm(self, side: int, start: float, pose: np.ndarray, seconds: float | None = None) -> float:
        """Bring one arm to `pose` (4,); returns when it is there."""
        seconds = self.rng.uniform(0.7, 1.5) if seconds is None else seconds
        for track, value in zip(self.arms[side], pose, strict=True):
            track.move(start, start + seconds, float(value))
        return start + seconds

    def gesture(self, start: float, *, calm: float = 0.5) -> float:
        """Change the arms: to the sides with probability `calm`, else both alike or each on its own."""
        if self.rng.random() < calm:
            names = ["hanging"] * 2
        else:
            names = list(self.rng.choice(list(ARM_POSES), 2))
            if self.rng.random() < 0.4:
                names[1] = names[0]
        order = self.rng.permutation(2)
        ends = [self.move_arm(side, start + self.rng.uniform(0, 0.3), self._arm(names[side])) for side in order]
        return max(ends)

    def gestures(self, start: float, stop: float, *, calm: float) -> None:
        """Change the arms now and then until `stop`."""
        while start < stop:
            start = self.gesture(start, calm=calm) + self.rng.exponential(1.8)

    def _glance(self, start: float, stop: float) -> None:
        while start < stop:
            self.look.move(start, start + self.rng.uniform(0.4, 0.9), np.deg2rad(self.rng.normal(0, 25)))
            self.nod.move(start, start + self.rng.uniform(0.4, 0.9), np.deg2rad(self.rng.normal(2, 10)))
            start += 0.9 + self.rng.exponential(2.0)

    # --- activities -------------------------------------------------------------------------------------------------

    def standing(self, start: float) -> float:
        """Stand, move the arms, sometimes bend down or twist."""
        stop = start + self.rng.uniform(1.5, 3.5)
        self._glance(start, stop)
        self.gestures(start, stop - 1.0, calm=0.25)
        choice = self.rng.random()
        if choice < 0.25:
            depth = self.rng.uniform(0.3, 1.2)
            down, up = start + self.rng.uniform(0.8, 1.4), stop - self.rng.uniform(0.0, 0.4)
            self.lean.move(start, down, depth)
            self.back.move(start, down, 0.14 * depth)
            stop = up + self.rng.uniform(0.8, 1.3)
            self.lean.move(up, stop, 0.0)
            self.back.move(up, stop, 0.0)
        elif choice < 0.55:
            for track, spread in ((self.twist, 30), (self.side, 12)):
                track.move(start, start + 0.45 * (stop - start), np.deg2rad(self.rng.normal(0, spread)))
                track.move(start + 0.55 * (stop - start), stop, 0.0)
        return stop

    def walking(self, start: float) -> float:
        """Walk along a curve, arms swinging against the legs or kept in a pose."""
        speed = np.clip(self.brisk * self.rng.uniform(0.75, 1.2), 0.5, 1.7)
        rate = 1.85 * (speed / 1.35) ** 0.45 * np.sqrt(0.87 / self.body.leg)  # steps a second
        # Nobody steps further than about three quarters of a leg.
        speed = min(speed, 0.78 * self.body.leg * rate)
        length = self.rng.uniform(3.0, 7.0)
        turn = self.rng.choice([-1, 1]) * self.rng.uniform(0.1, 0.75) * length
        if self.rng.random() < 0.08:
            speed, rate = -0.6 * speed, 0.8 * rate
        steps = max(2, round(rate * (length - 0.8)))
        bout = Bout(start, start + length, steps, speed, turn, self.rng.normal(0, 0.35))
        self.bouts.append(bout)
        self._glance(start, bout.stop)
        if self.rng.random() < 0.6:
            self.gesture(start, calm=1.0)
        else:
            self.gestures(start, bout.stop - 1.0, calm=0.2)
        return bout.stop

    def turning(self, start: float) -> float:
        """Turn on the spot with small steps, the head first."""
        angle = self.rng.choice([-1, 1]) * np.deg2rad(self.rng.uniform(50, 300))
        steps = max(2, round(abs(angle) / np.deg2rad(self.rng.uniform(32, 50))))
        stop = start + 0.8 + steps / self.rng.uniform(1.5, 2.1)
        self.bouts.append(Bout(start, stop, steps, self.rng.uniform(0.0, 0.15), angle))
        self.look.move(start - 0.2, start + 0.5, np.sign(angle) * np.deg2rad(self.rng.uniform(15, 45)))
        self.look.move(stop - 0.6, stop + 0.1, 0.0)
        self.gestures(start, stop - 1.0, calm=0.4)
        return stop + self.rng.uniform(0.0, 0.8)

    def waving(self, start: float) -> float:
        """Wave with one arm or both: upper arm out, forearm up, swinging at the elbow."""
        sides = ([LEFT], [RIGHT], [LEFT, RIGHT])[self.rng.integers(3)]
        stop = start + self.rng.uniform(2.5, 5.0)
        self._glance(start, stop)
        for side in (LEFT, RIGHT):
            if side not in sides:
                self.move_arm(side, start, self._arm(self.rng.choice(["hanging", "hand_on_hip", "carrying"])))
                continue
            raised = np.deg2rad(self.rng.normal((88, 75, 0, 75), (14, 20, 10, 15)))
            up = self.move_arm(side, start, np.clip(raised, *ARM_LIMITS))
            self.wave[side].move(up - 0.4, up, self.rng.uniform(0.3, 0.6))
            self.wave[side].move(stop - 0.8, stop - 0.3, 0.0)
            self.move_arm(side, stop - 0.6, self._arm("hanging"))
        return stop + 0.2

    def squatting(self, start: float) -> float:
        """Squat a few times, leaning forward as far as the hips go back, arms forward, crossed or hanging."""
        arms = self._arm(self.rng.choice(["reaching", "across_chest", "hanging", "overhead", "hand_on_hip"]))
        self.splay.move(start, start + 0.8, np.deg2rad(self.rng.uniform(5, 30)))
        for _ in range(self.rng.integers(1, 4)):
            depth = self.rng.uniform(0.2, 0.6)
            down, hold = self.rng.uniform(0.8, 1.6), self.rng.uniform(0.0, 0.7)
            bottom = start + down
            for side in (LEFT, RIGHT):
                self.move_arm(side, start, np.clip(arms + self.rng.normal(0, 0.08, 4), *ARM_LIMITS), down)
            for track, value in (
                (self.drop, depth * self.body.leg),
                (self.back, 0.3 * depth * self.body.leg),
                (self.lean, depth * self.rng.uniform(0.9, 1.5)),
                (self.nod, -0.4 * depth),
            ):
                track.move(start, bottom, value)
                track.move(bottom + hold, bottom + hold + down, 0.0)
            start = bottom + hold + down + self.rng.uniform(0.0, 0.4)
        self.gesture(start, calm=0.7)
        return start

    def sitting(self, start: float) -> float:
        """Sit down on a seat behind, stay there moving the arms, get up again."""
        seat = self.rng.uniform(0.40, 0.50) + 0.07  # the hip joints are above the seat
        down, up = self.rng.uniform(1.1, 1.8, 2)
        seated, rise = start + down, start + down + self.rng.uniform(2.0, 5.0)
        bow = self.rng.uniform(0.5, 0.85)
        drop = max(self.body.standing - seat, 0.2)
        back = self.rng.uniform(0.8, 0.95) * self.body.thigh
        for track, value in ((self.drop, drop), (self.back, back)):
            track.move(start, seated, value)
            track.move(rise, rise + up, 0.0)
        # Leaning forward keeps the balance while the seat is left or reached; in between people sit up or slouch.
        self.lean.move(start, start + 0.6 * down, bow)
        self.lean.move(seated - 0.35 * down, seated + 0.5, self.rng.uniform(-0.15, 0.3))
        self.lean.move(rise - 0.4, rise + 0.3 * up, bow)
        self.lean.move(rise + 0.45 * up, rise + up + 0.1, 0.0)
        self.splay.move(start, seated, np.deg2rad(self.rng.uniform(-4, 22)))
        self.splay.move(rise, rise + up, np.deg2rad(self.rng.uniform(0, 10)))
        self._glance(seated, rise)
        lap = self._arm("carrying") + np.deg2rad([8, 0, 12, -20])
        for side in (LEFT, RIGHT):
            self.move_arm(side, start, np.clip(lap, *ARM_LIMITS), down)
        self.gestures(seated + 0.5, rise - 1.5, calm=0.0)
        self.gesture(rise, calm=0.8)
        return rise + up + 0.2


#: What people do, by name; `standing` comes between the others.
ACTIVITIES: dict[str, Callable[[Script, float], float]] = {
    "walking": Script.walking,
    "waving": Script.waving,
    "squatting": Script.squatting,
    "sitting": Script.sitting,
    "turning": Script.turning,
}
