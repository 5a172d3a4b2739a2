import os
import signal
from contextlib import suppress

import pytest

from mpm_mmpose.ctrl_c import CtrlC


@pytest.fixture(autouse=True)
def as_in_a_terminal():
    """Shells start what runs in the background so that it ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_one_that_was_lost_is_raised_later():
    CtrlC.raise_lost()  # nothing before
    stopped = CtrlC()
    try:
        CtrlC.raise_lost()
        with suppress(KeyboardInterrupt):  # as a fork handler does
            os.kill(os.getpid(), signal.SIGINT)
        assert stopped.received
        with pytest.raises(KeyboardInterrupt):
            CtrlC.raise_lost()
    finally:
        stopped.put_back()
    CtrlC.raise_lost()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
