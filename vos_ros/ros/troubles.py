# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The last thing that went wrong, kept for whoever asks later. No ROS here."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Trouble:
    """Something that went wrong.

    Attributes:
        text: what, in a sentence.
        serious: whether the node could not do its work, as against being asked for what it
            cannot do or being sent what it cannot read.
        lasting: whether it goes on until something is done about it.
        when: seconds of `time.perf_counter`.
    """

    text: str
    serious: bool
    lasting: bool
    when: float


class Troubles:
    """Holds the last trouble; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: Trouble | None = None

    @property
    def last(self) -> Trouble | None:
        """What went wrong last; None while nothing has."""
        with self._lock:
            return self._last

    def note(self, text: str, *, serious: bool, lasting: bool = False) -> None:
        """Remember a trouble, unless one that is worse and lasts is remembered."""
        with self._lock:
            if self._last is None or lasting or not self._last.lasting:
                self._last = Trouble(text, serious, lasting, time.perf_counter())

    def overcome(self) -> None:
        """What lasted is over; it stays the last trouble until another comes."""
        with self._lock:
            if self._last is not None and self._last.lasting:
                was = self._last
                self._last = Trouble(was.text, was.serious, False, was.when)
