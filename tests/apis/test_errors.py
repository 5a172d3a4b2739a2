import pytest

from mpm_mmpose.apis.errors import UsageError, unknown_name


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
