import builtins
import pickle
import shutil

import numpy as np
import pytest
import torch

from mpm_mmpose.pose.keypoints import H36M_17
from mpm_mmpose.readers import amass_body
from mpm_mmpose.readers.amass_body import HIP_WIDENING, JOINTS, BodyModelError, BodyModels


def by_name(keypoints):
    return dict(zip(H36M_17.names, keypoints, strict=True))


@pytest.mark.parametrize(("kind", "gender", "shapes"), [("smplh", "female", 16), ("smplx", "neutral", 10)])
def test_approximation_against_an_independent_forward(models, body, kind, gender, shapes):
    model = body.arrays(kind, gender, 16 if kind == "smplh" else 20)
    clip = body.clip(kind)
    result = BodyModels(models).get(kind, gender).keypoints(clip["poses"], clip["betas"])
    assert result.shape == (9, 17, 3) and result.dtype == np.float32
    for frame in (0, 4, 8):
        joints, vertices, turns, rest, shaped = body.forward(model, clip["poses"][frame], clip["betas"][:shapes])
        place, ours = dict(zip(JOINTS, joints, strict=False)), by_name(result[frame])
        same = dict(pelvis="pelvis", spine="spine2", thorax="neck")
        same |= {f"{side}_{part}": f"{side}_{part}" for side in ("left", "right") for part in ("knee", "ankle")}
        same |= {f"{side}_{part}": f"{side}_{part}" for side in ("left", "right") for part in ("shoulder", "elbow")}
        same |= {f"{side}_wrist": f"{side}_wrist" for side in ("left", "right")}
        for keypoint, joint in same.items():
            np.testing.assert_allclose(ours[keypoint], place[joint], atol=2e-6, err_msg=keypoint)
        across = place["left_hip"] - place["right_hip"]
        np.testing.assert_allclose(ours["left_hip"] - ours["right_hip"], HIP_WIDENING * across, atol=2e-6)
        np.testing.assert_allclose((ours["left_hip"] + ours["right_hip"]) / 2, place["pelvis"], atol=2e-6)
        np.testing.assert_allclose(ours["head_top"], vertices[45], atol=2e-6)
        nose = rest[12] + (shaped[45] - rest[12]) * 0.247 / 0.482
        np.testing.assert_allclose(ours["nose"], turns[15] @ (nose - rest[15]) + joints[15], atol=2e-6)


def test_joints_and_vertices_are_those_of_smplx(models, body):
    """The package's own SMPL-H class, whose joints and vertices a one-hot regressor picks."""
    import smplx
    from smplx.utils import Struct

    arrays, clip = body.arrays("smplh", "male"), body.clip()
    theirs = smplx.SMPLH(
        "",
        data_struct=Struct(**arrays),
        vertex_ids=dict.fromkeys(smplx.vertex_ids.vertex_ids["smplh"], 0),
        use_pca=False,
        flat_hand_mean=True,
        batch_size=9,
    )
    poses = torch.tensor(clip["poses"], dtype=torch.float32)
    betas = torch.tensor(clip["betas"][None, :10], dtype=torch.float32).repeat(9, 1)
    output = theirs(
        betas=betas,
        global_orient=poses[:, :3],
        body_pose=poses[:, 3:66],
        left_hand_pose=poses[:, 66:111],
        right_hand_pose=poses[:, 111:],
        transl=torch.zeros(9, 3),
    )
    ours = BodyModels(models).get("smplh", "male").keypoints(clip["poses"], clip["betas"][:10])
    names = dict(left_wrist=20, right_wrist=21, thorax=12, spine=6, left_ankle=7, pelvis=0)
    for name, joint in names.items():
        np.testing.assert_allclose(ours[:, H36M_17.index(name)], output.joints[:, joint].detach(), atol=1e-6)
    np.testing.assert_allclose(ours[:, H36M_17.index("head_top")], output.vertices[:, 45].detach(), atol=1e-6)


def regressor_of(model):
    """Rows that mix vertices at random around a joint of each keypoint."""
    random = np.random.default_rng(5)
    joints = [0, 2, 5, 8, 1, 4, 7, 6, 12, 15, 15, 16, 18, 20, 17, 19, 21]
    regressor = np.zeros((17, len(model["v_template"])))
    for row, joint in enumerate(joints):
        regressor[row, 3 * joint : 3 * joint + 3] = random.dirichlet(np.ones(3))
    return regressor


LEGS, ARMS = ([1, 2, 3], [4, 5, 6]), ([11, 12, 13], [14, 15, 16])


@pytest.mark.parametrize("exchanged", [(), (LEGS,), (ARMS,), (LEGS, ARMS)])
def test_regressor(tmp_path, models, body, exchanged):
    model, clip = body.arrays("smplh", "female"), body.clip()
    rows = regressor_of(model)
    for first, second in exchanged:
        rows[first + second] = rows[second + first]
    np.save(tmp_path / "regressor.npy", rows)
    bodies = BodyModels(models, tmp_path / "regressor.npy")
    ours = bodies.get("smplh", "female").keypoints(clip["poses"], clip["betas"])
    for frame in (0, 7):
        vertices = body.forward(model, clip["poses"][frame], clip["betas"])[1]
        np.testing.assert_allclose(ours[frame], regressor_of(model) @ vertices, atol=2e-6)


