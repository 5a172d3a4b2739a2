"""Exported models written by hand, and 2D of a walk to lift with them."""

from exported_models import clip, keypoint_file, model_file, write_model  # noqa: F401
