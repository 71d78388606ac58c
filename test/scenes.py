# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images of coloured squares on grey, and masks of them."""

from __future__ import annotations

import numpy as np

SIZE = (64, 96)
RED, BLUE, GREEN = (230, 40, 30), (30, 60, 220), (40, 200, 60)


def scene(*squares, size=SIZE, seed=0):
    """A grey noisy image with coloured squares (x, y, side, colour)."""
    rng = np.random.default_rng(seed)
    image = rng.integers(110, 140, (*size, 3), dtype=np.uint8)
    for x, y, side, colour in squares:
        image[y : y + side, x : x + side] = colour
    return image


def mask_of(*squares, size=SIZE, dtype=np.uint8):
    """A label image with squares (x, y, side, id)."""
    labels = np.zeros(size, dtype)
    for x, y, side, object_id in squares:
        labels[y : y + side, x : x + side] = object_id
    return labels


def moving(count, start=0):
    """Images in which a red square goes right and a blue one goes up."""
    return [
        scene((4 + 2 * i, 8, 20, RED), (60, 40 - i, 20, BLUE), seed=i)
        for i in range(start, start + count)
    ]


FIRST = mask_of((4, 8, 20, 200), (60, 40, 20, 3))


def iou(a, b):
    """Share that two boolean images have in common."""
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def same(one, other):
    """Fail unless two segmentations are equal to the last bit."""
    np.testing.assert_array_equal(one.labels, other.labels)
    assert one.objects == other.objects
