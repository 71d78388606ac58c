# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Is it there: from scores and areas, frame by frame, to a decision with memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

#: bounds of an object's pixels: x, y, width, height
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class ObjectPresence:
    """One object in one frame.

    Attributes:
        id: the public id, 1..255.
        present: whether the object is taken to be in view.
        score: how sure the network is of the object's pixels, 0..1.
        area_fraction: its share of the image's pixels, 0..1.
        box: x, y, width, height in pixels of the camera image; zeros where it has no pixel.
    """

    id: int
    present: bool
    score: float
    area_fraction: float
    box: Box


@dataclass(frozen=True)
class PresenceSettings:
    """When an object comes and goes.

    Attributes:
        appear: an absent object is present again from this score on.
        vanish: a present object is absent below this score; at most `appear`.
        minimum_area: up to this share of the image an object is absent whatever its score; with 0
            it is absent where it has no pixel.
    """

    appear: float = 0.7
    vanish: float = 0.5
    minimum_area: float = 1e-5

    def __post_init__(self) -> None:
        if not 0 <= self.vanish <= self.appear <= 1:
            raise ValueError(
                f"vanish ({self.vanish}) must not be above appear ({self.appear}), "
                "and both must be within 0..1"
            )
        if not 0 <= self.minimum_area < 1:
            raise ValueError(f"minimum_area ({self.minimum_area}) must be within 0..1")


@dataclass(frozen=True)
class Sight:
    """What was seen of some objects in one image.

    Attributes:
        ids: of the objects.
        statistics: K x 6 in the order of the ids: score, area in pixels, box x, y, width, height.
        pixels: of the whole image.
    """

    ids: tuple[int, ...]
    statistics: np.ndarray
    pixels: int


class PresenceTracker:
    """Remembers which objects were present, so that a score near a threshold does not flicker."""

    def __init__(self, settings: PresenceSettings | None = None) -> None:
        self._settings = settings or PresenceSettings()
        self._present: dict[int, bool] = {}

    def copy(self) -> PresenceTracker:
        """One that remembers the same now, and goes its own way."""
        other = PresenceTracker(self._settings)
        other._present = dict(self._present)
        return other

    def begin(self, ids: Iterable[int]) -> None:
        """Objects just shown by a mask: they are present."""
        self._present.update((object_id, True) for object_id in ids)

    def forget(self, object_id: int) -> None:
        """An object that is followed no more."""
        self._present.pop(object_id, None)

    def clear(self) -> None:
        """No object is followed any more."""
        self._present.clear()

    def update(
        self, object_id: int, score: float, area_fraction: float, box: Box
    ) -> ObjectPresence:
        """Decide for one object in one frame, and remember the decision."""
        settings = self._settings
        threshold = settings.vanish if self._present.get(object_id, False) else settings.appear
        present = score >= threshold and area_fraction > settings.minimum_area
        self._present[object_id] = present
        return ObjectPresence(object_id, present, score, area_fraction, box)

    def observe(self, sight: Sight) -> list[ObjectPresence]:
        """Decide for every object of an image, in the order of its ids."""
        found = []
        for object_id, row in zip(sight.ids, sight.statistics, strict=True):
            score, area, x, y, width, height = row.tolist()
            box = (int(x), int(y), int(width), int(height))
            found.append(self.update(object_id, score, area / sight.pixels, box))
        return found
