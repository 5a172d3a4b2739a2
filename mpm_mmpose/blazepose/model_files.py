"""The models' files, where the package `mediapipe` was installed, and how they are run; it is never imported."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np

from ..errors import UsageError

#: Later versions of the package fetch their models from the network.
PACKAGE = "mediapipe==0.10.21"
DETECTION = "mediapipe/modules/pose_detection/pose_detection.tflite"
LANDMARKS = "mediapipe/modules/pose_landmark/pose_landmark_full.tflite"
INSTALL = f"pip install ai-edge-litert, and pip install --no-deps {PACKAGE}"


def installed_file(name: str) -> Path:
    """Where a file of the package `mediapipe` is; raises UsageError (what to install) where it is not."""
    try:
        found = distribution("mediapipe")
    except PackageNotFoundError:
        raise UsageError(
            f"the models of the 2D detector are not installed: {INSTALL}; or take a 2D model of MMPose "
            "(demo/video_to_3d.py --pose2d NAME)"
        ) from None
    path = Path(found.locate_file(name))
    if not path.is_file():
        raise UsageError(f"mediapipe {found.version} has no {name}, which {PACKAGE} has: {INSTALL}")
    return path


def usual_threads() -> int:
    """Threads for one model: one core is left for reading the video, and more than four do not help."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(4, cores - 1))


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Scores from 0 to 1, of any shape, of what a model gives before them; no number is too large."""
    return (np.tanh(logits / 2) + 1) / 2


class TfliteModel:
    """A model of one input (1, H, W, 3) float32, run on the CPU by ai-edge-litert.

    Raises UsageError where ai-edge-litert is missing, ValueError for a file that it cannot run.
    """

    def __init__(self, path: str | Path, threads: int | None = None) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError:
            raise UsageError(f"the 2D detector needs ai-edge-litert, which is not installed: {INSTALL}") from None
        try:
            self._model = Interpreter(str(path), num_threads=threads or usual_threads())
            self._model.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            first = str(error).strip().partition("\n")[0]
            raise ValueError(f"{path}: is no model that ai-edge-litert can run ({first}); install it again") from None
        (entry,) = self._model.get_input_details()
        self._input, self.size = entry["index"], int(entry["shape"][1])
        self._outputs = [output["index"] for output in self._model.get_output_details()]

    def __call__(self, image: np.ndarray) -> list[np.ndarray]:
        """The outputs for an image (H, W, 3) float32, without the axis of the batch."""
        self._model.set_tensor(self._input, image[None])
        self._model.invoke()
        return [self._model.get_tensor(output)[0] for output in self._outputs]
