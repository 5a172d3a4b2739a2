from functools import lru_cache

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmpose.registry import DATASETS
from torch.utils.data import DataLoader

from mpm_mmpose.data import MaskedPoseDataset, MixedPoseDataset, PoseSequence, PoseWindowDataset, write_store
from mpm_mmpose.data.window_dataset import keep_batch

# store: frames and action of its sequences
STORES = {
    "one": ((7, "walk"), (4, "eat")),
    "two": ((9, "sit"), (3, "walk"), (2, "phone")),
    "three": ((5, "eat"),),
}


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    random = np.random.default_rng(0)
    for store, clips in STORES.items():
        sequences = [
            PoseSequence(
                f"{store} {number}",
                keypoints_3d=random.normal(size=(frames, 17, 3)),
                keypoints=random.uniform(0, 1000, size=(frames, 17, 2)),
                intrinsics=random.uniform(1, 2, size=9),
                width=1000,
                height=1000,
                fps=25 if store == "three" else 50,
                action=action,
            )
            for number, (frames, action) in enumerate(clips)
        ]
        write_store(folder / store, sequences)
    return folder


def configs(folder, *names, **options):
    return [dict(store=str(folder / name), window=5) | options for name in names]


@lru_cache
def plain(folder, name):
    return PoseWindowDataset(folder / name, 5)


def whereabouts(folder, batch, names):
    """(store, window in it) of every item, found by its poses."""
    found = []
    for pose in batch["keypoints_3d"]:
        for name in names:
            whole = plain(folder, name)
            hits = (whole.__getitems__(range(len(whole)))["keypoints_3d"] == pose).flatten(1).all(1).nonzero()
            found += [(name, int(hit)) for hit in hits]
    assert len(found) == len(batch["keypoints_3d"])
    return found


ANY_STORES = st.lists(st.sampled_from(list(STORES)), min_size=1, max_size=3, unique=True)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=ANY_STORES, data=st.data())
def test_batches_are_those_of_the_data_sets_one_item_after_the_other(stores, names, data):
    dataset = MixedPoseDataset(configs(stores, *names))
    parts = [plain(stores, name) for name in names]
    reference = [(part, window) for part in parts for window in range(len(part))]
    assert len(dataset) == len(reference)
    indices = data.draw(st.lists(st.integers(0, len(dataset) - 1), min_size=1, max_size=12))
    batch = dataset.__getitems__(indices)
    for row, index in enumerate(indices):
        part, window = reference[index]
        expected = part[window]
        assert set(batch) == set(expected)
        for name in ("keypoints", "keypoints_3d", "intrinsics"):
            assert torch.equal(batch[name][row], expected[name][0])
        assert batch["window"][row] == index
        for name, column in (("action", "actions"), ("sequence", "sequences")):
            assert dataset.metainfo[column][batch[name][row]] == part.metainfo[column][expected[name][0]]
    first = {name: value[:1] for name, value in batch.items()}
    torch.testing.assert_close(dataset[indices[0]], first, rtol=0, atol=0, equal_nan=True)


@settings(max_examples=12, deadline=None)
@given(
    names=ANY_STORES,
    shares=st.lists(st.floats(0.1, 1), min_size=3, max_size=3),
    total=st.integers(1, 60),
    seed=st.integers(0, 9),
)
def test_weights_give_the_shares_and_every_window_as_often(stores, names, shares, total, seed):
    weights = shares[: len(names)]
    dataset = MixedPoseDataset(configs(stores, *names), weights=weights, num_windows=total, seed=seed)
    assert len(dataset) == total
    found = whereabouts(stores, dataset.__getitems__(range(total)), names)
    for name, weight in zip(names, weights, strict=True):
        windows = [window for store, window in found if store == name]
        assert abs(len(windows) - total * weight / sum(weights)) < 1 + 1e-6
        times = np.bincount(windows, minlength=len(plain(stores, name)))
        assert times.max() - times.min() <= 1


@settings(max_examples=12, deadline=None)
@given(names=ANY_STORES, weights=st.lists(st.floats(0.1, 1), min_size=3, max_size=3))
def test_without_a_number_the_epoch_is_the_shortest_that_leaves_no_window_out(stores, names, weights):
    weights = np.array(weights[: len(names)])
    dataset = MixedPoseDataset(configs(stores, *names), weights=weights.tolist())
    sizes = np.array([len(plain(stores, name)) for name in names])
    assert (dataset.counts >= sizes).all() and (dataset.counts == sizes).any()
    np.testing.assert_allclose(dataset.counts, len(dataset) * weights / weights.sum(), atol=len(names))


@settings(max_examples=12, deadline=None)
@given(fractions=st.lists(st.floats(0.05, 1), min_size=3, max_size=3), seed=st.integers(0, 9))
def test_fractions_keep_so_many_windows_each_once(stores, fractions, seed):
    dataset = MixedPoseDataset(configs(stores, *STORES), fractions=fractions, seed=seed)
    found = whereabouts(stores, dataset.__getitems__(range(len(dataset))), STORES)
    assert len(set(found)) == len(found)
    for name, fraction in zip(STORES, fractions, strict=True):
        kept = sum(store == name for store, _ in found)
        assert kept == max(1, round(len(plain(stores, name)) * fraction))


