# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was sent, and whether what comes back belongs to it."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

KEPT_SECONDS = 300.0
"""So long an image is remembered. A mask that comes later counts as one of no image."""


@dataclass
class Sent:
    """The images of one stamp.

    Attributes:
        number: of the last of them, counted from the start.
        at: when that was sent, in seconds of a steady clock.
        sizes: width and height of each; none of a broken image, which must not have a mask.
        timed: whether its mask's time counts: the stamp is of this image alone, and an object was
            being followed when it was sent.
        answered: whether a mask of this stamp has come.
    """

    number: int
    at: float
    sizes: set[tuple[int, int]] = field(default_factory=set)
    timed: bool = True
    answered: bool = False


class Ledger:
    """Every image sent of late, by its stamp, and the time until its mask."""

    def __init__(self) -> None:
        self.masks = 0
        self.latencies = array("f")  # seconds
        self.answer_moments = array("d")  # when each of those masks came, of the same clock
        self.newest_answered = -1
        self._sent: OrderedDict[int, Sent] = OrderedDict()

    def send(
        self, stamp: int, number: int, size: tuple[int, int] | None, *, timed: bool, now: float
    ) -> None:
        """Take note of an image that is about to be sent.

        Args:
            stamp: in nanoseconds; 0 is none.
            number: counted from the start.
            size: width and height in pixels; None for an image that is broken.
            timed: whether an object is being followed.
            now: the moment, in seconds of a steady clock.
        """
        entry = self._sent.pop(stamp, None)
        if entry is None:
            entry = Sent(number, now, timed=timed and stamp != 0)
        else:
            entry.number, entry.at, entry.timed = number, now, False
        if size is not None:
            entry.sizes.add(size)
        self._sent[stamp] = entry
        while now - next(iter(self._sent.values())).at > KEPT_SECONDS:
            self._sent.popitem(last=False)

    def receive(
        self, stamp: int, labels: np.ndarray, ids: Collection[int], now: float
    ) -> str | None:
        """Take note of a mask.

        Args:
            stamp: in nanoseconds.
            labels: height x width uint8.
            ids: those that were ever to be followed.
            now: the moment, in seconds of a steady clock.

        Returns:
            What is wrong with it, None when nothing is.
        """
        self.masks += 1
        problem = self.mismatch("a mask", stamp, labels.shape)
        if problem:
            return problem
        entry = self._sent[stamp]
        strange = set(np.flatnonzero(np.bincount(labels.ravel())).tolist()) - {0, *ids}
        if strange:
            return f"a mask has the ids {sorted(strange)}, which nobody asked for"
        if entry.timed and not entry.answered:
            self.latencies.append(now - entry.at)
            self.answer_moments.append(now)
        entry.answered = True
        self.newest_answered = max(self.newest_answered, entry.number)
        return None

    def mismatch(self, what: str, stamp: int, shape: tuple[int, ...]) -> str | None:
        """Say how something differs from the image that it should belong to; None if it does not.

        Args:
            what: it is, to begin a sentence with.
            stamp: in nanoseconds.
            shape: height and width.
        """
        entry = self._sent.get(stamp)
        if entry is None:
            return f"{what} has the stamp {stamp}, of which no image was sent"
        if shape[::-1] not in entry.sizes:
            sizes = " or ".join(f"{w} x {h}" for w, h in entry.sizes) or "broken"
            return f"{what} is {shape[1]} x {shape[0]} and its image is {sizes}"
        return None

    def answered(self, after: int) -> list[tuple[int, Sent]]:
        """Stamp and entry of the images with a mask, of those with a number above `after`."""
        found = []
        for stamp, entry in reversed(self._sent.items()):
            if entry.number <= after:
                break
            if entry.answered:
                found.append((stamp, entry))
        return found
