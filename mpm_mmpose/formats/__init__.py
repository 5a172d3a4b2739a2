"""Files that other programs read; needs numpy alone (C3D: ezc3d)."""

from ..pose.scene import LiftedPerson, Scene
from .arrays import read_scene
from .files import Written
from .writers import WRITERS, write_scene

__all__ = ["WRITERS", "LiftedPerson", "Scene", "Written", "read_scene", "write_scene"]
