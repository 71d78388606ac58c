# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The largest internal size with which a deadline is met, from how long the images take. No ROS."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

GRAIN = 32
"""Sizes are multiples of this where they can be: what networks are padded to, in pixels."""
RUNG = 0.85
"""About so many times as large is the next smaller size: a little less than 3/4 of the work."""
HURRY = 8
"""From so many images on it is judged whether the deadline is missed."""
PATIENCE = 60
"""So many images in a row have to leave room for a larger size."""
LONGEST_PATIENCE = 32 * PATIENCE
ROOM = 0.8
"""A larger size is expected to need no more than this share of the deadline."""
AIM = 0.9
"""A smaller size is expected to need no more than this share of it."""
SETTLE_SECONDS = 3.0
"""For so long after a change nothing is judged: what has to be compiled is compiled."""


@dataclass(frozen=True)
class SizeView:
    """The choice at one moment.

    Attributes:
        size: the internal size, pixels.
        smallest, largest: its bounds.
        deadline: in seconds; 0 when there is none.
        median: of the last images judged at this size, seconds; None before there are enough.
        changes: how often the size was changed.
    """

    size: int
    smallest: int
    largest: int
    deadline: float
    median: float | None
    changes: int

    @property
    def hopeless(self) -> bool:
        """Whether the deadline is missed even at the smallest size."""
        missed = self.median is not None and self.median > self.deadline
        return self.deadline > 0 and self.size == self.smallest and missed


def ladder(smallest: int, largest: int) -> tuple[int, ...]:
    """The sizes to choose from, ascending: the two bounds, and between them multiples of 32.

    Raises:
        ValueError: when the smallest is larger than the largest.
    """
    if smallest > largest:
        raise ValueError(
            f"the smallest internal size, {smallest}, must not be above the internal size,"
            f" {largest}"
        )
    sizes, size = {smallest, largest}, largest
    while (size := _next_smaller(size)) > smallest:
        sizes.add(size)
    return tuple(sorted(sizes))


def _next_smaller(size: int) -> int:
    wanted = GRAIN * round(RUNG * size / GRAIN)
    return wanted if wanted < size else GRAIN * ((size - 1) // GRAIN)


class SizeChooser:
    """Goes down soon when the deadline is missed, and up slowly when there is room.

    The work of an image goes with the square of the size, and a part of its time does not: so a
    larger size needs at most, and a smaller at least, what the square says. A size that was tried
    and had to be left is tried again after twice the time.

    Args:
        smallest: lower bound, pixels.
        largest: upper bound, and the size without a deadline.
        deadline: tells the seconds an image may take; 0 for any time. Asked every time.
        clock: seconds, steady.
    """

    def __init__(
        self, smallest: int, largest: int, deadline: Callable[[], float], clock: Callable[[], float]
    ) -> None:
        self._sizes = ladder(smallest, largest)
        self._deadline_now = deadline
        self._clock = clock
        self._deadline = deadline()
        self._rung = len(self._sizes) - 1
        self._times: deque[float] = deque(maxlen=LONGEST_PATIENCE)
        self._objects = 0
        self._patience = PATIENCE
        self._tried = False
        self._changes = 0
        self._judged_from = clock() + SETTLE_SECONDS

    @property
    def size(self) -> int:
        """The internal size that the next image is to have, pixels."""
        return self._sizes[self._rung]

    def view(self) -> SizeView:
        """What was chosen and why; may be asked by any thread."""
        times = tuple(self._times)[-HURRY:]
        median = statistics.median(times) if len(times) == HURRY else None
        bounds = self._sizes[0], self._sizes[-1]
        return SizeView(self.size, *bounds, self._deadline, median, self._changes)

    def took(self, seconds: float, objects: int) -> bool:
        """Take note of an image.

        Args:
            seconds: that it took at the size of this moment.
            objects: that were followed in it.

        Returns:
            Whether the size has changed.
        """
        deadline = self._deadline_now()
        if deadline != self._deadline or objects != self._objects:
            # What was learned of another work, or held against another deadline, tells nothing.
            if deadline != self._deadline:
                self._patience = PATIENCE
            self._deadline, self._objects = deadline, objects
            self._begin()
        if not deadline:
            return self._go_to(len(self._sizes) - 1)
        if self._clock() < self._judged_from:
            return False
        self._times.append(seconds)
        return self._go_to(self._better(deadline))

    def _better(self, deadline: float) -> int:
        """The rung to be on after the images so far."""
        if len(self._times) >= HURRY:
            median = statistics.median(tuple(self._times)[-HURRY:])
            if median > deadline:
                fitting = [
                    k for k in range(self._rung) if self._scaled(median, k) <= AIM * deadline
                ]
                return max(fitting, default=0)
        if len(self._times) < self._patience:
            return self._rung
        self._tried = False  # this size has held
        above = min(self._rung + 1, len(self._sizes) - 1)
        slow = sorted(tuple(self._times)[-PATIENCE:])[int(0.9 * PATIENCE)]
        return above if self._scaled(slow, above) <= ROOM * deadline else self._rung

    def _scaled(self, seconds: float, rung: int) -> float:
        """What an image would take on another rung, if all of its time went with the square."""
        return seconds * (self._sizes[rung] / self.size) ** 2

    def _go_to(self, rung: int) -> bool:
        if rung == self._rung:
            return False
        up = rung > self._rung
        if not up and self._tried:
            self._patience = min(2 * self._patience, LONGEST_PATIENCE)
        self._tried = up
        self._rung = rung
        self._changes += 1
        self._begin()
        return True

    def _begin(self) -> None:
        """Forget the images so far, and give what is new a moment."""
        self._times.clear()
        self._judged_from = self._clock() + SETTLE_SECONDS


def size_change(before: SizeView, now: SizeView) -> str:
    """A sentence for the log: what was chosen in the place of what, and why."""
    text = f"The internal size is now {now.size} pixels instead of {before.size}"
    if before.median is not None and now.deadline:
        text += f", at which images took {1e3 * before.median:.1f} ms"
    if now.deadline:
        text += f"; the deadline is {1e3 * now.deadline:.1f} ms"
    return f"{text}."
