import pytest

from mpm_mmpose.errors import UsageError, exit_status, unknown_name


def test_the_nearest_names_come_first():
    error = unknown_name("model", "mpm_h36m_24", ["mpm_h36m_243", "mpm_mocap_27", "quite_different"])
    assert isinstance(error, UsageError)
    assert str(error) == "model 'mpm_h36m_24' is not known; did you mean 'mpm_h36m_243' or 'mpm_mocap_27'?"


def test_case_does_not_matter():
    assert "did you mean 'ViTPose'?" in str(unknown_name("model", "vitpose", ["ViTPose"]))


@pytest.mark.parametrize(("number", "more"), [(3, ""), (14, " and 2 more")])
def test_without_a_near_one_all_are_told_but_not_hundreds(number, more):
    message = str(unknown_name("model", "?", [f"name{index:02d}" for index in range(number)]))
    assert message.startswith("model '?' is not known; there are name00, name01, ")
    assert message.endswith(f"name{min(number, 12) - 1:02d}{more}")


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (None, 0, ""),
        (UsageError("give a name"), 2, "error: give a name\n"),
        (ValueError("is empty"), 1, "error: is empty\n"),
        (FileNotFoundError(2, "No such file", "a"), 1, "error: [Errno 2] No such file: 'a'\n"),
        (KeyboardInterrupt(), 130, "stopped\n"),
    ],
)
def test_commands_end_with_the_status_of_what_went_wrong(error, status, said, capsys):
    def work():
        if error is not None:
            raise error

    assert exit_status(work, "stopped") == status
    assert capsys.readouterr().err == said


def test_a_defect_of_ours_is_no_line_but_a_traceback():
    with pytest.raises(ZeroDivisionError):
        exit_status(lambda: 1 / 0)
