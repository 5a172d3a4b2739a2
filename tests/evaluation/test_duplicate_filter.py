import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mpm_mmpose.evaluation.duplicate_filter import SeenWindows

batches = st.lists(st.lists(st.integers(0, 300), max_size=20), max_size=8)


@given(batches)
def test_every_window_is_new_once(windows):
    seen, known = SeenWindows(), set()
    for batch in windows:
        expected = []
        for window in batch:
            expected.append(window not in known)
            known.add(window)
        assert seen.add(np.array(batch, np.int64)).tolist() == expected


@given(st.sets(st.integers(0, 300)), st.sets(st.integers(0, 300)))
def test_update_counts_what_is_in_both(ours, theirs):
    mine, other = SeenWindows(), SeenWindows()
    for seen, windows in ((mine, ours), (other, theirs)):
        seen.add(np.array(sorted(windows), np.int64))
    assert mine.update(other) == len(ours & theirs)
    assert np.flatnonzero(~mine.add(np.arange(301))).tolist() == sorted(ours | theirs)


def test_takes_a_bit_a_window():
    seen = SeenWindows()
    for start in range(0, 100_000, 500):
        assert seen.add(np.arange(start, start + 500)).all()
    assert seen._bits.nbytes <= 2 * (100_000 // 8 + 1)
