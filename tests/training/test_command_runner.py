import pytest

from mpm_mmpose.training.command_runner import CommandRunner, unfinished_start


@pytest.fixture
def runner(tmp_path, request, capsys):
    """A CommandRunner of which nothing but the log is built."""
    runner = CommandRunner.__new__(CommandRunner)
    runner._experiment_name, runner._log_dir, runner._timestamp = request.node.name, str(tmp_path), "now"
    runner._hooks = []
    runner.logger = runner.build_logger(log_level="INFO")
    return runner


def test_the_log_waits_for_the_loop(runner, tmp_path, capsys):
    runner.logger.info("200 lines on the environment")
    runner.call_hook("before_run")
    assert capsys.readouterr() == ("", "")
    assert "200 lines" in (tmp_path / "now.log").read_text()
    runner.call_hook("before_train")
    runner.logger.info("the first step")
    runner.call_hook("before_val")
    shown = "".join(capsys.readouterr())
    assert shown.index("200 lines") < shown.index("the first step")
    assert shown.count("200 lines") == 1
    assert unfinished_start(ZeroDivisionError("a defect")) is None


def test_an_error_before_is_one_line_and_its_traceback_is_in_the_file(runner, tmp_path, capsys):
    runner.logger.info("200 lines on the environment")
    try:
        int("three")
    except ValueError as error:
        line = unfinished_start(error)
    assert line.startswith("ValueError: invalid literal for int() with base 10: 'three' (the traceback is in ")
    assert line.endswith("now.log)")
    assert "Traceback" in (tmp_path / "now.log").read_text()
    assert capsys.readouterr() == ("", "")
