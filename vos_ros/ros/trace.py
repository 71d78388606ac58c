# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node spent its time on lately: always kept, and written when somebody asks. No ROS here.

The format is Chrome's trace events, which Perfetto and chrome://tracing show.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections import deque
from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

SPANS = 16_384
"""So many spans are kept: more than a minute of 30 frames a second, in 3 MB."""


class Track(IntEnum):
    """The rows in which spans are shown; within one, none overlap."""

    MAILBOX = 1
    WORKER = 2


_TITLES = {Track.MAILBOX: "waiting for the worker", Track.WORKER: "vos_worker"}


class Span(NamedTuple):
    """Something that took time.

    Attributes:
        track: where it is shown.
        name: what it was, in letters.
        began: seconds of `time.perf_counter`.
        seconds: how long it took.
        stamp_ns: of the frame it was done for, in nanoseconds; 0 for none.
    """

    track: Track
    name: str
    began: float
    seconds: float
    stamp_ns: int


class Trace:
    """The last spans; every method may be called from any thread."""

    def __init__(self, spans: int = SPANS) -> None:
        self._spans: deque[Span] = deque(maxlen=spans)

    def note(
        self, track: Track, name: str, began: float, seconds: float, stamp_ns: int = 0
    ) -> None:
        """Keep a span; see `Span`. One whose time is not known, NaN, is left out."""
        if not math.isnan(began + seconds):
            self._spans.append(Span(track, name, began, seconds, stamp_ns))

    def note_row(self, began: float, parts: Iterable[tuple[str, float]], stamp_ns: int) -> None:
        """Keep spans of the worker that follow one another, each a name and seconds."""
        for name, seconds in parts:
            self.note(Track.WORKER, name, began, seconds, stamp_ns)
            began += seconds

    def spans(self) -> list[Span]:
        """Those kept, oldest first."""
        return list(self._spans)

    def written(self, title: str) -> str:
        """The spans as a Chrome trace, JSON.

        Times are microseconds of the machine's monotonic clock, by which LTTng, and so
        ros2_tracing, counts too; `unix_time_of_zero` tells where that clock began.

        Args:
            title: what the process is called.
        """
        process = os.getpid()
        lines = [_line(ph="M", name="process_name", pid=process, args={"name": title})]
        for track, name in _TITLES.items():
            args = {"name": name}
            lines.append(_line(ph="M", name="thread_name", pid=process, tid=int(track), args=args))
        # Line by line, for to encode all of it at once would keep the other threads waiting.
        lines += (
            f'{{"ph": "X", "name": "{span.name}", "pid": {process}, "tid": {span.track:d}, '
            f'"ts": {1e6 * span.began:.1f}, "dur": {1e6 * span.seconds:.1f}, '
            f'"args": {{{_stamp(span.stamp_ns)}}}}}'
            for span in self.spans()
        )
        zero = json.dumps({"unix_time_of_zero": round(time.time() - time.perf_counter(), 6)})
        events = ",\n".join(lines)
        return f'{{"displayTimeUnit": "ms", "otherData": {zero}, "traceEvents": [\n{events}\n]}}\n'


def _stamp(stamp_ns: int) -> str:
    return f'"stamp_ns": {stamp_ns}' if stamp_ns else ""


def _line(**event: object) -> str:
    return json.dumps(event)
