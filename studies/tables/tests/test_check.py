import re
import shutil
from pathlib import Path

import pytest

from ..check import SUBJECTS, check_data
from ..data import Stores
from .conftest import make_store

CONFIGS = Path(__file__).parents[3] / "configs/mpm"
PAPER = ["1", "2", "3", "4", "5", "6", "A", "B", "C", "D", "E"]


def test_all_that_the_paper_needs_is_there(paper_stores, monkeypatch):
    monkeypatch.chdir(paper_stores)
    text, good = check_data(PAPER, Stores(), CONFIGS)
    assert good and text.endswith("All data are there.")
    tables = dict(re.findall(r"there +\S+/(\w+) \(tables (.*?)\)", text))
    assert set(tables) == {*SUBJECTS, "amass_train"}
    assert tables["h36m_gt_test"] == "1, D" and tables["mpi_inf_3dhp_test"] == "2, B, E"
    assert tables["amass_train"] == "1, 2, 3, 4, 6, A, B, C, D, E" and "h36m_train" in tables
    assert "frames at 50 Hz" in text


def test_what_is_missing_or_another_is_named_with_its_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_store(tmp_path / "h36m_train", 0, subjects=("S1", "S5"))
    stores = Stores([f"h36m_train={tmp_path / 'h36m_train'}"])
    text, good = check_data(["3"], stores, CONFIGS)
    assert not good and "Make or mend" in text
    assert "subjects are S1, S5; the paper's are S1, S5, S6, S7, S8" in text
    assert re.search(r"h36m_test: there is no pose store here.*tools/dataset_converters/h36m.py", text)
    assert re.search(r"amass_train: there is no pose store here.*tools/dataset_converters/amass.py", text)


def test_the_other_ground_truth_of_mpi_inf_3dhp_is_noticed(paper_stores, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(paper_stores / "data", tmp_path / "data")
    subjects = SUBJECTS["mpi_inf_3dhp_test"]
    shutil.rmtree(tmp_path / "data/stores/mpi_inf_3dhp_test")
    own = dict(keypoint_set="mpi_inf_3dhp_17", meta=dict(annotation="annot3"))
    make_store(tmp_path / "data/stores/mpi_inf_3dhp_test", 0, subjects=subjects, **own)
    text, good = check_data(["2"], Stores(), CONFIGS)
    assert not good and "mpi_inf_3dhp_test: holds annot3; the protocol is of univ_annot3" in text


def test_other_data_are_not_held_against_the_paper(pair):
    text, good = check_data(["6"], Stores(pair), CONFIGS)
    assert good and "some_train (tables 6)" in text and "some_test (tables 6)" in text


def test_a_name_that_nothing_reads(pair):
    with pytest.raises(ValueError, match="nothing here reads a store called h36m_tset"):
        check_data(["6"], Stores([f"h36m_tset={pair[0]}"]), CONFIGS)