@pytest.mark.parametrize("rows", [[1, 4], [7, 8], [0, 10], [12, 15]])
def test_regressor_in_another_order(tmp_path, models, body, rows):
    regressor = regressor_of(body.arrays("smplh", "male"))
    regressor[rows] = regressor[rows[::-1]]
    np.save(tmp_path / "regressor.npy", regressor)
    with pytest.raises(
        BodyModelError, match=r"model\.npz: .*not where they belong; its rows must be pelvis, right_hip"
    ):
        BodyModels(models, tmp_path / "regressor.npy").get("smplh", "male")


def test_chunks_make_no_difference(models, body, monkeypatch):
    clip = body.clip(frames=23)
    model = BodyModels(models).get("smplh", "male")
    whole = model.keypoints(clip["poses"], clip["betas"])
    monkeypatch.setattr(amass_body, "CHUNK", 5)
    np.testing.assert_allclose(model.keypoints(clip["poses"], clip["betas"]), whole, atol=1e-6)


def test_fewer_betas_than_the_model_has(models, body):
    clip = body.clip()
    model = BodyModels(models).get("smplh", "male")
    padded = np.concatenate((clip["betas"][:10], np.zeros(6)))
    np.testing.assert_allclose(
        model.keypoints(clip["poses"], clip["betas"][:10]), model.keypoints(clip["poses"], padded), atol=1e-6
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_same_on_gpu(models, body):
    clip = body.clip()
    cpu, gpu = (BodyModels(models, device=device).get("smplh", "male") for device in ("cpu", "cuda"))
    arguments = clip["poses"], clip["betas"]
    np.testing.assert_allclose(gpu.keypoints(*arguments), cpu.keypoints(*arguments), atol=1e-4)


@pytest.mark.parametrize("place", ["SMPLH_MALE.npz", "male/model.npz", "smplh/SMPLH_MALE.npz"])
def test_places(tmp_path, models, place):
    target = tmp_path / "other" / place
    target.parent.mkdir(parents=True)
    shutil.copy(models / "smplh/male/model.npz", target)
    assert BodyModels(tmp_path / "other").get("smplh", "male").path == target
    with pytest.raises(BodyModelError, match="has no smplx model for gender male"):
        BodyModels(tmp_path / "other").get("smplx", "male")


def test_pickled_models_are_not_read(tmp_path):
    (tmp_path / "smplh").mkdir()
    (tmp_path / "smplh/SMPLH_MALE.pkl").write_bytes(pickle.dumps(dict(v_template=0)))
    with pytest.raises(BodyModelError, match=r"SMPLH_MALE\.pkl: pickled models could run code.*docs/data\.md"):
        BodyModels(tmp_path).get("smplh", "male")


def test_missing_smplx(models, monkeypatch):
    original = builtins.__import__

    def without(name, *arguments, **options):
        if name.startswith("smplx"):
            raise ImportError("No module named 'smplx'")
        return original(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BodyModelError, match=r"No module named 'smplx'.*run: pip install --no-deps smplx"):
        BodyModels(models)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(posedirs=None), "field 'posedirs' is missing"),
        (dict(shapedirs=np.zeros((6, 3, 10))), "field 'shapedirs' has shape"),
        (dict(v_template=np.full((156, 3), np.nan)), "field 'v_template' is not finite"),
        (dict(weights=np.ones((156, 52)) * np.eye(52)[0]), "field 'weights' ties no vertex to the head"),
        (dict(kintree_table=np.stack((np.arange(52)[::-1], np.arange(52)))), "'kintree_table' names a parent after"),
        (dict(J_regressor=np.array([[{}]], object)), "field 'J_regressor' is of type object, not numbers"),
    ],
)
def test_wrong_models(tmp_path, body, change, message):
    arrays = {name: array for name, array in (body.arrays() | change).items() if array is not None}
    np.savez(tmp_path / "SMPLH_NEUTRAL.npz", **arrays)
    with pytest.raises(BodyModelError, match=rf"SMPLH_NEUTRAL\.npz: .*{message}"):
        BodyModels(tmp_path).get("smplh", "neutral")


@pytest.mark.parametrize(
    ("regressor", "message"),
    [
        (np.zeros((14, 156)), r"has shape \(14, 156\), not \(17, any\)"),
        (np.zeros((17, 6890)), "has 156 vertices and the regressor 6890"),
        (np.full((17, 156), np.inf), r"regressor is not finite at index \(0, 0\)"),
        (np.random.default_rng(0).normal(size=(17, 156)), "keypoints of the unposed body are not where they belong"),
        (np.array([{}]), "regressor is of type object, not numbers"),
    ],
)
def test_wrong_regressors(tmp_path, models, regressor, message):
    np.save(tmp_path / "regressor.npy", regressor)
    with pytest.raises(BodyModelError, match=message):
        BodyModels(models, tmp_path / "regressor.npy").get("smplh", "male")


def test_missing_regressor(tmp_path, models):
    with pytest.raises(BodyModelError, match=r"nothing\.npy: does not exist"):
        BodyModels(models, tmp_path / "nothing.npy")
