import numpy as np
import pytest

from mpm_mmpose.converters.virtual_camera import look_at
from mpm_mmpose.data import PoseSequence, PoseStore, write_store
from mpm_mmpose.data.sequence_table import choose_sequences

EVERYTHING = dict(subjects=None, actions=None, names=None)


def sequence(name, frames=10, **fields):
    poses = np.zeros((frames, 17, 3)) + [0, 0, 4]
    options = dict(width=1000, height=800, fps=50) | fields
    return PoseSequence(name, poses, np.zeros((frames, 17, 2)) + 500 if options["width"] else None, **options)


def test_down_is_where_things_fall_in_camera_space(tmp_path):
    rotation, translation = look_at(np.array([3.0, 1.0, 1.5]), np.array([0.0, 0.0, 0.9]))
    known = sequence("known", rotation=rotation, translation=translation)
    write_store(tmp_path / "s", [known, sequence("unknown")])
    table = choose_sequences([PoseStore(tmp_path / "s")], EVERYTHING)
    here, lower = ((rotation @ point + translation) for point in ([1.0, 2.0, 3.0], [1.0, 2.0, 2.0]))
    np.testing.assert_allclose(table.down[0], lower - here, atol=1e-6)
    assert table.down[0, 1] > 0.9 and np.isnan(table.down[1]).all()


def test_images_are_described_where_there_are_any(tmp_path):
    lens = np.array([1000, 1000, 500, 400, 0, 0, 0, 0, 0])
    write_store(tmp_path / "a", [sequence("seen", intrinsics=lens)])
    write_store(tmp_path / "b", [sequence("unseen", width=0, height=0)])
    table = choose_sequences([PoseStore(tmp_path / "a"), PoseStore(tmp_path / "b")], EVERYTHING)
    np.testing.assert_allclose(table.aspect, [0.8, np.nan])
    np.testing.assert_allclose(table.intrinsics[0], [2, 2, 0, 0, 0, 0, 0, 0, 0], atol=1e-6)
    assert np.isnan(table.intrinsics[1]).all()
    np.testing.assert_array_equal(table.stores, [0, 1])
    np.testing.assert_array_equal(table.starts, [0, 0])


def test_frames_are_of_the_activity_of_their_stretch(tmp_path):
    meta = dict(activities={"TS1": [(0, 1), (4, 3), (6, 1)]})
    write_store(tmp_path / "s", [sequence("other", action="walk"), sequence("TS1")], meta)
    table = choose_sequences([PoseStore(tmp_path / "s")], EVERYTHING)
    assert table.actions == ("1", "3", "walk")
    found = table.action_of(np.array([0] * 2 + [1] * 6), np.array([0, 9, 0, 3, 4, 5, 6, 9]))
    assert [table.actions[i] for i in found] == ["walk", "walk", "1", "1", "3", "3", "1", "1"]


def test_choices_that_leave_nothing_are_refused(tmp_path):
    write_store(tmp_path / "s", [sequence("a", subject="S1"), sequence("b", subject="S2")])
    stores = [PoseStore(tmp_path / "s")]
    table = choose_sequences(stores, EVERYTHING | dict(subjects=["S2"]))
    assert table.names.tolist() == ["b"] and table.starts.tolist() == [10] and len(table) == 1
    with pytest.raises(ValueError, match=r"no subjects \['S3'\]; there are S1, S2"):
        choose_sequences(stores, EVERYTHING | dict(subjects=["S3"]))
    with pytest.raises(ValueError, match="no sequence is of all of"):
        choose_sequences(stores, EVERYTHING | dict(subjects=["S2"], names=["a"]))