def test_fractions_first_then_weights(stores):
    dataset = MixedPoseDataset(configs(stores, "one", "two"), fractions=[3 / 11, 1], weights=[1, 1], num_windows=20)
    windows = [w for store, w in whereabouts(stores, dataset.__getitems__(range(20)), ("one", "two")) if store == "one"]
    assert sorted(np.unique(windows, return_counts=True)[1]) == [3, 3, 4]


def test_the_choice_follows_the_seed(stores):
    def windows(seed):
        dataset = MixedPoseDataset(configs(stores, "two", "one"), fractions=[0.5, 0.5], seed=seed)
        return dataset.__getitems__(range(len(dataset)))["keypoints"]

    assert torch.equal(windows(1), windows(1)) and not torch.equal(windows(1), windows(2))


def test_epochs_go_on_where_the_one_before_ended(stores):
    """5 of 14 and 5 of 11 windows an epoch: after three epochs all have been seen, none twice more than another."""
    dataset = MixedPoseDataset(configs(stores, "two", "one"), weights=[1, 1], num_windows=10)
    seen = []
    for epoch in range(14):
        dataset.set_epoch(epoch)
        seen.append(whereabouts(stores, dataset.__getitems__(range(10)), STORES))
    assert len(set(seen[0] + seen[1] + seen[2])) == 14 + 11
    for name in ("one", "two"):
        times = np.bincount([window for epoch in seen for store, window in epoch if store == name])
        assert times.max() - times.min() <= 1
    dataset.set_epoch(1)
    assert whereabouts(stores, dataset.__getitems__(range(10)), STORES) == seen[1]


def test_without_weights_an_epoch_is_the_same_windows_every_time(stores):
    dataset = MixedPoseDataset(configs(stores, "two", "one"), fractions=[0.5, 1])
    first = dataset.__getitems__(range(len(dataset)))["keypoints"]
    dataset.set_epoch(3)
    assert torch.equal(dataset.__getitems__(range(len(dataset)))["keypoints"], first)


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_that_outlive_an_epoch_learn_which_one_it_is(stores, context):
    small = dict(type="MixedPoseDataset", datasets=configs(stores, "two"), weights=[1], num_windows=5)
    dataset = MaskedPoseDataset(small, small)
    loader = DataLoader(
        dataset, 3, num_workers=2, persistent_workers=True, collate_fn=keep_batch, multiprocessing_context=context
    )
    for epoch in (0, 1, 2, 7):
        dataset.set_epoch(epoch)
        found = list(loader)
        for name in ("keypoints", "keypoints_3d"):
            assert torch.equal(torch.cat([batch[name] for batch in found]), dataset.__getitems__(range(5))[name])
    assert not torch.equal(dataset.__getitems__(range(5))["keypoints"], first_epoch(dataset))


def first_epoch(dataset):
    dataset.set_epoch(0)
    return dataset.__getitems__(range(5))["keypoints"]


def test_metainfo_is_merged(stores):
    dataset = MixedPoseDataset(configs(stores, "one", "two"), metainfo=dict(note="x"))
    info = dataset.metainfo
    assert info["actions"] == ("eat", "phone", "sit", "walk")
    assert info["sequences"] == ("one 0", "one 1", "two 0", "two 1", "two 2")
    assert (info["stores"], info["keypoint_set"], info["fps"], info["note"]) == ("one + two", "h36m_17", 50, "x")
    assert MixedPoseDataset(configs(stores, "one", "three")).metainfo["fps"] is None


def test_a_mixture_may_be_part_of_another_and_of_pretraining(stores):
    inner = dict(type="MixedPoseDataset", datasets=configs(stores, "one", "two"), fractions=[0.5, 0.5])
    mixture = dict(type="MixedPoseDataset", datasets=[inner, *configs(stores, "three")])
    dataset = DATASETS.build(mixture)
    assert len(dataset) == 6 + 7 + 5
    batch = dataset.__getitems__([17, 0])
    assert dataset.metainfo["sequences"][batch["sequence"][0]] == "three 0"

    pairs = MaskedPoseDataset(mixture, configs(stores, "two")[0])
    assert len(pairs) == 18
    batch = pairs.__getitems__(range(18))
    assert {name: tuple(value.shape) for name, value in batch.items()} == dict(
        keypoints=(18, 5, 17, 2), keypoints_3d=(18, 5, 17, 3), down_3d=(18, 3), window=(18,)
    )
    assert torch.equal(batch["keypoints"], dataset.__getitems__(range(18))["keypoints"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(weights=[1]), "1 weights for 2 datasets"),
        (dict(weights=[1, 0]), r"weights is \[1, 0\]; each must be above 0"),
        (dict(fractions=[1, 1.5]), "above 0 and at most 1"),
        (dict(num_windows=5), "num_windows is 5; give 1 or more, and weights"),
    ],
)
def test_numbers_that_do_not_fit(stores, options, message):
    with pytest.raises(ValueError, match=message):
        MixedPoseDataset(configs(stores, "one", "two"), **options)


def test_data_sets_that_do_not_go_together(stores):
    one, two = configs(stores, "one", "two")
    with pytest.raises(ValueError, match=r"window of the datasets are \[5, 7\]"):
        MixedPoseDataset([one, two | dict(window=7)])
    with pytest.raises(ValueError, match=r"modalities of the datasets are \[\('2d',\), \('2d', '3d'\)\]"):
        MixedPoseDataset([one | dict(modalities=["2d"]), two])
    with pytest.raises(ValueError, match="datasets is empty"):
        MixedPoseDataset([])
