"""Motion files written by hand."""

from motion_files import write_bvh  # noqa: F401
