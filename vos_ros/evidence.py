# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Have two objects been taken for one another? What is known of a pair, image by image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from vos_ros.presence import Box, ObjectPresence

#: by such a part of what two differ by, their agreement with their own looks must exceed that with
#: the other's for all to be well
SURE = 0.5
#: by such a part of it the other's must exceed their own, for a swap to be undone
SWAPPED = 0.5
#: images that have to say so, on the average, and after how many more it is asked more seldom
CHECKS, ENOUGH = 3, 30
#: objects of which nothing is in doubt are looked at once in so many images
EVERY = 4
#: weight of the newest image in that average, once there are as many
RATE = 0.25
#: boxes with less between them, as a part of the larger, are taken to touch
GAP = 0.2


class Scene(Enum):
    """How an image shows two objects."""

    APART = "both are seen, apart"
    TOUCHING = "both are seen, and their boxes overlap"
    FIRST = "only the one with the lower id is seen"
    SECOND = "only the one with the higher id is seen"
    FIRST_THERE = "only the one with the lower id is seen, about where the other was last"
    SECOND_THERE = "only the one with the higher id is seen, about where the other was last"
    NEITHER = "neither is seen"

    @property
    def close(self) -> bool:
        """Whether one may be taken for the other in the next image."""
        return self in (Scene.TOUCHING, Scene.FIRST_THERE, Scene.SECOND_THERE)

    @property
    def mirrored(self) -> Scene:
        """The same with the two in each other's place."""
        return _MIRRORED.get(self, self)


_MIRRORED = {
    Scene.FIRST: Scene.SECOND,
    Scene.SECOND: Scene.FIRST,
    Scene.FIRST_THERE: Scene.SECOND_THERE,
    Scene.SECOND_THERE: Scene.FIRST_THERE,
}


@dataclass(frozen=True)
class Evidence:
    """What is known of two objects.

    Attributes:
        scene: as the last image showed them.
        doubt: whether they could have been taken for one another, and nothing has shown yet that
            they were not.
        checks: images of this scene in which they were held against their looks.
        margin: what these said, on the average: 1 where each is itself, -1 where each is the other.
        alike: whether they look too much alike for their looks to say anything.
    """

    scene: Scene
    doubt: bool
    checks: int = 0
    margin: float = 0.0
    alike: bool = False

    @property
    def told(self) -> bool:
        """Whether it is to be said that nobody can tell which is which."""
        if self.scene is Scene.NEITHER or not self.unclear:
            return False
        return self.alike or self.checks >= CHECKS

    @property
    def unclear(self) -> bool:
        """Whether what either looks like may be what the other does."""
        return self.doubt and (self.alike or self.checks < CHECKS or self.margin < SURE)

    @property
    def swapped(self) -> bool:
        """Whether they surely have each other's ids."""
        # While they touch, a mask may have something of both.
        known = self.doubt and not self.alike and self.scene is not Scene.TOUCHING
        return known and self.checks >= CHECKS and self.margin <= -SWAPPED

    @property
    def curious(self) -> bool:
        """Whether it would help to hold them against their looks at once."""
        return self.doubt and self.scene is not Scene.NEITHER and self.checks < ENOUGH

    def seen_as(self, scene: Scene) -> Evidence:
        """With the scene of the next image."""
        if scene is self.scene:
            return self
        # One is left over where they touched, or came back alone: which? Else the other has gone.
        unclear = scene not in (Scene.FIRST, Scene.SECOND) or self.scene is not Scene.APART
        return Evidence(scene, self.doubt or unclear, alike=self.alike)

    def after(self, margin: float, alike: bool) -> Evidence:
        """With what one more image says.

        Args:
            margin: as in the attributes; 0 where it says nothing.
            alike: whether they look alike by all that is known of them now.
        """
        if self.scene is Scene.NEITHER:
            return replace(self, alike=alike)
        checks = self.checks + 1
        mean = self.margin + max(1 / checks, RATE) * (margin - self.margin)
        well = checks >= CHECKS and mean >= SURE and not alike
        doubt = not well or self.scene.close
        return Evidence(self.scene, doubt, checks, mean, alike)

    def exchanged(self) -> Evidence:
        """After a swap was undone: it is to be seen whether that was right."""
        return Evidence(self.scene.mirrored, doubt=True, alike=self.alike)


def scene_of(one: ObjectPresence, other: ObjectPresence, far: bool) -> Scene:
    """How an image shows two objects.

    Args:
        one: the object with the lower id.
        other: the one with the higher.
        far: whether they were apart where each was seen last.
    """
    if one.present and other.present:
        return Scene.APART if far else Scene.TOUCHING
    if one.present:
        return Scene.FIRST if far else Scene.FIRST_THERE
    if other.present:
        return Scene.SECOND if far else Scene.SECOND_THERE
    return Scene.NEITHER


def apart(one: Box, other: Box) -> bool:
    """Whether two boxes leave a gap of some part of their size between them."""
    return bool(all_apart([one, other])[0, 1])


def all_apart(boxes: Sequence[Box]) -> np.ndarray:
    """For K boxes whether any two are apart, K x K: there may be thousands of pairs."""
    corner, size = np.split(np.array(boxes, float).reshape(-1, 4), 2, axis=1)
    behind = corner[None] - (corner + size)[:, None]
    gap = np.maximum(behind, behind.transpose(1, 0, 2))
    return (gap >= GAP * np.maximum(size[None], size[:, None])).any(axis=2)
