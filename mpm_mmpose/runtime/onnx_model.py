"""An exported model as a function from windows to 3D, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UsageError, unknown_name
from ..lifting.windows import TargetView, WindowPredictor
from ..pose.keypoints import get_keypoint_set
from .model_info import INPUT, INPUTS, MASKED, ModelInfo
from .shipped import shipped_model

if TYPE_CHECKING:
    import onnxruntime


class OnnxModel(WindowPredictor):
    """A file of ``tools/deployment/export_onnx.py``; gives what the exported model gives, within rounding.

    path: of the file, by default the one that is in this package. Of a file that gives sequences, the target is the
    middle of each. providers: of ONNX Runtime, by name, the first that can do a step does it; by default the GPU's
    where the installed ONNX Runtime has one. threads: of the CPU's, by default all cores. info: what the file says of
    itself. Raises UsageError for a file that is not there, a provider that is not known or cannot be had, and where
    ONNX Runtime is missing; ValueError for a file that is not ours or contradicts itself.
    """

    def __init__(
        self, path: str | Path | None = None, providers: Sequence[str] | None = None, threads: int | None = None
    ) -> None:
        path = shipped_model() if path is None else path
        self.session = open_session(path, providers, threads)
        self.info = ModelInfo.from_metadata(self.session.get_modelmeta().custom_metadata_map, str(path))
        if self.info.output == "features":
            raise UsageError(f"{path}: gives features, which are no poses; export it with --output target or sequence")
        _check_graph(self.session, self.info, path)
        modality, self.space = INPUTS[self.info.input]
        self.inputs = (modality,)
        self.outputs = ("sequence", "target") if self.info.output == "sequence" else ("target",)
        self.window, self.keypoint_set = self.info.window, self.info.keypoint_set
        self.num_keypoints = len(get_keypoint_set(self.keypoint_set))
        self.mask_tokens, self.ignored = self.info.mask_tokens, self.info.ignored
        self.trained_fps, self.trained_frame_step = self.info.fps, self.info.frame_step

    def targets(self, windows: np.ndarray, flip_test: bool, camera: TargetView | None = None) -> np.ndarray:
        """See :class:`~mpm_mmpose.lifting.windows.WindowPredictor`; no exported model wants a camera."""
        poses = self._predict(windows, flip_test)
        return poses[:, self.window // 2] if self.info.output == "sequence" else poses

    def sequences(self, windows: np.ndarray, flip_test: bool) -> np.ndarray:
        """See :class:`~mpm_mmpose.lifting.windows.WindowPredictor`."""
        if self.info.output != "sequence":
            raise ValueError("this model file gives poses of the target; export it with --output sequence")
        return self._predict(windows, flip_test)

    def _predict(self, windows: np.ndarray, flip_test: bool) -> np.ndarray:
        poses = self._run(windows)
        return (poses + self.mirror(self._run(self.mirror(windows)))) / 2 if flip_test else poses

    def _run(self, windows: np.ndarray) -> np.ndarray:
        feed = {INPUT: windows.astype(np.float32, copy=False)}
        if self.mask_tokens:
            masked = np.isnan(windows).any(-1)
            # What is masked is not looked at, but quantised arithmetic looks for the greatest number.
            feed = {INPUT: np.where(masked[..., None], np.float32(0), feed[INPUT]), MASKED: masked}
        return self.session.run(None, feed)[0]


def open_session(
    path: str | Path, providers: Sequence[str] | None = None, threads: int | None = None
) -> onnxruntime.InferenceSession:
    """The session of a file; arguments and errors as :class:`OnnxModel`."""
    try:
        import onnxruntime
    except ImportError:
        raise UsageError(
            "ONNX Runtime is not installed: pip install onnxruntime, or onnxruntime-gpu for NVIDIA's GPUs"
        ) from None
    if not Path(path).is_file():
        raise UsageError(f"{path}: no such file; give what tools/deployment/export_onnx.py wrote")
    wanted = choose_providers(onnxruntime.get_available_providers(), providers)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3  # errors; its warnings are about what the optimiser leaves
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=wanted)
    except Exception as error:  # ONNX Runtime's own types, which have no common base
        first = str(error).strip().partition("\n")[0]
        raise ValueError(f"{path}: is no model that ONNX Runtime can open ({first}); export it again") from None
    if providers and wanted[0] not in session.get_providers():
        raise UsageError(
            f"provider {wanted[0]} is in this ONNX Runtime but does not start here (its driver or libraries are "
            f"missing); there are {', '.join(session.get_providers())}"
        )
    return session


def _check_graph(session: onnxruntime.InferenceSession, info: ModelInfo, path: str | Path) -> None:
    """ValueError where a model takes or gives something else than it says of itself."""
    window, number = info.window, len(get_keypoint_set(info.keypoint_set))
    said = {INPUT: (window, number, int(INPUTS[info.input][0][0]))}
    said |= {MASKED: (window, number)} if info.mask_tokens else {}
    poses = (number, 3) if info.output == "target" else (window, number, 3)
    there = {one.name: tuple(one.shape[1:]) for one in session.get_inputs()}
    gives = tuple(session.get_outputs()[0].shape[1:])
    if there != said or gives != poses:
        raise ValueError(
            f"{path}: it says that it takes {said} and gives {poses} per window, and takes {there} and gives {gives}; "
            "export it again"
        )


def choose_providers(available: Sequence[str], wanted: Sequence[str] | None) -> list[str]:
    """The providers to ask for: those wanted, else the GPU's before the CPU's; UsageError for one not available."""
    for name in wanted or ():
        if name not in available:
            raise unknown_name("provider", name, available)
    return list(wanted or [name for name in _USUAL if name in available])


_USUAL = ("CUDAExecutionProvider", "CPUExecutionProvider")
