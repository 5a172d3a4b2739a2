"""Images of a video as small JPEGs in a page, so many and so small that the page stays one to send."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import numpy as np

#: At most so many px wide or high, and so many images: about 12 MB of a page with 20 kB each.
LARGEST_SIDE, MOST_IMAGES = 480, 600
QUALITY = 70


def pack_images(images: Iterable[np.ndarray], frames: int) -> tuple[dict[str, Any], str]:
    """Where each JPEG lies, and all of them as base64; images (H, W, 3) uint8 BGR, one a frame, in their order.

    Every ``step``-th frame has an image, so that there are at most `MOST_IMAGES`. Only one image is in memory at a
    time. ValueError where there is none.
    """
    # Only pages with images need OpenCV.
    import cv2

    step = max(1, -(-frames // MOST_IMAGES))
    jpegs: list[bytes] = []
    width = height = 0
    for number, image in enumerate(images):
        if number >= frames:
            break
        if number % step:
            continue
        height, width = image.shape[:2]
        scale = min(1.0, LARGEST_SIDE / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        done, jpeg = cv2.imencode(
            ".jpg", cv2.resize(image, size, interpolation=cv2.INTER_AREA), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        )
        if not done:
            raise ValueError(f"image {number} of shape {image.shape} cannot be written as JPEG; give (H, W, 3) uint8")
        jpegs.append(jpeg.tobytes())
    if not jpegs:
        raise ValueError("images were given, but not one; leave them out for a page without")
    ends = np.cumsum([len(jpeg) for jpeg in jpegs])
    return dict(step=step, ends=ends.tolist()), base64.b64encode(b"".join(jpegs)).decode("ascii")
