"""SMPL-H and SMPL-X bodies, posed with smplx's blend skinning, as the 17 Human3.6M keypoints.

Only what the keypoints need is posed: the joints, and the vertices that a regressor (or the head top) asks for; the
mesh is shaped once a clip. DMPL soft tissue, which AMASS archives also hold, is left out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..pose.keypoints import H36M_17
from .archives import read_npy, read_npz
from .kinematics import HEAD_TOP_OF_TRUNK, NOSE_OF_TRUNK

GENDERS = ("female", "male", "neutral")
NUM_JOINTS = {"smplh": 52, "smplx": 55}
# Where the body models lie once their downloads are unpacked, below the folder that is given.
PLACES = {
    "smplh": ("smplh/{gender}/model", "smplh/SMPLH_{GENDER}", "{gender}/model", "SMPLH_{GENDER}"),
    "smplx": (
        "smplx_locked_head/{gender}/model",
        "models_lockedhead/smplx/SMPLX_{GENDER}",
        "smplx/SMPLX_{GENDER}",
        "models/smplx/SMPLX_{GENDER}",
        "smplx/{gender}/model",
        "{gender}/model",
        "SMPLX_{GENDER}",
    ),
}
DOWNLOAD = {
    "smplh": "the 'Extended SMPL+H model' of mano.is.tue.mpg.de is .npz",
    "smplx": "the 'SMPL-X v1.1' download of smpl-x.is.tue.mpg.de has .npz beside .pkl",
}
# First joints of SMPL, SMPL-H and SMPL-X, which they share.
JOINTS = (
    "pelvis left_hip right_hip spine1 left_knee right_knee spine2 left_ankle right_ankle spine3 left_foot right_foot "
    "neck left_collar right_collar head left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist"
).split()
# Half of Human3.6M's hip width (133 mm) over that of SMPL's mean body (69 mm), whose hip joints lie deep inside.
HIP_WIDENING = 1.9
CHUNK = 4096  # frames posed at once: some 200 MB with a regressor's few hundred vertices


class BodyModelError(ValueError):
    """No clip can be read until the body models (or smplx, or the regressor) are put right."""


class BodyModels:
    """The user's body models by kind and gender, each loaded when the first clip needs it.

    folder: see ``PLACES``. regressor: .npy file (17, V) that takes vertices to Human3.6M keypoints, or None for the
    approximation of :meth:`BodyModel.keypoints`. Raises BodyModelError (file, field, what to do).
    """

    def __init__(
        self, folder: str | Path, regressor: str | Path | None = None, device: str | torch.device = "cpu"
    ) -> None:
        _skinning()
        self.folder, self.device = Path(folder), torch.device(device)
        if not self.folder.is_dir():
            raise BodyModelError(f"{folder}: is no folder; give the one that holds smplh/ or smplx/ (see docs/data.md)")
        self.regressor = None if regressor is None else _read_regressor(Path(regressor))
        self._loaded: dict[tuple[str, str], BodyModel] = {}

    def get(self, kind: str, gender: str) -> BodyModel:
        """The model of ``kind`` 'smplh' or 'smplx' for a gender of ``GENDERS``."""
        if (kind, gender) not in self._loaded:
            path = self._find(kind, gender)
            try:
                self._loaded[kind, gender] = BodyModel(path, kind, self.regressor, self.device)
            except (ValueError, OSError) as error:
                raise BodyModelError(str(error)) from None
        return self._loaded[kind, gender]

    def _find(self, kind: str, gender: str) -> Path:
        stems = [self.folder / place.format(gender=gender, GENDER=gender.upper()) for place in PLACES[kind]]
        for stem in stems:
            # {gender}/model.npz without smplh/ or smplx/ above it may be of either kind.
            if (path := stem.with_name(stem.name + ".npz")).is_file() and _num_joints(path) in (NUM_JOINTS[kind], None):
                return path
        for stem in stems:
            if (pickled := stem.with_name(stem.name + ".pkl")).is_file():
                raise BodyModelError(
                    f"{pickled}: pickled models could run code and are not read; {DOWNLOAD[kind]}, and docs/data.md "
                    "says how to convert this one"
                )
        raise BodyModelError(
            f"{self.folder}: has no {kind} model for gender {gender}, looked for {', '.join(PLACES[kind])} (.npz); "
            f"{DOWNLOAD[kind]}"
        )


class BodyModel:
    """One body model, ready to be posed on ``device``."""

    def __init__(self, path: Path, kind: str, regressor: np.ndarray | None, device: torch.device) -> None:
        number = NUM_JOINTS[kind]
        names = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table")
        arrays = read_npz(path, names)

        def numbers(name: str, *shape: int | None, dtype: type = np.float32) -> np.ndarray:
            return finite_numbers(f"{path}: field {name!r}", arrays[name], *shape, dtype=dtype)

        template = numbers("v_template", None, 3)
        vertices = len(template)
        shapedirs = numbers("shapedirs", vertices, 3, None)
        posedirs = numbers("posedirs", vertices, 3, 9 * (number - 1))
        joint_regressor = numbers("J_regressor", number, vertices)
        weights = numbers("weights", vertices, number)
        parents = numbers("kintree_table", 2, number, dtype=np.int64)[0]
        if not (parents[1:] < np.arange(1, number)).all() or (parents[1:] < 0).any():
            raise ValueError(f"{path}: field 'kintree_table' names a parent after its child; use the published model")
        parents[0] = -1
        # SMPL-X keeps its expressions behind the shapes: 300 + 100, in version 1.0 10 + 10.
        shapes = shapedirs.shape[2] if kind == "smplh" else 300 if shapedirs.shape[2] >= 400 else 10
        self.path = path
        self.regressor = None
        if regressor is None:
            head = np.flatnonzero(weights.argmax(1) == JOINTS.index("head"))
            if not len(head):
                raise ValueError(f"{path}: field 'weights' ties no vertex to the head; use the published model")
            self.posed = head[[template[head, 1].argmax()]]
        else:
            regressor = _in_our_order(regressor, template, path)
            self.posed = np.flatnonzero(regressor.any(0))
            self.regressor = torch.from_numpy(regressor[:, self.posed]).to(device)
        self.template, self.shapedirs, self.joint_regressor = (
            torch.from_numpy(array).to(device) for array in (template, shapedirs[:, :, :shapes], joint_regressor)
        )
        self.weights = torch.from_numpy(weights[self.posed]).to(device)
        self.posedirs = torch.from_numpy(posedirs[self.posed].reshape(-1, posedirs.shape[2]).T.copy()).to(device)
        self.parents = torch.from_numpy(parents).to(device)

    def keypoints(self, poses: np.ndarray, betas: np.ndarray) -> np.ndarray:
        """Human3.6M keypoints (T, 17, 3) m, about the body's own origin, of poses (T, J * 3) rad and betas (B,).

        Betas beyond those of the model are left out. With a regressor: its rows. Without: SMPL's joints by name;
        pelvis is SMPL's, and the hips lie beside it, ``HIP_WIDENING`` times as far apart as SMPL's; spine is spine2 and
        thorax the neck; head top is the vertex that is highest on the template's head; the nose is on the straight line
        from thorax to head top of the unposed body, divided as Human3.6M's is, and moves with the head.
        """
        device = self.template.device
        shape = torch.as_tensor(betas, dtype=torch.float32, device=device)[None, : self.shapedirs.shape[2]]
        chunks = torch.from_numpy(np.ascontiguousarray(poses, dtype=np.float32)).split(CHUNK)
        with torch.inference_mode():
            return torch.cat([self._pose(chunk.to(device), shape).cpu() for chunk in chunks]).numpy()

    def _pose(self, poses: Tensor, betas: Tensor) -> Tensor:
        skinning = _skinning()
        frames = len(poses)
        shaped = self.template + skinning.blend_shapes(betas, self.shapedirs[:, :, : betas.shape[1]])
        rest = skinning.vertices2joints(self.joint_regressor, shaped)  # (1, J, 3)
        turns = skinning.batch_rodrigues(poses.reshape(-1, 3)).view(frames, -1, 3, 3)
        joints, moves = skinning.batch_rigid_transform(turns, rest.expand(frames, -1, -1), self.parents)
        feature = (turns[:, 1:] - torch.eye(3, device=poses.device)).flatten(1)
        vertices = shaped[:, self.posed] + (feature @ self.posedirs).view(frames, -1, 3)
        skin = torch.einsum("vj,tjab->tvab", self.weights, moves[:, :, :3])
        vertices = (skin[..., :3] @ vertices[..., None])[..., 0] + skin[..., 3]
        if self.regressor is not None:
            return torch.einsum("kv,tvc->tkc", self.regressor, vertices)

        points = dict(zip(JOINTS, joints.unbind(1), strict=False))
        across = (points["left_hip"] - points["right_hip"]) * (HIP_WIDENING / 2)
        neck = rest[0, JOINTS.index("neck")]
        nose = neck + (shaped[0, self.posed[0]] - neck) * (NOSE_OF_TRUNK / HEAD_TOP_OF_TRUNK)
        head = moves[:, JOINTS.index("head"), :3]
        points |= dict(
            left_hip=points["pelvis"] + across,
            right_hip=points["pelvis"] - across,
            spine=points["spine2"],
            thorax=points["neck"],
            nose=head[..., :3] @ nose + head[..., 3],
            head_top=vertices[:, 0],
        )
        return torch.stack([points[name] for name in H36M_17.names], dim=1)


def _skinning():  # noqa: ANN202 - a module of an optional package
    try:
        from smplx import lbs
    except ImportError as error:
        raise BodyModelError(
            f"AMASS needs the smplx package ({error}); run: pip install --no-deps smplx==0.1.28"
        ) from None
    return lbs


def finite_numbers(where: str, array: object, *shape: int | None, dtype: type = np.float64) -> np.ndarray:
    """The array as finite numbers of this shape (None: any length); ValueError says what ``where`` has instead."""
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        kind = getattr(array, "dtype", type(array).__name__)
        raise ValueError(f"{where} is of type {kind}, not numbers; use the file as it was published")
    if len(array.shape) != len(shape) or any(n not in (None, m) for n, m in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(f"{where} has shape {array.shape}, not ({wanted}); use the file as it was published")
    finite = np.isfinite(array)
    if not finite.all():
        place = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise ValueError(f"{where} is not finite at index {place}; repair the file or leave it out")
    return array.astype(dtype)


def _num_joints(path: Path) -> int | None:
    """Joints of a model; None where the file does not say, so that reading it says what is wrong."""
    try:
        return read_npz(path, ["kintree_table"])["kintree_table"].shape[-1]
    except (ValueError, OSError, IndexError, AttributeError):
        return None


def _read_regressor(path: Path) -> np.ndarray:
    try:
        return finite_numbers(f"{path}: regressor", read_npy(path), len(H36M_17), None, dtype=np.float32)
    except (ValueError, OSError) as error:
        raise BodyModelError(str(error)) from None


def _in_our_order(regressor: np.ndarray, template: np.ndarray, path: Path) -> np.ndarray:
    """The regressor with left where the template has it (x > 0): of the files in use some have the legs exchanged."""
    if regressor.shape[1] != len(template):
        raise ValueError(
            f"{path}: field 'v_template' has {len(template)} vertices and the regressor {regressor.shape[1]}; give a "
            "regressor made for this model, or none"
        )
    points = regressor @ template
    upwards = points[[H36M_17.index(name) for name in ("pelvis", "spine", "thorax", "head_top")], 1]
    in_order = (np.diff(upwards) > 0).all()
    for limb in ("leg", "arm"):
        left, right = (list(H36M_17.limbs[f"{side}_{limb}"]) for side in ("left", "right"))
        on_the_left = points[left, 0] > points[right, 0]
        in_order &= on_the_left.all() or not on_the_left.any()
        if not on_the_left.any():
            regressor = regressor.copy()
            regressor[left + right] = regressor[right + left]
    if not in_order:
        raise ValueError(
            f"{path}: with the regressor, keypoints of the unposed body are not where they belong; its rows must be "
            f"{', '.join(H36M_17.names)}"
        )
    return regressor
