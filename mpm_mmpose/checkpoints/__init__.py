"""Checkpoints as data: read safely, say what they are, checked before they are taken."""
