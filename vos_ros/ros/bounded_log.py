# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Says what goes wrong again and again only so often, and how often it did. No ROS here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

MOST = 5
"""So many lines of a kind are said within a span; the rest is counted."""
SPAN_SECONDS = 10.0


@dataclass
class _Kind:
    """What was said of one kind since its span began."""

    say: Callable[[str], object]
    began: float
    said: int = 0
    kept_back: int = 0
    last: str = ""
    total: int = 0


class BoundedLog:
    """At most so many lines of each kind within a span of time; every method from any thread.

    A span begins with the first line. When it is over, one line says how many were kept back, and
    which was the last of them.

    Args:
        most: lines of a kind within a span.
        seconds: length of a span.
    """

    def __init__(self, most: int = MOST, seconds: float = SPAN_SECONDS) -> None:
        self._most = most
        self._seconds = seconds
        self._kinds: dict[str, _Kind] = {}
        self._lock = threading.Lock()

    def total(self, kind: str) -> int:
        """How many there were of a kind, said or not."""
        with self._lock:
            return self._kinds[kind].total if kind in self._kinds else 0

    def say(self, kind: str, text: str, say: Callable[[str], object]) -> None:
        """Say a line, or count it.

        Args:
            kind: what happened, to follow a number: "requests were refused".
            text: the line; one that is kept back is told by its first line alone.
            say: takes lines of this kind, such as a logger's method.
        """
        now = time.monotonic()
        self._end(kind, now)
        with self._lock:
            entry = self._kinds.setdefault(kind, _Kind(say, now))
            if not entry.said:
                entry.began = now
            entry.say = say
            entry.total += 1
            wanted = entry.said < self._most
            if wanted:
                entry.said += 1
            else:
                entry.kept_back, entry.last = entry.kept_back + 1, text.split("\n", 1)[0]
        if wanted:
            say(text)

    def tick(self) -> None:
        """Tell of what was kept back in spans that are over; to be called about once a second."""
        now = time.monotonic()
        for kind in list(self._kinds):
            self._end(kind, now)

    def _end(self, kind: str, now: float) -> None:
        with self._lock:
            entry = self._kinds.get(kind)
            if entry is None or now - entry.began < self._seconds:
                return
            count, last, entry.said, entry.kept_back = entry.kept_back, entry.last, 0, 0
        if count:
            entry.say(f"{count} more {kind} in {self._seconds:g} s. The last of them: {last}")
