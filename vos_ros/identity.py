# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Is each object still the one whose id it has? Of two that met, or were away, the looks tell.

Two objects can only be taken for one another where they touch, or where one comes back while the
other is out of sight. From then on what is taken for them is held against what each looked like in
its first image. Where that agrees with its own object better than with the other, all is well;
where it agrees with the other, they were swapped; where it makes no difference, nobody can tell,
and they stay in doubt.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np

from vos_ros.presence import Box, ObjectPresence

#: ids of two objects, the lower first
Pair = tuple[int, int]

#: where two objects differed by less when they were first seen apart, neither is ever sure
ALIKE = 0.11
#: what is taken for that difference where it was not to be had
TYPICAL = 0.25
#: by such a part of it their agreement with their own looks must exceed that with the other's
SURE = 0.2
#: by such a part of it the other's must exceed their own, for a swap to be undone
SWAPPED = 0.35
#: boxes with less between them, as a part of the larger, are taken to touch
GAP = 0.2
#: images that have to say so, on the average, and after how many more of them nobody asks again
CHECKS, ENOUGH = 3, 30
#: weight of the newest image in that average, once there are as many
RATE = 0.25


class Scene(Enum):
    """How an image shows two objects."""

    APART = "both are seen, apart"
    TOUCHING = "both are seen, and their boxes overlap"
    FIRST = "only the one with the lower id is seen"
    SECOND = "only the one with the higher id is seen"
    NEITHER = "neither is seen"


@dataclass(frozen=True)
class Evidence:
    """What is known of two objects.

    Attributes:
        scene: as the last image showed them.
        doubt: whether they could have been taken for one another, and nothing has shown yet that
            they were not.
        checks: images of this scene in which they were held against their looks.
        margin: what these said, on the average; positive where each agrees with itself.
        difference: the margin when they were first seen, apart, before anything could have gone
            wrong; NaN where that was not to be had.
    """

    scene: Scene
    doubt: bool
    checks: int = 0
    margin: float = 0.0
    difference: float = math.nan

    @property
    def alike(self) -> bool:
        """Whether they look too much alike for their looks to say anything."""
        return self.difference < ALIKE

    @property
    def swapped(self) -> bool:
        """Whether they surely have each other's ids."""
        known = self.doubt and self.checks >= CHECKS and not self.alike
        return known and self.margin <= -SWAPPED * self._scale

    @property
    def _scale(self) -> float:
        return TYPICAL if math.isnan(self.difference) else self.difference

    @property
    def curious(self) -> bool:
        """Whether it would help to hold them against their looks."""
        if self.doubt:
            return self.checks < ENOUGH
        return self.scene is Scene.APART and math.isnan(self.difference)

    def seen_as(self, scene: Scene) -> Evidence:
        """With the scene of the next image."""
        if scene is self.scene:
            return self
        # One is left over where they touched, or came back alone: which? Else the other has gone.
        unclear = scene not in (Scene.FIRST, Scene.SECOND) or self.scene is not Scene.APART
        return Evidence(scene, self.doubt or unclear, difference=self.difference)

    def after(self, margin: float) -> Evidence:
        """With what one more image says."""
        if not self.doubt:
            return self if self.scene is not Scene.APART else replace(self, difference=margin)
        checks = self.checks + 1
        mean = self.margin + max(1 / checks, RATE) * (margin - self.margin)
        well = checks >= CHECKS and mean >= SURE * self._scale and not self.alike
        return replace(self, doubt=self.doubt and not well, checks=checks, margin=mean)


@dataclass(frozen=True)
class IdentityWatch:
    """Which objects may have been taken for one another; never changed in place.

    Attributes:
        pairs: what is known of any two.
    """

    pairs: Mapping[Pair, Evidence] = field(default_factory=dict)

    @property
    def doubts(self) -> tuple[Pair, ...]:
        """Pairs of which it was looked whether they were swapped, and could not be told."""
        return tuple(p for p, entry in self.pairs.items() if entry.doubt and entry.checks >= CHECKS)

    @property
    def curious(self) -> bool:
        """Whether it would help to know how objects agree with their looks."""
        return any(entry.curious for entry in self.pairs.values())

    def without(self, ids: Iterable[int]) -> IdentityWatch:
        """As if nothing were known of some objects."""
        gone = set(ids)
        return IdentityWatch({p: e for p, e in self.pairs.items() if not gone.intersection(p)})

    def seen(
        self,
        objects: Sequence[ObjectPresence],
        slots: Sequence[int] = (),
        likeness: np.ndarray | None = None,
    ) -> IdentityWatch:
        """What is known after an image.

        Args:
            objects: found in it, ascending by id.
            slots: ids in the order of the rows and columns of `likeness`.
            likeness: K x K; how well what lies under the mask of column j agrees with what the
                object of row i looked like first, NaN where that cannot be said. It is of the image
                before. None where nobody looked.
        """
        pairs = {}
        for one, other in itertools.combinations(objects, 2):
            key, scene = (one.id, other.id), _scene(one, other)
            before = self.pairs.get(key)
            if before is None:
                pairs[key] = Evidence(scene, doubt=scene is not Scene.APART)
                continue
            entry = before.seen_as(scene)
            if likeness is not None and entry is before and entry.curious:
                margin = _margin(likeness, slots.index(one.id), slots.index(other.id), scene)
                entry = entry if math.isnan(margin) else entry.after(margin)
            pairs[key] = entry
        return IdentityWatch(pairs)

    def swapped(self) -> Pair | None:
        """Two objects that surely have each other's ids; None where there are none."""
        found = [(entry.margin, pair) for pair, entry in self.pairs.items() if entry.swapped]
        return min(found)[1] if found else None

    def exchanged(self, pair: Pair) -> IdentityWatch:
        """After a swap was undone: it is to be seen whether that was right."""
        other = {Scene.FIRST: Scene.SECOND, Scene.SECOND: Scene.FIRST}
        entry = self.pairs[pair]
        scene = other.get(entry.scene, entry.scene)
        entry = Evidence(scene, doubt=True, difference=entry.difference)
        return IdentityWatch({**self.pairs, pair: entry})


def _scene(one: ObjectPresence, other: ObjectPresence) -> Scene:
    if one.present and other.present:
        return Scene.APART if apart(one.box, other.box) else Scene.TOUCHING
    if one.present or other.present:
        return Scene.FIRST if one.present else Scene.SECOND
    return Scene.NEITHER


def _margin(likeness: np.ndarray, one: int, other: int, scene: Scene) -> float:
    """By how much objects agree with themselves rather than with each other; NaN for unknown."""
    first = likeness[one, one] - likeness[other, one]
    second = likeness[other, other] - likeness[one, other]
    if scene is Scene.APART:
        return float(first + second)
    # What one says by itself counts for both.
    return float({Scene.FIRST: 2 * first, Scene.SECOND: 2 * second}.get(scene, math.nan))


def apart(one: Box, other: Box) -> bool:
    """Whether two boxes leave a gap of some part of their size between them."""
    for axis in (0, 1):
        (first, second) = sorted((box[axis], box[axis + 2]) for box in (one, other))
        if second[0] - sum(first) >= GAP * max(first[1], second[1]):
            return True
    return False
