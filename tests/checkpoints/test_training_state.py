import random

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim import ExponentialLR
from torch import nn

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.checkpoints.loading import CheckpointError
from mpm_mmpose.checkpoints.training_state import check_optimizer, check_schedulers, names_only, resumable


def state(**info):
    info = dict(epoch=2, keep_ckpt_ids=[1, 2]) | info
    hub = dict(
        log_scalars=dict(loss=HistoryBuffer([1.0], [1]), old=3),
        runtime_info=info,
        resumed_keys=dict.fromkeys((*info, "loss", "old"), True),
    )
    return dict(meta=dict(epoch=np.int64(2), iter=6, seed=0, dataset_meta=dict(fps=50.0)), message_hub=hub)


def random_states():
    algorithm, keys, *rest = np.random.get_state()
    return dict(
        torch=torch.get_rng_state(),
        numpy=(algorithm, torch.from_numpy(keys.astype(np.int64)), *rest),
        python=random.getstate(),
    )


def test_a_good_state_is_taken_as_it_is(tmp_path):
    (tmp_path / "best_pose_mpjpe_epoch_1.pth").touch()
    good = state(best_ckpt="/gone/best_pose_mpjpe_epoch_1.pth", best_score=41.5, last_ckpt="/gone/epoch_2.pth")
    taken = resumable(good | dict(random_states=[random_states()]), "a.pth", tmp_path)
    assert taken["meta"] == dict(epoch=2, iter=6, seed=0, dataset_meta=dict(fps=50.0))
    hub = taken["message_hub"]
    assert list(hub["log_scalars"]) == ["loss"] and "old" not in hub["resumed_keys"]
    assert hub["runtime_info"] == dict(
        epoch=2,
        keep_ckpt_ids=[1, 2],
        best_score=41.5,
        best_ckpt=str(tmp_path / "best_pose_mpjpe_epoch_1.pth"),
        last_ckpt=str(tmp_path / "epoch_2.pth"),
    )


@pytest.mark.parametrize(
    "info",
    [
        dict(best_ckpt="/home/somebody", best_score=1.0),
        dict(best_ckpt="..", best_score=1.0),
        dict(best_ckpt="best_folder.pth", best_score=1.0),
        dict(best_ckpt="best_gone.pth", best_score=1.0),
        dict(best_ckpt="epoch_2.pth", best_score=1.0),
        dict(best_ckpt="best_here.pth", best_score="1"),
        dict(best_ckpt="best_here.pth", best_score=float("nan")),
        dict(best_ckpt=["best_here.pth"], best_score=1.0),
        dict(best_ckpt_pose="../best_here.pth/..", best_score_pose=1.0),
    ],
)
def test_a_best_model_that_is_not_here_is_forgotten_with_its_score(tmp_path, info):
    """MMEngine removes files and whole folders of this name when a better one comes."""
    (tmp_path / "best_folder.pth").mkdir()
    (tmp_path / "best_here.pth").touch()
    (tmp_path / "epoch_2.pth").touch()
    taken = resumable(state(**info), "a.pth", tmp_path)["message_hub"]["runtime_info"]
    assert taken == dict(epoch=2, keep_ckpt_ids=[1, 2])


@pytest.mark.parametrize("kept", ["../x", ["../x"], [-1], [True, 1.5], 3])
def test_kept_steps_that_are_no_numbers_are_forgotten(tmp_path, kept):
    assert "keep_ckpt_ids" not in resumable(state(keep_ckpt_ids=kept), "a.pth", tmp_path)["message_hub"]["runtime_info"]


@pytest.mark.parametrize(
    ("names", "taken"),
    [(["best_1.pth"], ["best_1.pth"]), (["best_1.pth", "../best_1.pth", "a", 3], ["best_1.pth"]), (["a"], []), (3, [])],
)
def test_superseded_models_are_best_ones_of_before(tmp_path, names, taken):
    info = resumable(state(superseded_best_ckpts=names), "a.pth", tmp_path)["message_hub"]["runtime_info"]
    assert info.get("superseded_best_ckpts", []) == taken


def test_what_is_no_plain_value_is_left_out(tmp_path):
    deep = []
    for _ in range(10_000):
        deep = [deep]
    given = state(deep=deep, function=torch.add)
    given["meta"]["dataset_meta"] = dict(a=deep)
    taken = resumable(given, "a.pth", tmp_path)
    assert set(taken["message_hub"]["runtime_info"]) == {"epoch", "keep_ckpt_ids"}
    assert "dataset_meta" not in taken["meta"]


def put(field, value):
    def edit(given):
        *path, last = field.split(".")
        part = given
        for name in path:
            part = part[name]
        part[last] = value

    return edit


def damaged(**values):
    return put("random_states", [random_states() | values])


