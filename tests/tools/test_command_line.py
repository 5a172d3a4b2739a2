import sys
from argparse import Namespace
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture
def command_line(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    import command_line

    yield command_line
    sys.modules.pop("command_line")


def arguments(config, **kwargs):
    return Namespace(config=str(config), **(dict(work_dir=None, cfg_options={}, launcher="none") | kwargs))


def test_the_command_line_wins_over_the_config(command_line, tmp_path):
    config = tmp_path / "small.py"
    config.write_text("a = dict(b=1, c=2)")
    cfg = command_line.read_config(arguments(config, cfg_options={"a.b": 3}))
    assert (cfg.a, cfg.launcher, cfg.work_dir) == (dict(b=3, c=2), "none", "work_dirs/small")
    config.write_text("work_dir = 'in/config'")
    assert command_line.read_config(arguments(config)).work_dir == "in/config"
    options = {"work_dir": "in/options"}
    assert command_line.read_config(arguments(config, cfg_options=options)).work_dir == "in/options"
    assert command_line.read_config(arguments(config, cfg_options=options, work_dir="given")).work_dir == "given"


def fail(error):
    def main():
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [(FileNotFoundError("no such store"), 1, "error: no such store"), (KeyboardInterrupt(), 130, "stopped")],
)
def test_what_a_user_can_mend_is_one_line(command_line, monkeypatch, tmp_path, capsys, error, code, said):
    with pytest.raises(SystemExit) as exit:
        command_line.run(fail(error), "none", if_interrupted=lambda: "stopped")
    assert (exit.value.code, capsys.readouterr().err) == (code, said + "\n")

    # Several processes: once on the screen, or in the file that the script prints last.
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(SystemExit):
        command_line.run(fail(error), "none", if_interrupted=lambda: "stopped")
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("MPM_MESSAGE_FILE", str(tmp_path / "message"))
    with pytest.raises(SystemExit):
        command_line.run(fail(error), "none", if_interrupted=lambda: "stopped")
    assert (tmp_path / "message").read_text() == said + "\n"


def test_a_defect_keeps_its_traceback(command_line):
    with pytest.raises(ZeroDivisionError):
        command_line.run(lambda: 1 / 0, "none")


def test_a_launcher_without_its_processes_is_one_line(command_line, capsys, monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(SystemExit):
        command_line.run(lambda: None, "pytorch")
    assert capsys.readouterr().err.startswith("error: --launcher pytorch is for processes that torchrun started")
