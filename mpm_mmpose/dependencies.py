"""What the package needs, checked before anything of it is imported."""

from importlib.metadata import PackageNotFoundError, version

# distribution -> (lowest version, first version that is too new or None); the pins of setup.py.
REQUIREMENTS: dict[str, tuple[str, str | None]] = {
    "numpy": ("1.26", None),
    "torch": ("2.6", None),
    "mmengine": ("0.10.7", "0.11"),
    "mmcv": ("2.1.0", "2.2"),
    "mmdet": ("3.3.0", "3.4"),
    "mmpose": ("1.3.2", "1.4"),
}


def release(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: '2.11.0+cu130' -> (2, 11, 0)."""
    numbers = []
    for part in text.split("+")[0].split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def find_problems(requirements: dict[str, tuple[str, str | None]] = REQUIREMENTS) -> list[str]:
    """Return one line for each package that is missing or of the wrong version."""
    problems = []
    for name, (lowest, too_new) in requirements.items():
        needed = f"{name} >= {lowest}" + (f", < {too_new}" if too_new else "")
        try:
            found = version(name)
        except PackageNotFoundError:
            hint = " (mmcv-lite is not enough: MMPose imports mmcv.ops)" if name == "mmcv" else ""
            problems.append(f"{needed} is needed, none is installed{hint}")
            continue
        if release(found) < release(lowest) or (too_new and release(found) >= release(too_new)):
            problems.append(f"{needed} is needed, {found} is installed")
    return problems


def check_dependencies(requirements: dict[str, tuple[str, str | None]] = REQUIREMENTS) -> None:
    """Refuse to go on with missing or wrong packages.

    Raises:
        ImportError: with what is needed, what was found, and what to run.
    """
    problems = find_problems(requirements)
    if problems:
        raise ImportError(
            "mpm_mmpose cannot be imported:\n  "
            + "\n  ".join(problems)
            + "\nIn a clone of the repository, `uv sync` installs a tested set; for other ways see docs/install.md."
        )
