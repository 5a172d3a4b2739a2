import logging

from mpm_mmpose.apis.progress import progress_bar


def test_a_bar_with_its_name_and_warnings_in_lines_of_their_own(capsys, monkeypatch):
    logger = logging.getLogger("mpm_mmpose")
    monkeypatch.setattr(logger, "handlers", [logging.StreamHandler()])
    with progress_bar("2D", "image", True) as report:
        report(3, 8)
        logger.warning("person 0: there are 2 frames")
    lines = capsys.readouterr().err.replace("\r", "\n").splitlines()
    assert any(line.startswith("2D:  38%") and "3/8" in line for line in lines)
    assert "person 0: there are 2 frames" in lines


def test_no_bar(capsys):
    with progress_bar("2D", "image", False) as report:
        report(3, 8)
    assert capsys.readouterr().err == ""
