"""Files that other programs read; needs numpy alone (C3D: ezc3d)."""
