"""Files that other programs read; needs numpy alone (C3D: ezc3d)."""

from .arrays import read_npz
from .files import Written
from .scene import Person, Scene
from .writers import WRITERS, write_scene

__all__ = ["WRITERS", "Person", "Scene", "Written", "read_npz", "write_scene"]
