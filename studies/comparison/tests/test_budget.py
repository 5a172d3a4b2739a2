import pytest

from mpm_mmpose.errors import UsageError
from studies.comparison.budget import Budget


def test_each_choice_becomes_steps():
    assert Budget(minutes=2).steps_of(64, 0.5) == 240
    assert Budget(windows=6400).steps_of(64, 0.5) == 100 and Budget(windows=6400).steps_of(32, 0.5) == 200
    assert Budget(steps=77).steps_of(64, 0.5) == 77


@pytest.mark.parametrize("budget", [Budget(minutes=0.1), Budget(windows=640), Budget(steps=39)])
def test_what_does_not_end_a_warm_up_is_refused(budget):
    with pytest.raises(UsageError, match="are too few, 40 are needed"):
        budget.steps_of(64, 0.5)
