# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which part of what is taken for an object looks like it, where that is in several pieces."""

from __future__ import annotations

import cv2
import numpy as np

from vos_ros.acquaintance import Acquaintance
from vos_ros.looks import looks_of
from vos_ros.presence import ObjectPresence

#: so many of the pieces are looked at, the largest; the others are crumbs
_PIECES = 8


def without_strangers(
    image: np.ndarray, labels: np.ndarray, entry: ObjectPresence, known: Acquaintance
) -> np.ndarray | None:
    """Labels where the pieces of an object that do not look like it have none.

    A network that has taken a look-alike for an object takes both where the object comes back.

    Args:
        image: H x W x 3 uint8 RGB.
        labels: H x W.
        entry: of the object.
        known: its looks.

    Returns:
        H x W; None where it is in one piece, all of it looks like the object, or nothing does.
    """
    x, y, width, height = entry.box
    place = slice(y, y + height), slice(x, x + width)
    own = (labels[place] == entry.id).astype(np.uint8)
    count, pieces, found, _ = cv2.connectedComponentsWithStats(own)
    if count < 3:  # the first is the background
        return None
    largest = 1 + np.argsort(-found[1:, cv2.CC_STAT_AREA])[:_PIECES]
    kept = []
    for piece in largest.tolist():
        left, top, wide, tall = (int(value) for value in found[piece, :4])
        looks = looks_of(image[place], pieces, piece, (left, top, wide, tall))
        if looks is not None and known.strangeness(looks) <= 1:
            kept.append(piece)
    if not kept or len(kept) == count - 1:
        return None
    trimmed = labels.copy()
    trimmed[place][(own > 0) & ~np.isin(pieces, kept)] = 0
    return trimmed
