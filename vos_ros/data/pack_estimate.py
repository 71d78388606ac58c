# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many bytes a copy would come to, told from a sample before it is made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vos_ros.data.pack_parts import Part
from vos_ros.data.pack_picture import Packing, Picture, encoded, mask_bytes, shrunk

_SAMPLE = 48  # pictures of a set
_ROUGH = 4  # of each set, where many ways to pack them are compared
_STEP = 32  # pixels between sizes that are proposed
_QUALITIES = (80, 70, 60, 50, 40)
_MARGIN = 0.95  # of the limit: a sample is not everything


class Sample:
    """Some pictures of each of the sets, evenly spread.

    Bad ones are passed over, and noted by the set.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._pictures = [_drawn(part) for part in parts]

    def megabytes(self, packing: Packing, most: int = _SAMPLE) -> list[float]:
        """Of each set, in millions of bytes. most: pictures looked at of each."""
        return [
            len(part) * _mean_bytes(pictures, packing, most) / 1e6
            for part, pictures in zip(self._parts, self._pictures, strict=True)
        ]

    def fitting(self, packing: Packing, limit: float) -> list[tuple[Packing, float]]:
        """Ways to stay below a limit in MB: for up to three sizes the best quality that does.

        With what the copy comes to, MB, about.
        """
        found = []
        for size in range(packing.size, max(packing.size // 2, _STEP) - 1, -_STEP):
            for quality in [q for q in _QUALITIES if q <= packing.quality]:
                smaller = Packing(size, quality)
                megabytes = sum(self.megabytes(smaller, _ROUGH))
                if megabytes <= _MARGIN * limit:
                    found.append((smaller, megabytes))
                    break
        return found[:3]


def _drawn(part: Part) -> list[Picture]:
    numbers = np.linspace(0, len(part) - 1, min(_SAMPLE, len(part))).round().astype(int)
    pictures = [part.read(int(number)) for number in numbers]
    return [picture for picture in pictures if picture is not None]


def _mean_bytes(pictures: Sequence[Picture], packing: Packing, most: int) -> float:
    chosen = pictures[:: max(1, len(pictures) // most)]
    return float(np.mean([_bytes(picture, packing) for picture in chosen])) if chosen else 0.0


def _bytes(picture: Picture, packing: Packing) -> int:
    """Of a picture and its masks."""
    small = shrunk(picture, packing.size)
    masks = sum(len(mask_bytes(values)) for values in small.masks.values())
    return len(encoded(picture, small, packing)[1]) + masks
