"""Readers of motion files: a path in, a :class:`~mpm_mmpose.datasets.readers.motion.Motion` out."""
