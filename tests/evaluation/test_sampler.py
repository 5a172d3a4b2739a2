from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmengine.dataset import DefaultSampler
from mmengine.runner import Runner

from mpm_mmpose.evaluation import sampler as module
from mpm_mmpose.evaluation.sampler import ContiguousSampler


def stretches(length, ranks, kind=ContiguousSampler, where=module):
    found = []
    for rank in range(ranks):
        with mock.patch.object(where, "get_dist_info", lambda rank=rank: (rank, ranks)):
            found.append(kind(range(length)))
    assert [len(part) for part in found] == [len(list(part)) for part in found]
    return [list(part) for part in found]


@given(st.integers(0, 50), st.integers(1, 9))
def test_one_stretch_each_and_nothing_twice(length, ranks):
    parts = stretches(length, ranks)
    assert sum(parts, []) == list(range(length))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_is_what_a_config_names():
    dataset = [dict(x=i) for i in range(5)]
    loader = Runner.build_dataloader(
        dict(dataset=dataset, batch_size=2, num_workers=0, sampler=dict(type="ContiguousSampler", _scope_="mmpose")),
        seed=1,
    )
    loader.sampler.set_epoch(3)
    assert list(loader.sampler) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("length", [1, 7, 8])
def test_default_sampler_repeats_one_index_a_rank_at_most(length):
    """What the metric relies on to find repeated samples that have no window index: see accumulator.merged."""
    import mmengine.dataset.sampler as theirs

    parts = stretches(length, 3, lambda data: DefaultSampler(data, shuffle=False, seed=0), theirs)
    repeated = sum(map(len, parts)) - length
    kept = [part[:-1] if rank >= 3 - repeated else part for rank, part in enumerate(parts)]
    assert sorted(sum(kept, [])) == list(range(length))
