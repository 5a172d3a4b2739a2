"""The table of rooms in docs/architecture.md is true: each imports only what stands above it there."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mpm_mmpose"
#: `python -m mpm_mmpose.runtime` is the name of a command of apis/.
DOORS = {("runtime/__main__.py", "apis")}


def rooms() -> list[str]:
    """Rooms, files of the package itself included, in the order of the table."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?) \|", page, flags=re.M)
    return [room.rstrip("/").removesuffix(".py") for row in rows for room in re.findall(r"`([\w/.]+)`", row)]


def imported(path: Path) -> set[str]:
    """Rooms of the package that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        folder = path.relative_to(ROOT).parts[:-1]
        base = list(folder[: len(folder) - node.level + 1]) if node.level else []
        base += node.module.split(".") if node.module else []
        if base[:1] == ["mpm_mmpose"]:
            found |= {base[1]} if len(base) > 1 else {alias.name for alias in node.names}
    return found


def test_every_room_is_in_the_table_once():
    there = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    there |= {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    listed = rooms()
    assert sorted(there) == sorted(room for room in listed if room != "studies")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    place = path.relative_to(PACKAGE)
    if place == Path("__init__.py"):
        return
    order = {room: number for number, room in enumerate(rooms())}
    room = place.parts[0].removesuffix(".py")
    wrong = {
        other
        for other in imported(path) - {"__version__"}
        if other != room and order[other] >= order[room] and (str(place), other) not in DOORS
    }
    assert not wrong, f"{place} imports {wrong}, which stand below {room} in docs/architecture.md"


def test_the_package_knows_nothing_of_studies_and_tools():
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(from|import) (studies|tools|demo)\b", text, flags=re.M), path


@pytest.mark.parametrize("room", ["apis", "runtime", "blazepose"])
def test_what_a_room_offers_is_never_the_module_of_that_name(room):
    # Importing a module binds its name in the room, and would take a function's place.
    offered = importlib.import_module(f"mpm_mmpose.{room}")._PLACES
    assert not set(offered) & {path.stem for path in (PACKAGE / room).glob("*.py")}
