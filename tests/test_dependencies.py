import re
from pathlib import Path

import pytest

from mpm_mmpose import dependencies


def test_release_ignores_local_and_pre_release_parts():
    assert dependencies.release("2.11.0+cu130") == (2, 11, 0)
    assert dependencies.release("1.3.2rc1") == (1, 3)


def test_this_environment_has_no_problem():
    assert dependencies.find_problems() == []


@pytest.mark.parametrize(
    ("requirement", "found"),
    [({"mmpose": ("99.0", None)}, "is installed"), ({"numpy": ("1.0", "1.1")}, "< 1.1 is needed")],
)
def test_wrong_version_names_needed_and_found(requirement, found):
    (line,) = dependencies.find_problems(requirement)
    assert "is needed" in line and found in line


def test_missing_package_is_named_with_what_to_run():
    with pytest.raises(
        ImportError, match=r"(?s)no-such-package >= 1 is needed, none is installed.*uv sync.*docs/install.md"
    ):
        dependencies.check_dependencies({"no-such-package": ("1", None)})


def test_mmcv_lite_is_named_as_the_likely_reason(monkeypatch):
    def missing(name):
        raise dependencies.PackageNotFoundError(name)

    monkeypatch.setattr(dependencies, "version", missing)
    (line,) = dependencies.find_problems({"mmcv": ("2.1.0", "2.2")})
    assert line == (
        "mmcv >= 2.1.0, < 2.2 is needed, none is installed (mmcv-lite is not enough: MMPose imports mmcv.ops)"
    )


def test_the_versions_are_those_of_setup():
    """setup.py cannot import the package, whose pins it repeats."""
    text = (Path(__file__).parents[1] / "setup.py").read_text(encoding="utf-8")
    for name, (lowest, too_new) in dependencies.REQUIREMENTS.items():
        (pin,) = set(re.findall(rf'"{name}(==|>=)([\d.]+)"', text))
        # An exact pin is the lowest version of its series.
        assert pin == ("==" if too_new else ">=", lowest), name
