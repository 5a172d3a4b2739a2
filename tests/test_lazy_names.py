import subprocess
import sys

import pytest

from mpm_mmpose import lifting
from mpm_mmpose.lazy_names import lazy_names


def test_a_name_is_that_of_its_module():
    find = lazy_names("mpm_mmpose.lifting", {"TrackLifter": "track_lifter"})
    assert find("TrackLifter") is lifting.TrackLifter
    with pytest.raises(AttributeError, match="module 'mpm_mmpose.lifting' has no attribute 'Nobody'"):
        find("Nobody")


def test_nothing_is_imported_before_it_is_asked_for():
    code = "import sys, mpm_mmpose.lifting, mpm_mmpose.apis; print([m for m in sys.modules if 'track_lifter' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
