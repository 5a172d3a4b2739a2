"""Proportions of a head and the step to a Z-up world that the readers of motion capture share."""

from __future__ import annotations

import numpy as np

# |thorax - nose| and |nose - head top| of Human3.6M's skeleton (121.1 and 115.0 mm), over its trunk (490.5 mm).
NOSE_OF_TRUNK = 0.247
HEAD_TOP_OF_TRUNK = 0.247 + 0.235


def y_up_to_z_up(points: np.ndarray) -> np.ndarray:
    """(..., 3) from Y up to Z up by turning the axes round (x, y, z -> z, x, y), which keeps left and right."""
    return points[..., [2, 0, 1]]
