"""How long each model is trained: for the same processor time, over the same windows, or for the same steps."""

from __future__ import annotations

from dataclasses import dataclass

from mpm_mmpose.errors import UsageError

WARM_UP = 0.05  # of the steps
FEWEST = 40  # steps, for a warm-up that is one


@dataclass(frozen=True)
class Budget:
    """One of three is given: minutes of processor time for the training, windows seen, or steps."""

    minutes: float | None = None
    windows: int | None = None
    steps: int | None = None

    def steps_of(self, batch: int, seconds: float) -> int:
        """Steps of a model, seconds of processor time a step; UsageError where they do not end a warm-up."""
        if self.minutes is not None:
            number = int(60 * self.minutes / seconds)
        else:
            number = self.steps if self.steps is not None else self.windows // batch
        if number < FEWEST:
            raise UsageError(f"{self}: {number} steps of {batch} windows are too few, {FEWEST} are needed; give more")
        return number

    def __str__(self) -> str:
        if self.minutes is not None:
            return f"{self.minutes:g} minutes of processor time a training"
        return f"{self.steps} steps a training" if self.steps is not None else f"{self.windows} windows a training"
