from pathlib import Path

import numpy as np

from mpm_mmpose.formats.files import paths_of
from mpm_mmpose.formats.scene import Person

WALK = Path("out/walk.bvh")


def people(*names):
    return [Person(name, "h36m_17", np.arange(1), np.zeros((1, 17, 3))) for name in names]


def test_one_person_has_the_name_that_was_given():
    assert paths_of(WALK, people("a/b")) == [WALK]
    assert paths_of(WALK, []) == []


def test_each_of_several_has_a_file_of_their_own():
    names = ["a/b", "a_b", "A b", "a_b_2", "../..", "Zoë", ""]
    files = ["walk_a_b.bvh", "walk_a_b_2.bvh", "walk_A_b_3.bvh", "walk_a_b_2_2.bvh", "walk_.._...bvh", "walk_Zoë.bvh"]
    assert paths_of(WALK, people(*names)) == [Path("out", file) for file in [*files, "walk__.bvh"]]
