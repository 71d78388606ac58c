# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an object looks like, whatever network follows it: how often each shade is under its mask.

Nothing of it comes from a network, so that it can be held against what a network says, and is the
same for all of them. Where an object is and how it is turned makes no difference, nor does what is
beside it.
"""

from __future__ import annotations

import cv2
import numpy as np

from vos_ros.presence import Box

#: a box with a longer side is looked at in steps of some pixels, for time's sake
_LONGEST = 96
#: pixels along the border of a mask that are left out, where there are others: they mix
_BORDER = 2
#: fewer pixels say nothing
SMALLEST = 24
#: shades of lightness, and of each of the two colours, in which things differ less
_SHADES = (32, 64, 64)

Looks = np.ndarray
"""The square roots of the shares of 32 + 64 + 64 shades, float32, a unit vector."""


def looks_of(image: np.ndarray, labels: np.ndarray, object_id: int, box: Box) -> Looks | None:
    """What is under the mask of one object.

    Args:
        image: H x W x 3 uint8 RGB.
        labels: H x W.
        object_id: whose pixels count.
        box: around them: x, y, width, height.

    Returns:
        Its looks; None where there is too little of it to say.
    """
    x, y, width, height = box
    step = max(1, -(-max(width, height) // _LONGEST))
    part = slice(y, y + height, step), slice(x, x + width, step)
    mask = (labels[part] == object_id).astype(np.uint8)
    if np.count_nonzero(mask) < SMALLEST:
        return None
    kernel = np.ones((2 * _BORDER + 1, 2 * _BORDER + 1), np.uint8)
    inside = cv2.erode(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    if np.count_nonzero(inside) < SMALLEST:
        inside = mask
    lab = cv2.cvtColor(np.ascontiguousarray(image[part]), cv2.COLOR_RGB2LAB)
    counts = [
        cv2.calcHist([lab], [channel], inside, [shades], [0, 256])
        for channel, shades in enumerate(_SHADES)
    ]
    # A little light more or less moves what lies near the bound of a shade into the next.
    smooth = [cv2.GaussianBlur(each, (1, 5), 1.0)[:, 0] for each in counts]
    return merged(np.sqrt(np.concatenate(smooth)))


def agreement(one: Looks, other: Looks) -> float:
    """How much two have in common: 1 for the same, 0 for no shade in common (Bhattacharyya)."""
    return float(one @ other)


def merged(looks: np.ndarray, newer: np.ndarray | None = None, weight: float = 0.0) -> Looks:
    """A unit vector again, after some of newer looks was taken in."""
    if newer is not None:
        looks = (1 - weight) * looks + weight * newer
    return looks / max(float(np.linalg.norm(looks)), 1e-6)
