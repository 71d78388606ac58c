# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small pictures of objects, for people to tell them apart by."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from vos_ros import masks

#: the longer side of a thumbnail, pixels
SIDE = 64


def thumbnails_of(
    image: np.ndarray, labels: np.ndarray, ids: Iterable[int]
) -> dict[int, np.ndarray]:
    """Each object as a mask shows it, cut out along its box.

    Args:
        image: H x W x 3 uint8 RGB.
        labels: h x w uint8 of the same shape as the image, to a pixel or so; of any resolution.
        ids: of the objects.

    Returns:
        By id, h x w x 3 uint8 RGB with sides of 1 to `SIDE` pixels; nothing for an object without a
        pixel.
    """
    labels = masks.resize(labels, image.shape[:2])
    found = {}
    for object_id in ids:
        x, y, width, height = cv2.boundingRect((labels == object_id).astype(np.uint8))
        if width and height:
            found[object_id] = _small(image[y : y + height, x : x + width])
    return found


def _small(piece: np.ndarray) -> np.ndarray:
    height, width = piece.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    if scale == 1:
        return piece.copy()
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(np.ascontiguousarray(piece), size, interpolation=cv2.INTER_AREA)
