import os

import numpy as np
import pytest

from mpm_mmpose.pose.keypoints import H36M_17
from mpm_mmpose.readers.amass import SPLITS, find_amass_files, read_amass, subset_of
from mpm_mmpose.readers.amass_body import BodyModelError, BodyModels


@pytest.fixture
def bodies(models):
    return BodyModels(models)


def test_motion(write_clip, bodies, body):
    motion = read_amass(write_clip(), bodies)
    assert (motion.name, motion.subject, motion.action) == ("CMU/01/01_01", "CMU/01", "01_01")
    assert motion.fps == 100 and len(motion) == 9
    clip, model = body.clip(), body.arrays("smplh", "female")
    for frame in (0, 8):
        joints = body.forward(model, clip["poses"][frame], clip["betas"])[0] + clip["trans"][frame]
        for name, joint in (("pelvis", 0), ("left_wrist", 20), ("right_ankle", 8)):
            np.testing.assert_allclose(motion.keypoints_3d[frame, H36M_17.index(name)], joints[joint], atol=2e-6)
    # Z is up: AMASS's root orientation turns SMPL's Y to it
    height = dict(zip(H36M_17.names, motion.keypoints_3d.mean(0)[:, 2], strict=True))
    assert height["head_top"] > height["thorax"] > height["pelvis"] > height["left_ankle"]


@pytest.mark.parametrize("leave_out", ["poses", "pose_body"])
def test_smplx_format(write_clip, bodies, leave_out):
    """Columns of `poses` and the separate fields say the same."""
    whole = read_amass(write_clip("amass/CMU/01/a_stageii.npz", "smplx", gender="neutral"), bodies)
    part = read_amass(write_clip("amass/CMU/01/b.npz", "smplx", {leave_out: None}, gender="neutral"), bodies)
    assert whole.action == "a"
    np.testing.assert_array_equal(whole.keypoints_3d, part.keypoints_3d)


@pytest.mark.parametrize("gender", [b"female", "b'female'", "Female", ["female"]])
def test_gender_as_the_archives_have_it(write_clip, bodies, gender):
    plain = read_amass(write_clip(), bodies)
    other = read_amass(write_clip("amass/CMU/01/x.npz", gender=gender), bodies)
    np.testing.assert_array_equal(plain.keypoints_3d, other.keypoints_3d)


def test_gender_and_shape_matter(write_clip, bodies):
    plain = read_amass(write_clip(), bodies).keypoints_3d
    male = read_amass(write_clip("amass/CMU/01/x.npz", gender="male"), bodies).keypoints_3d
    mean = read_amass(write_clip("amass/CMU/01/y.npz", changes=dict(betas=np.zeros(10))), bodies).keypoints_3d
    assert np.abs(plain - male).max() > 0.005 and np.abs(plain - mean).max() > 0.005


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(poses=None), "field 'poses' is missing; it has betas,"),
        (dict(poses=np.zeros((9, 72))), "field 'poses' has 72 columns, not 156"),
        (
            dict(poses=np.zeros((9, 165)), surface_model_type=np.array("smplh")),
            "is 'smplh', but 'poses' has 165 columns, as smplx has",
        ),
        (dict(poses=np.zeros((0, 156)), trans=np.zeros((0, 3))), "field 'poses' has no frames"),
        (dict(poses=np.full((9, 156), np.nan)), r"field 'poses' is not finite at index \(0, 0\)"),
        (dict(poses=np.full((9, 156), 90.0)), "'poses' goes up to 90; it must be radians"),
        (dict(poses=np.full((9, 156), "x")), "field 'poses' is of type <U1, not numbers"),
        (dict(poses=np.array([{}], object)), "field 'poses' is of type object, not numbers"),
        (dict(trans=np.zeros((8, 3))), r"field 'trans' has shape \(8, 3\), not \(9, 3\)"),
        (dict(trans=np.linspace(0, 3000, 27).reshape(9, 3)), "'trans' moves by .*metres, not millimetres"),
        (dict(betas=None), "field 'betas' is missing"),
        (dict(betas=np.full(16, 3000.0)), "field 'betas' gives a body whose trunk is"),
        (dict(mocap_framerate=None), "field 'mocap_framerate' is missing"),
        (dict(mocap_framerate=np.array(0.0)), "field 'mocap_framerate': fps is 0; give"),
        (dict(gender=np.array("robot")), "field 'gender' is 'robot', none of female, male, neutral"),
        (dict(gender=np.array(3)), "field 'gender' is"),
        (
            dict(surface_model_type=np.array("mano")),
            "field 'surface_model_type' is 'mano', but 'poses' has 156 columns",
        ),
    ],
)
def test_bad_archives(write_clip, bodies, change, message):
    with pytest.raises(ValueError, match=rf"bad\.npz: .*{message}"):
        read_amass(write_clip("amass/CMU/01/bad.npz", changes=change), bodies)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(poses=None, pose_eye=None), "field 'pose_eye' is missing"),
        (
            dict(poses=None, pose_body=np.zeros((8, 63))),
            r"fields differ in frames: root_orient \(9, 3\), pose_body \(8, 63\)",
        ),
        (dict(poses=None, pose_body=np.zeros((9, 69))), "has 171 columns, not 156"),
    ],
)
def test_bad_parts(write_clip, bodies, change, message):
    with pytest.raises(ValueError, match=rf"bad\.npz: .*{message}"):
        read_amass(write_clip("amass/CMU/01/bad.npz", "smplx", change, gender="neutral"), bodies)


