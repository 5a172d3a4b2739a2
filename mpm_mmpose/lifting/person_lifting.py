"""One person's 2D to what is written of them: sides, 3D, what it is worth, size and place."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .feet import lock_feet
from .quality import check_quality
from .sides import check_sides
from .smoothing import check_filter, smooth
from .stature import check_height, scale_to
from .track_lifter import Progress, TrackLifter
from .tracks import Track2D, Track3D
from .trajectory import assume_camera, choose_camera, place


@dataclass(frozen=True)
class PersonLifting:
    """How people are lifted, for all of a call.

    mend_sides: see :func:`~mpm_mmpose.lifting.sides.check_sides`. person_height: m, how tall they are, see
    :func:`~mpm_mmpose.lifting.stature.scale_to`. trajectory: add where they are in camera space; focal, px, and
    focal_35mm, mm: of the camera, see :func:`~mpm_mmpose.lifting.trajectory.choose_camera`; they ask for a trajectory.
    raw_trajectory: one whose depth is not smoothed, see :func:`~mpm_mmpose.lifting.steadying.steady`. lock_feet: keep
    feet where they stand, see :func:`~mpm_mmpose.lifting.feet.lock_feet`; asks for a trajectory as well. filter: of the
    3D over time, see :func:`~mpm_mmpose.lifting.smoothing.smooth`.

    Raises UsageError for no one's height and for a filter that is not known.
    """

    mend_sides: bool = False
    person_height: float | None = None
    trajectory: bool = False
    focal: float | None = None
    focal_35mm: float | None = None
    raw_trajectory: bool = False
    lock_feet: bool = False
    filter: str | None = None

    def __post_init__(self) -> None:
        if self.person_height is not None:
            check_height(self.person_height)
        if self.filter is not None:
            check_filter(self.filter)

    def intrinsics(self, width: int, height: int) -> np.ndarray | None:
        """(9,) px of the camera that focal or focal_35mm say, of images of width x height px; None without them."""
        if not (self.focal or self.focal_35mm):
            return None
        return assume_camera(width, height, self.focal, self.focal_35mm).intrinsics

    def __call__(self, lifter: TrackLifter, track: Track2D, progress: Progress | None, notes: list[str]) -> Track3D:
        """The person's 3D; notes get what is to be known of it. Raises ValueError where no keypoint is usable."""
        track = check_sides(track, notes, self.mend_sides)
        camera = choose_camera(track, self.focal, self.focal_35mm)
        if self.focal or self.focal_35mm:  # for the rays that the model sees, as for the trajectory
            track = replace(track, intrinsics=camera.intrinsics)
        lifted = check_quality(lifter.lift(track, progress), lifter.threshold, notes)
        if self.person_height is not None:
            lifted = scale_to(lifted, self.person_height, notes)
        if self.trajectory or self.focal or self.focal_35mm or self.raw_trajectory or self.lock_feet:
            lifted = place(lifted, notes, camera, self.raw_trajectory)
        if self.lock_feet and lifted.trajectory is not None:
            lifted = lock_feet(lifted, notes)
        return smooth(lifted, self.filter) if self.filter else lifted


#: People as the model gives them.
AS_LIFTED = PersonLifting()
