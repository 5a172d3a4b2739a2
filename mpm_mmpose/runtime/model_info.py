"""What an exported model says of itself; written by the export and read by everything that runs it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

from ..limits import check_fps
from ..messages import brief
from ..pose.keypoints import get_keypoint_set

#: Rises when a file of before would be misread.
FORMAT_VERSION = 2
OUTPUTS = ("target", "sequence", "features")
#: Names in the graph.
INPUT, MASKED = "keypoints", "masked"

#: What a model takes, by `ModelInfo.input`: modality and space.
INPUTS = {"2d": ("2d", "image"), "rays": ("2d", "rays"), "3d": ("3d", "image")}

_SPACES = {
    "2d": "normalised screen: x = 2 * x_px / width - 1, y = 2 * y_px / width - height / width",
    "rays": "x / z and y / z of the camera, x right, y down, z away, of a given or a guessed focal length",
    "3d": "m, relative to the root, camera axes: x right, y down, z away",
}


@dataclass(frozen=True)
class ModelInfo:
    """The metadata of an exported model; in the file each is a string under ``mpm_<name>``.

    input: '2d', '3d', or 'rays', which are 2D of a given camera. output: of OUTPUTS. keypoint_set: by name. window: T,
    frames; frame_step: frames between two of a window. fps: rate of the training data, Hz, None where it is not known.
    mask_tokens: whether there is an input of what is masked. made_by, config, checkpoint, precision: where it comes
    from. model: its config as JSON, as checkpoints have it in their ``mpm_model``; empty in older files.
    """

    input: str
    output: str
    keypoint_set: str
    window: int
    frame_step: int
    fps: float | None
    mask_tokens: bool
    made_by: str
    config: str
    checkpoint: str
    precision: str = "float32"
    model: str = ""
    format_version: int = field(default=FORMAT_VERSION)

    @property
    def ignored(self) -> tuple[int, ...]:
        """Indices of keypoints that the model never looks at."""
        return tuple(json.loads(self.model)["backbone"].get("ignored", ())) if self.model else ()

    def to_metadata(self) -> dict[str, str]:
        """Strings for the file: the fields, and for people what follows from them."""
        keypoints = get_keypoint_set(self.keypoint_set)
        said = {name: "" if value is None else str(value) for name, value in asdict(self).items()}
        said |= dict(
            keypoints=",".join(keypoints.names),
            root=keypoints.names[keypoints.root],
            target_frame=str(self.window // 2),
            input_space=_SPACES[self.input],
            output_space="tokens of the encoder" if self.output == "features" else _SPACES["3d"],
            masked="True = masked, its coordinates are not looked at" if self.mask_tokens else "nothing can be masked",
        )
        return {f"mpm_{name}": value for name, value in said.items()}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], file: str) -> ModelInfo:
        """Back from :meth:`to_metadata`; raises ValueError (file, field, fix) for what is no such file."""
        version = metadata.get("mpm_format_version")
        if version is None:
            raise ValueError(f"{file}: is no model of MPM (it has no mpm_format_version); export one: {_EXPORT}")
        if version != str(FORMAT_VERSION):
            raise ValueError(
                f"{file}: its format version is {version}, this program reads {FORMAT_VERSION}; export it again with "
                f"this version of mpm_mmpose ({_EXPORT}), or use the version that wrote it"
            )
        values = {}
        for entry in fields(cls):
            text = metadata.get(f"mpm_{entry.name}", "" if entry.name == "model" else None)
            try:
                values[entry.name] = _READ[entry.type](text)
            except (ValueError, TypeError, KeyError):
                raise ValueError(
                    f"{file}: its metadata mpm_{entry.name} is {brief(text)}, which is damaged; {_AGAIN}"
                ) from None
        info = cls(**values)
        info._check(metadata.get("mpm_keypoints", ""), file)
        return info

    def _check(self, keypoints: str, file: str) -> None:
        if self.fps is not None:
            check_fps(f"{file}: its metadata mpm_fps", self.fps)
        if self.input not in _SPACES or self.output not in OUTPUTS or self.window < 1 or self.frame_step < 1:
            raise ValueError(
                f"{file}: its metadata is damaged: input {self.input!r}, output {self.output!r}, window {self.window}, "
                f"frame_step {self.frame_step}; {_AGAIN}"
            )
        self._check_model(file)
        try:
            names = get_keypoint_set(self.keypoint_set).names
        except KeyError as error:
            raise ValueError(f"{file}: {error.args[0]}; {_AGAIN}") from None
        if keypoints != ",".join(names):
            raise ValueError(
                f"{file}: it says {self.keypoint_set} and lists other keypoints ({brief(keypoints or 'none')}) "
                f"than {','.join(names)}; {_AGAIN}"
            )

    def _check_model(self, file: str) -> None:
        """ValueError where the model's config is damaged or of another window than the graph."""
        if not self.model:
            return
        try:
            backbone = json.loads(self.model)["backbone"]
            number = len(get_keypoint_set(self.keypoint_set))
            fits = backbone.get("num_frames", self.window) == self.window
            fits &= all(type(index) is int and 0 <= index < number for index in backbone.get("ignored", ()))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            fits = False
        if not fits:
            raise ValueError(f"{file}: its metadata mpm_model is damaged or of another window; {_AGAIN}")


_EXPORT = "tools/deployment/export_onnx.py CHECKPOINT"
_AGAIN = f"export it again: {_EXPORT}"


def _text(value: str) -> str:
    if value is None:
        raise ValueError
    return value


_READ = {
    "str": _text,
    "int": int,
    "bool": {"True": True, "False": False}.__getitem__,
    "float | None": lambda value: float(value) if _text(value) else None,
}