numpy_state = random_states()["numpy"]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (put("message_hub", None), "holds weights and no state of a training"),
        (put("message_hub.log_scalars", []), "holds weights and no state of a training"),
        (put("meta", None), "holds weights and no state of a training"),
        (put("meta.epoch", "2"), "field 'meta.epoch' is no number of 0 to"),
        (put("meta.epoch", -1), "field 'meta.epoch'"),
        (put("meta.iter", True), "field 'meta.iter'"),
        (put("meta.seed", 2**40), "field 'meta.seed' is no number of 0 to 4294967295"),
        (damaged(torch=torch.zeros(3, dtype=torch.uint8)), "field 'random_states' is damaged"),
        # numpy reads its key there without asking
        (damaged(numpy=(*numpy_state[:2], 10**6, *numpy_state[3:])), "field 'random_states' is damaged"),
        (damaged(numpy=("MT19937", torch.zeros(5), 1, 0, 0.0)), "field 'random_states' is damaged"),
        (damaged(python=(3, (1, 2), None)), "field 'random_states' is damaged"),
        (put("random_states", [3]), "field 'random_states' is damaged"),
    ],
)
def test_a_state_that_none_can_go_on_from_is_refused(tmp_path, edit, message):
    given = state()
    edit(given)
    with pytest.raises(CheckpointError, match=rf"^a\.pth: {message}"):
        resumable(given, "a.pth", tmp_path)


def test_names_lose_their_folders():
    info = dict(best_ckpt="/work/best_1.pth", last_ckpt="work/epoch_1.pth", best_score=1.0, epoch=1)
    assert names_only(info) == dict(best_ckpt="best_1.pth", last_ckpt="epoch_1.pth", best_score=1.0, epoch=1)


def trained(width=3, **options):
    model = nn.Linear(2, width)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, **options)
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return optimizer


def test_an_optimizers_own_state_fits():
    for options in ({}, dict(fused=True), dict(amsgrad=True), dict(betas=(0.8, 0.9))):
        check_optimizer(trained(**options).state_dict(), trained(**options), "a.pth")
    fresh = torch.optim.AdamW(nn.Linear(2, 3).parameters())
    check_optimizer(fresh.state_dict(), trained(), "a.pth")  # saved before its first step
    check_optimizer(trained().state_dict(), fresh, "a.pth")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda own: None, "it has no state and param_groups"),
        (lambda own: dict(own, state=[]), "it has no state and param_groups"),
        (lambda own: dict(own, param_groups=[3]), "a group has no params"),
        (lambda own: dict(own, param_groups=[]), r"it has groups of \[\] parameters, this training of \[2\]"),
        (
            lambda own: trained(width=4).state_dict(),
            "exp_avg of parameter 0 has another shape or kind than the parameter",
        ),
        (lambda own: edit_moment(own, exp_avg=own["state"][0]["exp_avg"].long()), "exp_avg of parameter 0 has another"),
        (lambda own: edit_moment(own, exp_avg="x"), "exp_avg of parameter 0 has another"),
        (lambda own: dict(own, state={7: {}}), "its moments are of no parameters"),
        (lambda own: dict(own, state={0: 3}), "the state of a parameter is a int"),
        (lambda own: edit_group(own, lr="1"), "lr in param_groups is '1'"),
        (lambda own: edit_group(own, lr=float("nan")), "lr in param_groups is 'nan'"),
        (lambda own: edit_group(own, betas=None), "betas in param_groups is 'None'"),
        (lambda own: edit_group(own, params=[0, 0]), "its moments are of no parameters"),
    ],
)
def test_the_state_of_another_optimizer_is_refused(edit, message):
    """Fused steps read as far as the parameter goes, whatever the moments are."""
    with pytest.raises(CheckpointError, match=f"^a.pth: field 'optimizer' is not of this training: {message}"):
        check_optimizer(edit(trained().state_dict()), trained(), "a.pth")


def edit_moment(own, **values):
    return dict(own, state={0: own["state"][0] | values, 1: own["state"][1]})


def edit_group(own, **values):
    return dict(own, param_groups=[own["param_groups"][0] | values])


def test_states_of_schedulers():
    scheduler = ExponentialLR(trained(), gamma=0.97, end=10**9)
    own = scheduler.state_dict()
    check_schedulers([own], [scheduler], "a.pth")
    check_schedulers([own | dict(gamma=0.5)], [scheduler], "a.pth")
    for wrong, message in (
        ({}, "it is no list of states"),
        ([3], "it is no list of states"),
        ([own | dict(optimizer=1)], "ExponentialLR has no 'optimizer'; resume with its config"),
        ([own | dict(gamma="x")], "gamma in ExponentialLR is 'x'"),
        ([own | dict(base_values=["x"])], "base_values in ExponentialLR"),
    ):
        with pytest.raises(
            CheckpointError, match=f"^a.pth: field 'param_schedulers' is not of this training: {message}"
        ):
            check_schedulers(wrong, [scheduler], "a.pth")
