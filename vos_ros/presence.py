# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Is it there: from scores and areas, frame by frame, to a decision with memory."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np

__all__ = ["ObjectPresence", "PresenceSettings"]

#: bounds of an object's pixels: x, y, width, height
Box = tuple[int, int, int, int]
_NOWHERE: Box = (0, 0, 0, 0)


@dataclass(frozen=True)
class ObjectPresence:
    """One object in one frame.

    Attributes:
        id: the public id, 1..255.
        present: whether the object is taken to be in view.
        score: how sure the network is of the object's pixels, 0..1.
        area_fraction: its share of the image's pixels, 0..1; 0 where it is absent and hidden.
        box: x, y, width, height in pixels of the camera image; zeros where it has no pixel.
        absent_frames: frames gone through since it was present last, or, where it never was, since
            it is followed; 0 where it is present.
        sound: false where the network's output was no number, so that nothing is known of it.
        lingers: absent for so short a time that it is still taken to be where it was.
        doubtful: whether what is seen may be another thing, by all that is known of how it looks.
        rivals: ids of the followed objects that it may have been swapped with, ascending; without
            any, it may be something that nobody follows.
    """

    id: int
    present: bool
    score: float
    area_fraction: float
    box: Box
    absent_frames: int = 0
    sound: bool = True
    lingers: bool = False
    doubtful: bool = False
    rivals: tuple[int, ...] = ()

    @property
    def stranger(self) -> bool:
        """Whether what is seen may be something that nobody follows."""
        return self.doubtful and not self.rivals

    def apart_from(self, ids: Collection[int]) -> ObjectPresence:
        """As if some objects were followed no more."""
        rivals = tuple(key for key in self.rivals if key not in ids)
        doubtful = self.doubtful and (bool(rivals) or not self.rivals)
        return replace(self, rivals=rivals, doubtful=doubtful)


@dataclass(frozen=True)
class PresenceSettings:
    """When an object comes and goes.

    Attributes:
        appear: an absent object is present again from this score on.
        vanish: a present object is absent below this score; at most `appear`.
        minimum_area: up to this share of the image an object is absent whatever its score; with 0
            it is absent where it has no pixel.
        confirm: frames in a row that an absent object has to be seen in before it is present
            again, 1 or more; more guard against false returns and cost as many frames.
        linger: frames for which an object that was present is still taken to be where it was, 0 or
            more: most are covered, or hard to see, for a moment, and are then found again there.
        hide: whether an absent object has no pixels; else it has those that the network took for
            its own, however unsure it was.
    """

    appear: float = 0.7
    vanish: float = 0.5
    minimum_area: float = 1e-5
    confirm: int = 1
    linger: int = 10
    hide: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.vanish <= self.appear <= 1:
            raise ValueError(
                f"vanish ({self.vanish}) must not be above appear ({self.appear}), "
                "and both must be within 0..1"
            )
        if not 0 <= self.minimum_area < 1:
            raise ValueError(f"minimum_area ({self.minimum_area}) must be within 0..1")
        if self.confirm < 1:
            raise ValueError(f"confirm ({self.confirm}) must be 1 frame or more")
        if self.linger < 0:
            raise ValueError(f"linger ({self.linger}) must be 0 frames or more")


@dataclass(frozen=True)
class Sight:
    """What was seen of some objects in one image.

    Attributes:
        ids: of the objects.
        statistics: K x 6 in the order of the ids: score (NaN where it could not be computed), area
            in pixels, box x, y, width, height.
        pixels: of the whole image.
    """

    ids: tuple[int, ...]
    statistics: np.ndarray
    pixels: int


@dataclass(frozen=True)
class _Past:
    """What is remembered of one object."""

    present: bool = False
    absent_frames: int = 0
    seen_frames: int = 0  # in a row, while it is absent
    known: bool = False  # whether it ever was present


class PresenceTracker:
    """Remembers which objects were present, so that a score near a threshold does not flicker."""

    def __init__(self, settings: PresenceSettings | None = None) -> None:
        self._settings = settings or PresenceSettings()
        self._past: dict[int, _Past] = {}

    def copy(self) -> PresenceTracker:
        """One that remembers the same now, and goes its own way."""
        other = PresenceTracker(self._settings)
        other._past = dict(self._past)
        return other

    def begin(self, ids: Iterable[int]) -> None:
        """Objects just shown by a mask: they are present."""
        self._past.update((object_id, _Past(present=True, known=True)) for object_id in ids)

    def forget(self, object_id: int) -> None:
        """An object that is followed no more."""
        self._past.pop(object_id, None)

    def exchange(self, one: int, other: int) -> None:
        """What was remembered of each of two objects was true of the other."""
        past = dict(self._past)
        for own, theirs in ((one, other), (other, one)):
            self._past[own] = past.get(theirs, _Past())

    def clear(self) -> None:
        """No object is followed any more."""
        self._past.clear()

    def update(
        self, object_id: int, score: float, area_fraction: float, box: Box
    ) -> ObjectPresence:
        """Decide for one object in one frame, and remember the decision."""
        past = self._past.get(object_id, _Past())
        now = self._past[object_id] = self._decided(past, score, area_fraction)
        sound = not math.isnan(score)
        if not now.present and (self._settings.hide or not sound):
            area_fraction, box = 0.0, _NOWHERE
        return ObjectPresence(
            object_id,
            now.present,
            score if sound else 0.0,
            area_fraction,
            box,
            now.absent_frames,
            sound,
            not now.present and now.known and now.absent_frames <= self._settings.linger,
        )

    def _decided(self, past: _Past, score: float, area_fraction: float) -> _Past:
        settings = self._settings
        threshold = settings.vanish if past.present else settings.appear
        seen = score >= threshold and area_fraction > settings.minimum_area
        row = past.seen_frames + 1 if seen else 0
        if seen and (past.present or row >= settings.confirm):
            return _Past(present=True, known=True)
        return _Past(False, past.absent_frames + 1, row, past.known)

    def observe(self, sight: Sight) -> list[ObjectPresence]:
        """Decide for every object of an image, in the order of its ids."""
        found = []
        for object_id, row in zip(sight.ids, sight.statistics, strict=True):
            score, area, x, y, width, height = row.tolist()
            box = (int(x), int(y), int(width), int(height))
            found.append(self.update(object_id, score, area / sight.pixels, box))
        return found
