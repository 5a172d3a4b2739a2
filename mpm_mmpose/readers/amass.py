"""AMASS archives (SMPL-H and SMPL-X format) to motion of the 17 Human3.6M keypoints."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..limits import check_fps
from ..messages import brief
from ..pose.keypoints import H36M_17
from .amass_body import GENDERS, NUM_JOINTS, BodyModels, finite_numbers
from .archives import npz_fields, read_npz
from .files import files_below
from .motion import Motion

# The splits AMASS recommends, by the names of the first release.
SPLITS = {
    "train": (
        "CMU",
        "MPI_Limits",
        "TotalCapture",
        "Eyes_Japan_Dataset",
        "KIT",
        "BioMotionLab_NTroje",
        "EKUT",
        "TCD_handMocap",
        "ACCAD",
    ),
    "val": ("HumanEva", "MPI_HDM05", "SFU", "MPI_mosh"),
    "test": ("Transitions_mocap", "SSM_synced"),
}
# Names of the same subsets in other releases and on the download page.
ALIASES = {
    "PosePrior": "MPI_Limits",
    "EyesJapanDataset": "Eyes_Japan_Dataset",
    "BML": "BioMotionLab_NTroje",
    "BMLrub": "BioMotionLab_NTroje",
    "TCDHands": "TCD_handMocap",
    "HDM05": "MPI_HDM05",
    "MoSh": "MPI_mosh",
    "Transitions": "Transitions_mocap",
    "SSM": "SSM_synced",
}
_POSE_PARTS = {
    "smplh": ("root_orient", "pose_body", "pose_hand"),
    "smplx": ("root_orient", "pose_body", "pose_jaw", "pose_eye", "pose_hand"),
}
_SUFFIXES = ("_poses", "_stageii")


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


_SUBSETS = {_plain(name): name for names in SPLITS.values() for name in names}
_SUBSETS |= {_plain(alias): name for alias, name in ALIASES.items()}


def subset_of(path: str | Path) -> str:
    """AMASS subset of ``<subset>/<subject>/<motion>.npz``, called as in ``SPLITS``; else that folder's own name."""
    folders = Path(path).absolute().parent
    for folder in (folders.parent, folders):
        if _plain(folder.name) in _SUBSETS:
            return _SUBSETS[_plain(folder.name)]
    return folders.parent.name


def find_amass_files(paths: Iterable[str | Path], split: str = "all") -> list[Path]:
    """Archives of motion among ``paths`` and in the folders among them, of the subsets of ``split``; sorted, each once.

    The body shapes that lie beside them (shape.npz, *_stagei.npz) are left out. 'all' also takes subsets that are in
    none of the splits. Raises FileNotFoundError or ValueError where a path or a split has none.
    """
    if split not in (*SPLITS, "all"):
        raise ValueError(f"split {split!r} is not known; use {', '.join(SPLITS)} or all")
    files: set[Path] = set()
    for path in map(Path, paths):
        if path.is_dir():
            found = [file for file in files_below(path) if file.suffix == ".npz" and not _is_shape(file)]
            if not found:
                raise ValueError(f"{path}: holds no .npz files of motion; give a folder of unpacked AMASS archives")
            files.update(found)
        elif path.exists():
            files.add(path)
        else:
            raise FileNotFoundError(f"{path}: does not exist; give a folder or file of AMASS")
    chosen = sorted(file for file in files if split == "all" or subset_of(file) in SPLITS[split])
    if not chosen:
        subsets = ", ".join(sorted({subset_of(file) for file in files}))
        raise ValueError(
            f"{len(files)} files of {subsets} are all outside of split {split} ({', '.join(SPLITS[split])}); "
            "add its subsets, or ask for another split"
        )
    return chosen


def _is_shape(file: Path) -> bool:
    return file.stem == "shape" or file.stem.endswith("_stagei")


