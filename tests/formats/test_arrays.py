import zipfile
from dataclasses import fields, replace

import numpy as np
import pytest

from mpm_mmpose.formats import LiftedPerson, Scene, read_scene, write_scene
from mpm_mmpose.version import __version__


def assert_same(one, other):
    for field in fields(one):
        values = getattr(one, field.name), getattr(other, field.name)
        if field.name == "people":
            assert len(values[0]) == len(values[1])
            for people in zip(*values, strict=True):
                assert_same(*people)
        else:
            np.testing.assert_array_equal(*values, err_msg=field.name)


def test_what_is_written_is_read(tmp_path, walk):
    people = [
        replace(person, masked=np.zeros((len(person.frames), 17), bool), trajectory=None) for person in walk.people
    ]
    people = [
        replace(person, ground_truth=person.keypoints_3d + 0.1, spread=person.keypoints_3d[..., 0]) for person in people
    ]
    walk = replace(walk, people=people)
    assert write_scene(tmp_path / "walk.npz", walk) == (
        [tmp_path / "walk.npz"],
        ["person b/2 has no 3D in 1 of 3 frames"],
    )
    assert_same(read_scene(tmp_path / "walk.npz"), walk)


def test_what_is_not_known_of_everybody_is_left_out(tmp_path, walk):
    write_scene(tmp_path / "walk.npz", walk)
    again = read_scene(tmp_path / "walk.npz")
    assert all(person.trajectory is None and person.masked is None for person in again.people)


def test_the_file_explains_itself(tmp_path, walk):
    write_scene(tmp_path / "walk.npz", walk)
    arrays = np.load(tmp_path / "walk.npz", allow_pickle=False)
    assert (
        arrays["axes"] == "m; camera axes: x right, y down, z away" and arrays["made_by"] == f"mpm_mmpose {__version__}"
    )
    assert arrays["keypoint_names"][:2].tolist() == ["pelvis", "right_hip"] and arrays["fps"] == 25
    np.testing.assert_allclose(arrays["time"][-3:], np.array([3, 4, 7]) / 25)


def test_nobody(tmp_path):
    scene = Scene("empty", [], np.arange(3) / 10, 10.0, notes=["nobody was found"])
    write_scene(tmp_path / "empty.npz", scene)
    assert_same(read_scene(tmp_path / "empty.npz"), scene)


def test_a_file_of_the_first_version(tmp_path):
    """It had neither frame_times nor what made it."""
    poses = np.zeros((2, 17, 3))
    np.savez(
        tmp_path / "old.npz",
        fps=10,
        notes=[],
        person=["3", "3"],
        frame=[0, 4],
        keypoints_3d=poses,
        keypoint_set="h36m_17",
    )
    scene = read_scene(tmp_path / "old.npz")
    np.testing.assert_allclose(scene.times, np.arange(5) / 10)
    assert (scene.name, scene.made_by, scene.notes) == ("old", "", [])
    assert_same(scene.people[0], LiftedPerson("3", "h36m_17", np.array([0, 4]), poses))


def test_people_of_several_keypoint_sets(tmp_path, walk):
    other = replace(walk.people[1], keypoint_set="mpi_inf_3dhp_17")
    with pytest.raises(ValueError, match="several keypoint sets .h36m_17, mpi_inf_3dhp_17."):
        write_scene(tmp_path / "walk.npz", replace(walk, people=[walk.people[0], other]))


GOOD = dict(fps=10.0, person=["3"], frame=[0], keypoints_3d=np.zeros((1, 17, 3)), keypoint_set="h36m_17")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (dict(fps=-1.0), "fps is -1; give the frames a second, from 1 to 1000"),
        (dict(fps=None), "has no fps; give an .npz"),
        (dict(fps="fast"), "fps is <U4 of shape .., not what this package writes"),
        (dict(keypoint_set=None), "has no keypoint_set; give an .npz that this package wrote"),
        (dict(person=None), "has no person; give an .npz"),
        (dict(keypoint_set="h36m_18"), "keypoint set 'h36m_18' is not known"),
        (dict(keypoints_3d=np.zeros((1, 16, 3))), r"keypoints_3d has shape \(1, 16, 3\), not \(1, 17, 3\)"),
        (dict(frame=[0, 1]), "frame has 2 rows, person 1"),
        (dict(frame=[-1]), "frame has a value of -1, and 1e.07 is the most"),
        (dict(frame=[0.5]), "frame is float64 of shape .1,., not what"),
        (dict(masked=np.zeros((2, 17), bool)), r"masked has shape \(2, 17\), not \(1, 17\)"),
        (dict(frame_times=[], frame=[1]), "frame has 1, but frame_times only 0 frames"),
        (dict(keypoints_3d=np.array([None])), "keypoints_3d is object of shape"),
        (dict(keypoints_3d=np.full((1, 17, 3), 1e30)), "keypoints_3d has a value of 1e.30, and 1000 is the most"),
        (dict(keypoints_3d=np.full((1, 17, 3), np.inf)), "keypoints_3d has a value of inf"),
        (dict(frame=[2**62]), "frame has a value of 4.61169e.18, and 1e.07 is the most"),
        (dict(frame_times=[1.0, 0.5]), "frame_times do not rise"),
        (dict(frame_times=[np.nan]), "frame_times has a value of nan"),
        (dict(width=-1), "width has a value of -1"),
        (dict(fps=1e-9), "fps is 1e-09; give the frames"),
        (
            dict(person=["3", "3"], frame=[4, 4], keypoints_3d=np.zeros((2, 17, 3))),
            "frame does not rise in the rows of",
        ),
        (dict(keypoints_2d=np.zeros((1, 16, 2))), r"keypoints_2d has shape \(1, 16, 2\), not \(1, 17, 2\)"),
        (dict(ground_truth=np.zeros((1, 16, 3))), r"ground_truth has shape \(1, 16, 3\)"),
    ],
)
def test_damaged_files_are_refused(tmp_path, damage, message):
    arrays = {name: value for name, value in (GOOD | damage).items() if value is not None}
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(ValueError, match=rf"bad\.npz: .*{message}"):
        read_scene(tmp_path / "bad.npz")


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut off"])
def test_what_is_no_npz(tmp_path, content):
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.npz: is no \.npz archive, or is cut off"):
        read_scene(tmp_path / "bad.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    (tmp_path / "one.npy").rename(tmp_path / "bad.npz")
    with pytest.raises(ValueError, match=r"bad\.npz: is no \.npz archive"):
        read_scene(tmp_path / "bad.npz")


def test_text_that_is_none(tmp_path):
    """numpy does not check it; Python's text of it is a SystemError."""
    arrays = GOOD | dict(person=np.array([2**30], np.uint32).view("<U1"))
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(ValueError, match=r"bad\.npz: field 'person': holds characters that there are not"):
        read_scene(tmp_path / "bad.npz")


def test_few_bytes_that_would_be_gigabytes(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (
            "keypoints_3d",
            "ground_truth",
            "keypoints_2d",
            "spread",
            "person",
            "frame",
            "keypoint_set",
            "fps",
        ):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                shape = () if name == "fps" else (60 * 2**17,)
                np.lib.format.write_array_header_1_0(member, dict(descr="<f8", fortran_order=False, shape=shape))
                for _ in range(60 if shape else 0):
                    member.write(bytes(2**20))
    assert path.stat().st_size < 10**6
    with pytest.raises(ValueError, match=r"bomb\.npz: field '\w+' and others: \d+ bytes announce \d+; no rec"):
        read_scene(path)
