import dataclasses

import pytest

from mpm_mmpose.evaluation.pck import GROUPED
from mpm_mmpose.evaluation.protocol import PRESETS, Protocol, get_protocol
from mpm_mmpose.pose.keypoints import COMMON_16, H36M_17, MPI_INF_3DHP_17


def test_presets():
    assert set(PRESETS) == {"plain", "h36m_p1", "h36m_p2", "3dhp", "released_mpm"}
    chosen = {name: (p.headline, p.average, p.root_alignment, p.released) for name, p in PRESETS.items()}
    assert chosen["h36m_p1"] == (("mpjpe",), "actions", "subtracted", False)
    assert chosen["h36m_p2"] == (("p_mpjpe",), "actions", "subtracted", False)
    assert chosen["3dhp"] == (("pck", "auc", "mpjpe"), "frames", "subtracted", False)
    assert chosen["released_mpm"] == (("mpjpe", "p_mpjpe"), "actions", "zeroed", True)
    assert PRESETS["3dhp"].annotation == "univ_annot3" and PRESETS["3dhp"].keypoints == 17


def test_changes_are_in_the_name():
    assert get_protocol("3dhp", keypoints=17) == PRESETS["3dhp"]
    changed = get_protocol("3dhp", keypoints=16, block_list="TS5", average="frames")
    assert changed.name == "3dhp, changed: keypoints, block_list"
    assert changed.block_list == ("TS5",)
    assert dataclasses.replace(changed, name="3dhp", keypoints=17, block_list=()) == PRESETS["3dhp"]


@pytest.mark.parametrize("keypoints", [H36M_17, COMMON_16, MPI_INF_3DHP_17])
def test_keypoints_are_chosen_by_name(keypoints):
    def names(**options):
        counted = Protocol(**options).counts(keypoints)
        return {name for name, there in zip(keypoints.names, counted, strict=True) if there}

    assert names() == set(keypoints.names)
    assert names(keypoints=14) == set(GROUPED)
    assert names(keypoints=16) == set(COMMON_16.names)
    assert names(keypoints=16, root=False) == set(COMMON_16.names) - {"pelvis"}


def test_too_few_keypoints_are_refused():
    with pytest.raises(ValueError, match="keypoints=17: the data set's common_16 has 16"):
        Protocol(keypoints=17).counts(COMMON_16)


def test_block_list_takes_names_and_patterns():
    sequences = ("S9_Greeting.1", "S9_Walking.1", "S11_Greeting.1", "S9_Greeting_1.1")
    assert Protocol(block_list=["S9_Greeting*", "S11_Greeting.1"]).blocked(sequences) == [True, False, True, True]
    assert Protocol().blocked(sequences) == [False] * 4
    with pytest.raises(ValueError, match="no sequence is called 'S9_Greting'; the data set has S9_Greeting.1, "):
        Protocol(block_list="S9_Greting").blocked(sequences)


def test_another_ground_truth_is_refused():
    Protocol(annotation="annot3").check_annotation(None)
    Protocol().check_annotation("annot3")
    Protocol(annotation="annot3").check_annotation("annot3")
    with pytest.raises(ValueError, match="annotation='univ_annot3': the data set holds 'annot3'"):
        PRESETS["3dhp"].check_annotation("annot3")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(keypoints=15), "keypoints=15: give one of"),
        (dict(average="action"), "average='action': give one of"),
        (dict(root_alignment="none"), "root_alignment='none'"),
        (dict(frames="centre"), "frames='centre'"),
        (dict(frame_step=0), "frame_step=0: give a whole number, 1 or more"),
        (dict(resamples=2.5), "resamples=2.5"),
        (dict(headline="pa_mpjpe"), "headline=.'pa_mpjpe'.: give some of"),
        (dict(blocklist=()), "'blocklist'. are not known; there are .*'block_list'"),
        (dict(name="mine"), "'name'. are not known"),
    ],
)
def test_unknown_choices_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        get_protocol("plain", **options)


def test_an_unknown_protocol_lists_those_there_are():
    with pytest.raises(ValueError, match="'h36m' is not known; use one of plain, h36m_p1"):
        get_protocol("h36m")
