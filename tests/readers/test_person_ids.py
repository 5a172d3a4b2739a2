import numpy as np
import pytest

from mpm_mmpose.readers.person_ids import person_id


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (3, 3),
        (3.0, 3),
        ("3", 3),
        ("3.0", 3),
        ([[0.0], [0.0]], 0),  # AlphaPose
        ([4], 4),
        (np.int64(5), 5),
        ("person_1", "person_1"),
        ("Anna / left", "Anna_left"),
        ("../../x", "_.._x"),
        (-1, None),
        ("-1", None),
        ([-1], None),
        (None, None),
        ([], None),
        (float("nan"), None),
        ("", None),
        ("null", None),
        ([[1.0], [2.0]], None),  # boxes that AlphaPose merged: nobody knows which
        ([[1.0], [-1]], 1),
    ],
)
def test_what_trackers_write(written, meant):
    found = person_id("walk.json", written)
    assert found == meant and type(found) is type(meant)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (True, "walk.json: track id is True; give a number or a name, or leave it out"),
        (dict(id=1), "walk.json: track id is a dict of 1; give a number or a name"),
        (1.5, "walk.json: track id is 1.5; give a whole number below 2.53, or a name"),
        (1e300, "give a whole number below"),
        (float("inf"), "give a whole number below"),
    ],
)
def test_what_is_no_id(written, message):
    with pytest.raises(ValueError, match=message):
        person_id("walk.json", written)
