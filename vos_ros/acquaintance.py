# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Is what comes back the object that went? Only its looks can say.

An object that was out of sight, or is suddenly somewhere else, may be another thing that a network
takes for it. Then its looks are held against those that it had, and against how much these used to
change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vos_ros.evidence import CHECKS, ENOUGH, EVERY, RATE, apart
from vos_ros.looks import Looks, agreement, merged
from vos_ros.presence import Box, ObjectPresence

#: weight of the newest looks among those that are remembered, and where they are strange
_NEW, _STRANGE = 0.2, 0.1
#: an object is as it was where it differs from that by no more than it did before, so many times,
#: and any is where it differs by less than the second
_TIMES, _LEAST = 3.0, 0.008
#: what came back is itself from such a part of that on
_CLEAR = 0.7
#: of an object of which less than such a part is seen, nothing is learned: the rest is hidden
_WHOLE = 0.8
#: so many times as far, and it is in doubt although it was in sight all the time
_SUDDEN = 4.0
#: what is taken for how much an object's looks change until that is known
_TYPICAL = 0.003


@dataclass(frozen=True)
class Acquaintance:
    """What is remembered of the looks of one object.

    Attributes:
        first: when it was seen first; None where it never was looked at.
        looks: while it was surely itself.
        spread: by how much they differed from that then, on the average.
        box: where it was seen last.
        area: its share of the image, as it was of late.
        whole: whether it is seen as large as that.
        away: whether it was out of sight in the last image.
        doubt: whether it may be another thing.
        returned: whether that is because it came back, or leapt; else it has changed.
        checks: images in which it was held against its looks since then.
        strange: by how much it differed from them, on the average, 1 for as much as it may.
    """

    first: Looks | None
    looks: Looks | None
    box: Box
    area: float = 0.0
    whole: bool = True
    spread: float = _TYPICAL
    away: bool = False
    doubt: bool = False
    returned: bool = False
    checks: int = 0
    strange: float = 0.0

    @classmethod
    def met(cls, entry: ObjectPresence) -> Acquaintance:
        """With an object of which only the place is known."""
        return cls(None, None, entry.box, entry.area_fraction, away=not entry.present)

    @property
    def told(self) -> bool:
        """Whether it is to be said that this may be another thing."""
        return self.doubt and not self.away and self.checks >= CHECKS and self.strange > 1

    @property
    def curious(self) -> bool:
        """Whether it would help to look at it at once."""
        return not self.away and (self.looks is None or (self.doubt and self.checks < ENOUGH))

    @property
    def questioned(self) -> bool:
        """Whether nothing is to be learned of what is taken for it, since it came back."""
        return self.away or (self.doubt and self.returned)

    @property
    def _allowed(self) -> float:
        return max(_LEAST, _TIMES * self.spread)

    def strangeness(self, looks: Looks) -> float:
        """How far it would differ from itself with other looks: up to 1 is as far as it may."""
        return 0.0 if self.looks is None else (1 - agreement(self.looks, looks)) / self._allowed

    def seen(self, entry: ObjectPresence) -> Acquaintance:
        """With where it is in the next image."""
        if not entry.present:
            return replace(self, away=True)
        area = self.area + _NEW / EVERY * (entry.area_fraction - self.area)
        whole = entry.area_fraction >= _WHOLE * self.area
        now = replace(self, box=entry.box, area=area, whole=whole, away=False)
        if self.looks is None or not (self.away or apart(self.box, entry.box)):
            return now
        return replace(now, doubt=True, returned=True, checks=0, strange=0.0)

    def looked_at(self, looks: Looks, learn: bool) -> Acquaintance:
        """With what it looks like in an image in which it is seen.

        Args:
            looks: in that image.
            learn: whether it is surely itself, as far as others know.
        """
        if self.looks is None:
            return replace(self, first=looks, looks=looks)
        strange = self.strangeness(looks)
        if self.doubt:
            # One that was in sight all the time is itself, and one gets used to how it looks now.
            known = self.looks if self.returned else merged(self.looks, looks, _STRANGE)
            return replace(self._doubted(strange), looks=known)
        if strange > _SUDDEN:
            return replace(self, doubt=True, returned=False, checks=1, strange=strange)
        if not (learn and self.whole):
            return self
        weight = _STRANGE if strange > 1 else _NEW
        # More than is allowed is not learned at once.
        change = min(strange, 1) * self._allowed
        spread = self.spread + _NEW * (change - self.spread)
        return replace(self, looks=merged(self.looks, looks, weight), spread=spread)

    def _doubted(self, strange: float) -> Acquaintance:
        checks = self.checks + 1
        mean = self.strange + max(1 / checks, RATE) * (strange - self.strange)
        doubt = checks < CHECKS or mean > _CLEAR
        return replace(self, doubt=doubt, checks=checks, strange=mean)
