from pathlib import Path

import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, METRICS, MODELS

from mpm_mmpose.pose.keypoints import get_keypoint_set

from ..experiment import window_sets
from ..paper import ACTIONS, contents, rows
from ..table import FIGURES
from ..tables import TABLES

CONFIGS = Path(__file__).parents[3] / "configs/mpm"
EXPERIMENTS = {
    f"{table.number} {name} {part}": experiment
    for table in TABLES.values()
    for name, row in table.rows.items()
    for part, experiment in row.tests.items()
}


def chain(experiment):
    while experiment is not None:
        yield experiment
        experiment = experiment.after


def test_all_printed_tables_are_there():
    assert list(TABLES) == [*"123456ABCDE", *(f"S{number}" for number in range(1, 8))]
    assert list(contents()["tables"]) == [number for number in TABLES if not number.startswith("S")]
    assert all(set(table.figures) <= set(FIGURES) for table in TABLES.values())


def test_every_printed_figure_of_mpm_stands_beside_a_row():
    """Cell by cell: what the rows say is printed is all that the paper prints of its own, and nothing else."""
    ours = {
        number: sorted(
            [value for row in TABLES[number].rows.values() for value in row.printed.values()]
            + [value for row in TABLES[number].rows.values() for by in row.actions.values() for value in by.values()]
        )
        for number in contents()["tables"]
    }
    cells = {number: [] for number in ours}
    for number, found in cells.items():
        for row in rows(number):
            if number in "12D" and not row["method"].startswith("MPM"):
                continue
            if number in "34":
                row = dict(ours=row["MPM (ours)"])
            drop = {"frames", "layers", "keypoints", "h36m", "3dhp", "amass", "samples_m"}
            drop |= {"2d", "3d"} if number == "6" else set()
            values = [value for name, value in row.items() if name not in drop]
            found += [value for value in values if isinstance(value, int | float)]
    assert ours == {number: sorted(found) for number, found in cells.items()}
    assert sum(map(len, ours.values())) > 60


@pytest.mark.parametrize("table", [table for table in TABLES.values()], ids=lambda table: table.number)
def test_printed_figures_are_columns(table):
    for row in table.rows.values():
        assert set(row.printed) | set(row.actions) <= set(table.figures)
        assert all(list(actions) == ACTIONS for actions in row.actions.values())
        assert row.tests or row.count


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_generated_config_is_the_printed_recipe(name):
    recipe = contents()["recipe"]
    for experiment in chain(EXPERIMENTS[name]):
        if not experiment.trained:
            continue
        cfg = experiment.config(CONFIGS)
        optimizer, (scheduler,) = cfg.optim_wrapper.optimizer, cfg.param_scheduler
        assert (optimizer.type, scheduler.type, scheduler.gamma) == ("AdamW", "ExponentialLR", recipe["decay_an_epoch"])
        stores = {Path(str(dataset.store)).name for dataset in window_sets([cfg.train_dataloader])}
        if cfg.model.type == "MaskedPoseEstimator":
            assert (optimizer.lr, cfg.train_cfg.max_epochs) == (recipe["learning_rate"]["pretrain"], 15)
            weights = cfg.model.loss_2d_weight, cfg.model.loss_3d_weight
            assert weights == (recipe["loss_weights"]["m2m"], recipe["loss_weights"]["m3m"])
        else:
            where = "mpi_inf_3dhp" if stores == {"mpi_inf_3dhp_train"} else "human36m"
            assert cfg.train_cfg.max_epochs == recipe["epochs"][where]
            # The paper names no rate of the refine module: the released code's.
            refined = cfg.model.head.type == "RefinedLiftingHead"
            assert optimizer.lr == (1e-4 if refined else recipe["learning_rate"]["finetune"])
        depth = cfg.model.backbone.get("depth", 4)
        assert depth == (int(name.split("_")[1]) if name.startswith("A layers") else recipe["shared_layers"])
        frames = cfg.model.backbone.num_frames
        assert frames in (*recipe["frames"], recipe["ablation_frames"])
        assert {dataset.window for dataset in window_sets(cfg)} == {frames}
        printed = name.split(" ")[0] in ("B", "C", "3", "4", "S6", "S7")
        assert (frames == 27) == printed


@pytest.mark.parametrize(
    "name", ["A decoder_i ", "1 gt_81 ", "2 3dhp_81 ", "3 two_legs ", "B spatial 3dhp/", "S3 pretrained_apart "]
)
def test_generated_configs_build(name):
    """One of each kind; all of them are run in test_reproduce, which is slow."""
    init_default_scope("mmpose")
    for experiment in chain(EXPERIMENTS[name]):
        cfg = experiment.config(CONFIGS)
        cfg.model.backbone.depth = 1
        model = MODELS.build(cfg.model)
        assert model.backbone.num_frames == cfg.model.head.num_frames
        assert DATASETS.get(cfg.train_dataloader.dataset.type)
        if cfg.get("test_evaluator"):
            METRICS.build(cfg.test_evaluator)


@pytest.mark.parametrize(
    ("row", "limbs"),
    [
        ("3 two_legs ", ["right_leg", "left_leg"]),
        ("3 left_leg_left_arm ", ["left_leg", "left_arm"]),
        ("4 right_leg ", ["right_leg"]),
        ("4 left_arm_pretrained ", ["left_arm"]),
    ],
)
def test_rows_hide_what_their_name_says(row, limbs):
    masking = EXPERIMENTS[row].config(CONFIGS).model.data_preprocessor.masking
    keypoints = get_keypoint_set("h36m_17")
    assert [keypoints.indices_of(pattern) for pattern in masking.patterns] == [keypoints.indices_of(limbs)]


def test_tested_weights_are_those_of_the_model_that_is_tested():
    init_default_scope("mmpose")
    for name in ("3 1_random ", "4 left_leg ", "4 left_leg_pretrained "):
        row = EXPERIMENTS[name]
        tested, trained = (MODELS.build(part.config(CONFIGS).model).state_dict() for part in (row, row.after))
        assert {key: value.shape for key, value in tested.items()} == {key: trained[key].shape for key in tested}


def test_the_grid_of_table_c_and_the_masks_of_table_b():
    shares = set()
    for row in TABLES["C"].rows.values():
        masking = row.tests["lifter/"].after.config(CONFIGS).model.data_preprocessor.masking
        shares.add((masking.masked_keypoints, masking.frame_ratio))
    assert shares == {(k, r) for k in (2, 3, 5, 7, 9) for r in (0.4, 0.5, 0.6, 0.7, 0.8)}
    masks = [
        row.tests["3dhp/"].after.config(CONFIGS).model.data_preprocessor.masking for row in TABLES["B"].rows.values()
    ]
    assert [mask.type for mask in masks] == ["spatial", "temporal", "spatio_temporal"]
    assert masks[0].ratio == masks[1].ratio == contents()["recipe"]["masked_total"]


@pytest.mark.parametrize(("row", "shares"), [("small", [0.5, 0.25]), ("base", [1, 0.5]), ("large", None)])
def test_amounts_of_pretraining_data(row, shares):
    dataset = TABLES["E"].rows[row].tests[""].after.config(CONFIGS).train_dataloader.dataset
    for part in (dataset.dataset_2d, dataset.dataset_3d):
        names = [Path(member.store).name for member in part.datasets]
        assert names == ["h36m_train", "mpi_inf_3dhp_train", "amass_train"][: 3 if shares is None else 2]
        assert part.get("fractions") == shares
        assert {member.keypoint_set for member in part.datasets if "3dhp" in member.store} == {"h36m_17"}