def test_missing_body_model(write_clip, bodies):
    path = write_clip(kind="smplx", gender="male")
    with pytest.raises(
        BodyModelError, match=r"body_models: has no smplx model for gender male, looked for smplx_locked_head/"
    ):
        read_amass(path, bodies)


def test_finding_by_split(tmp_path, write_clip):
    names = [
        "amass/CMU/01/01_01_poses.npz",
        "amass/CMU/CMU/02/02_01_poses.npz",
        "amass/BMLrub/rub001/0001_stageii.npz",
        "amass/HumanEva/S1/Box_1_poses.npz",
        "amass/SSM/20160330_03333/chicken_wings_stageii.npz",
        "amass/DanceDB/20120731/dance_poses.npz",
    ]
    for name in names:
        write_clip(name, frames=1)
    for shape in ("amass/CMU/01/shape.npz", "amass/BMLrub/rub001/male_stagei.npz"):
        write_clip(shape, frames=1)
    root = tmp_path / "amass"
    found = {
        split: [str(p.relative_to(tmp_path)) for p in find_amass_files([root], split)] for split in (*SPLITS, "all")
    }
    assert sorted(found["train"]) == sorted(names[:3])
    assert found["val"] == names[3:4] and found["test"] == names[4:5]
    assert sorted(found["all"]) == sorted(names)
    assert subset_of(root / names[2]) == "BioMotionLab_NTroje" and subset_of(root / names[5]) == "DanceDB"
    with pytest.raises(ValueError, match=r"1 files of DanceDB are all outside of split val \(HumanEva"):
        find_amass_files([root / "DanceDB"], "val")
    with pytest.raises(ValueError, match="split 'vald' is not known; use train, val, test or all"):
        find_amass_files([root], "vald")
    with pytest.raises(ValueError, match=r"empty: holds no \.npz files"):
        (tmp_path / "empty").mkdir()
        find_amass_files([tmp_path / "empty"])
    with pytest.raises(FileNotFoundError, match="nowhere: does not exist"):
        find_amass_files([tmp_path / "nowhere"])


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("field", ["poses", "gender", "betas"])
def test_hostile_archives_run_nothing(tmp_path, write_clip, bodies, field):
    path = write_clip(changes={field: np.array(Hostile(tmp_path / "ran"), object)})
    with pytest.raises(ValueError, match=rf"01_01_poses\.npz: field '{field}'.*posix.mkdir, which is refused"):
        read_amass(path, bodies)
    assert not (tmp_path / "ran").exists()


def test_what_is_no_archive(tmp_path, write_clip, bodies):
    path = write_clip()
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"01_01_poses\.npz: is no \.npz archive, or is cut off"):
        read_amass(path, bodies)
    with pytest.raises(IsADirectoryError, match="is a directory; give the file itself"):
        read_amass(tmp_path, bodies)
