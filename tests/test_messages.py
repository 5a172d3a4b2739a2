import time
from pathlib import Path

import numpy as np

from mpm_mmpose.messages import brief, of_file, shortened


def test_plain_values_are_as_they_are():
    for value in ("a", b"a", 3, 2.5, None, True, [1, 2], ("a", 1.5)):
        assert brief(value) == repr(value)


def test_long_lines_are_cut():
    assert shortened("a\nb") == "a b"
    cut = shortened("x" * 5000 + ": repair it")
    assert len(cut) < 310 and cut.startswith("xxx") and cut.endswith("x: repair it")


def test_large_values_are_short_and_quick():
    laughs = [1]
    for _ in range(40):
        laughs = [laughs, laughs]
    array = np.empty(1, dtype=object)
    array[0] = laughs
    start = time.perf_counter()
    assert brief(laughs) == "a list of 2"
    assert brief(10**10_000) == "an integer of 33220 bits"
    assert brief("x" * 10**6) == f"{'x' * 60!r}... (1000000 characters)"
    assert brief(array) == "object of shape (1,)"
    assert brief({}) == "a dict of 0" and brief([1] * 7) == "a list of 7"
    assert time.perf_counter() - start < 0.5


def test_errors_name_a_file():
    path = Path("data/h36m/a.npz")
    for said in ("data/h36m/b.npy: bad", "a.npz: bad"):
        assert str(of_file(ValueError(said), path)) == said
    assert str(of_file(ValueError("sequence 'x': bad"), path)) == "data/h36m/a.npz: sequence 'x': bad"
