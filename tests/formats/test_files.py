from pathlib import Path

import numpy as np

from mpm_mmpose.formats.files import FileNames, paths_of, safe_name
from mpm_mmpose.pose.scene import LiftedPerson

WALK = Path("out/walk.bvh")


def people(*names):
    return [LiftedPerson(name, "h36m_17", np.arange(1), np.zeros((1, 17, 3))) for name in names]


def test_one_person_has_the_name_that_was_given():
    assert paths_of(WALK, people("a/b"), ".bvh") == [WALK]
    assert paths_of(WALK, [], ".bvh") == []


def test_each_of_several_has_a_file_of_their_own():
    names = ["a/b", "a_b", "A b", "a_b_2", "../..", "Zoë", ""]
    files = ["walk_a_b.bvh", "walk_a_b_2.bvh", "walk_A_b_3.bvh", "walk_a_b_2_2.bvh", "walk_.._...bvh", "walk_Zoë.bvh"]
    assert paths_of(WALK, people(*names), ".bvh") == [Path("out", file) for file in [*files, "walk__.bvh"]]
    assert [path.name for path in paths_of(Path("walk.SMPL.npz"), people("a", "b"), ".smpl.npz")] == [
        "walk_a.SMPL.npz",
        "walk_b.SMPL.npz",
    ]


def test_no_name_leads_out_of_its_folder():
    names = ["//etc/passwd", "/a", "../../a", "a/../b", "", ".", "..", "/", "a\x00b\nc", "c:\\d", "\udcff", "x" * 999]
    safe = ["etc/passwd", "a", "a", "a/b", "_", "_", "_", "_", "a_b_c", "c__d", "_", "x" * 180]
    assert [safe_name(name) for name in names] == safe
    for name in names:
        inside = Path("/out", safe_name(name))
        assert inside.parts[:2] == ("/", "out") and inside != Path("/out") and ".." not in inside.parts


def test_each_text_has_a_file_of_its_own():
    names = FileNames()
    assert [names(text) for text in ("", ".", "..", "a", "A", "a/b", "a//b", "a_2")] == [
        *("_", "__2", "__3", "a", "A_2", "a/b", "a/b_2", "a_2_2"),
    ]