def read_amass(path: str | Path, bodies: BodyModels) -> Motion:
    """Motion of an AMASS archive, posed with the body model of its kind and gender; its world is Z up, in metres.

    name is ``<subset>/<subject>/<motion>``, subject ``<subset>/<subject>``, and action the motion, because AMASS does
    not say what is done. Raises ValueError or OSError (file, field, fix); BodyModelError where the model is at fault.
    """
    path = Path(path)
    names = npz_fields(path)
    rate = "mocap_frame_rate" if "mocap_frame_rate" in names else "mocap_framerate"
    arrays = read_npz(path, [*_pose_fields(names), "trans", "betas", "gender", rate], ["surface_model_type"])

    def numbers(name: str, *shape: int | None) -> np.ndarray:
        return finite_numbers(f"{path}: field {name!r}", arrays[name], *shape)

    kind, poses = _read_poses(path, arrays)
    if not len(poses):
        raise ValueError(f"{path}: field 'poses' has no frames; leave this file out")
    trans = numbers("trans", len(poses), 3)
    betas = numbers("betas", None)
    arrays[rate] = np.reshape(arrays[rate], ()) if np.size(arrays[rate]) == 1 else arrays[rate]
    fps = float(numbers(rate))
    gender = _text(arrays["gender"])
    # Some archives were written by Python 2 code run in Python 3, which left "b'female'".
    plain = gender.removeprefix("b'").removesuffix("'").lower()
    if plain not in GENDERS:
        raise ValueError(f"{path}: field 'gender' is {brief(gender)}, none of {', '.join(GENDERS)}; correct the file")
    check_fps(f"{path}: field {rate!r}", fps)
    _check_units(path, poses, trans)
    keypoints = bodies.get(kind, plain).keypoints(poses, betas) + trans[:, None]
    thorax, pelvis = (keypoints[:, H36M_17.index(name)] for name in ("thorax", "pelvis"))
    trunk = float(np.linalg.norm(thorax - pelvis, axis=-1).mean())
    if not 0.15 < trunk < 1.5:
        raise ValueError(
            f"{path}: field 'betas' gives a body whose trunk is {trunk:.3g} m long; it must be in units of the body "
            "model, and that in metres"
        )
    subset, subject, action = subset_of(path), path.absolute().parent.name, path.stem
    for suffix in _SUFFIXES:
        action = action.removesuffix(suffix)
    return Motion(
        name=f"{subset}/{subject}/{action}",
        keypoints_3d=keypoints,
        fps=fps,
        subject=f"{subset}/{subject}",
        action=action,
        source=str(path),
    )


def _pose_fields(names: tuple[str, ...]) -> tuple[str, ...]:
    if "poses" in names or "root_orient" not in names:
        return ("poses",)
    return _POSE_PARTS["smplx" if "pose_jaw" in names else "smplh"]


def _read_poses(path: Path, arrays: dict[str, Any]) -> tuple[str, np.ndarray]:
    """Kind of the body model, and its joints' axis-angles (T, J * 3) rad."""
    fields = _pose_fields(tuple(arrays))
    parts = [finite_numbers(f"{path}: field {name!r}", arrays[name], None, None) for name in fields]
    if len({len(part) for part in parts}) > 1:
        found = ", ".join(f"{name} {part.shape}" for name, part in zip(fields, parts, strict=True))
        raise ValueError(f"{path}: fields differ in frames: {found}; fetch the archive again")
    poses = np.concatenate(parts, axis=1)
    kinds = {3 * number: kind for kind, number in NUM_JOINTS.items()}
    kind = kinds.get(poses.shape[1])
    if kind is None:
        raise ValueError(
            f"{path}: field {' + '.join(fields)!r} has {poses.shape[1]} columns, not 156 (SMPL-H) or 165 (SMPL-X); "
            "fetch AMASS in one of these formats"
        )
    said = _text(arrays.get("surface_model_type", kind)).lower()
    if said != kind:
        raise ValueError(
            f"{path}: field 'surface_model_type' is {brief(said)}, but {' + '.join(fields)!r} has {poses.shape[1]} "
            f"columns, as {kind} has; fetch AMASS's SMPL+H or SMPL-X format"
        )
    return kind, poses


def _text(value: Any) -> str:
    value = value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _check_units(path: Path, poses: np.ndarray, trans: np.ndarray) -> None:
    if np.abs(poses).max() > 4 * np.pi:
        raise ValueError(f"{path}: field 'poses' goes up to {np.abs(poses).max():.0f}; it must be radians, not degrees")
    if np.ptp(trans, axis=0).max() > 200:
        raise ValueError(
            f"{path}: field 'trans' moves by {np.ptp(trans, axis=0).max():.0f}; it must be metres, not millimetres"
        )
