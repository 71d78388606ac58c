# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node has done: frames counted by their fate, and how long they took."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WINDOW = 300
"""Processed frames the times are taken over: ten seconds at 30 Hz."""


@dataclass(frozen=True)
class FrameTimes:
    """How long one frame took, in seconds; NaN for what was not measured.

    The parts after the arrival are read off the host's steady clock where the work is handed over
    anyway, and those within the step off the device's own; nothing waits on their account.

    Attributes:
        latency: from the camera's stamp to the mask being handed to the transport; NaN for an
            image without a stamp.
        transport: from the camera's stamp to the node's taking the image in.
        wait: from there until the worker began with it.
        convert: from the camera's encoding to RGB.
        step: the segmenter's step, which is the next three, one after the other.
        upload: the image onto the device, scaled to what the network sees.
        network: all that the device works out.
        download: labels and presence back to the host.
        publish: handing the mask and the presence to the transport.
        began: when the worker began with it, in seconds of `time.perf_counter`.
    """

    latency: float = math.nan
    transport: float = math.nan
    wait: float = math.nan
    convert: float = math.nan
    step: float = math.nan
    upload: float = math.nan
    network: float = math.nan
    download: float = math.nan
    publish: float = math.nan
    began: float = math.nan


@dataclass(frozen=True)
class Statistics:
    """A moment's figures. Times are in seconds, NaN before anything was measured.

    Attributes:
        received: camera messages that came in, good or bad.
        rejected: messages whose image could not be read.
        idle: good frames that came while nothing was followed; they were only buffered.
        skipped: good frames between those that are looked at (parameter `every`).
        dropped: frames that gave way to a newer one.
        processed: frames whose mask was published.
        failed: frames whose step raised an error.
        caught_up: frames gone through on behalf of `init_mask`.
        lost: messages the transport says were sent to this node and did not arrive.
        latency_median, latency_p95: from the camera's stamp to the mask being handed to the
            transport, over the last `WINDOW` processed frames.
        step_median, step_p95: the segmenter's step alone, over the same frames.
        upload_median, network_median, download_median: its parts, over the same frames.
        transport_median, wait_median, convert_median, publish_median: the other parts of the
            latency, see `FrameTimes`.
    """

    received: int = 0
    rejected: int = 0
    idle: int = 0
    skipped: int = 0
    dropped: int = 0
    processed: int = 0
    failed: int = 0
    caught_up: int = 0
    lost: int = 0
    latency_median: float = math.nan
    latency_p95: float = math.nan
    step_median: float = math.nan
    step_p95: float = math.nan
    transport_median: float = math.nan
    wait_median: float = math.nan
    convert_median: float = math.nan
    upload_median: float = math.nan
    network_median: float = math.nan
    download_median: float = math.nan
    publish_median: float = math.nan

    def __str__(self) -> str:
        return (
            f"{self.received} frames received, {self.processed} processed, {self.dropped} dropped,"
            f" {self.idle} idle, {self.rejected} rejected, {self.failed} failed;"
            f" latency {_milliseconds(self.latency_median)} (p95"
            f" {_milliseconds(self.latency_p95)}), step {_milliseconds(self.step_median)} (p95"
            f" {_milliseconds(self.step_p95)})"
        )


NO_COUNTS: Mapping[str, int] = {
    name: value for name, value in vars(Statistics()).items() if type(value) is int
}
"""The counts of `Statistics` when nothing has happened."""


class Counter:
    """Counts what happens to frames; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = {name: 0 for name in NO_COUNTS if name != "dropped"}
        self._times: deque[FrameTimes] = deque(maxlen=WINDOW)

    def count(self, fate: str, number: int = 1) -> None:
        """Count one frame, or more, under a name of `Statistics`.

        Raises:
            KeyError: no such count is kept here.
        """
        with self._lock:
            self._counts[fate] += number

    def processed(self, times: FrameTimes) -> None:
        """Count one frame whose mask was published."""
        with self._lock:
            self._counts["processed"] += 1
            self._times.append(times)

    def counts(self) -> dict[str, int]:
        """Return the counts of this moment, by their names in `Statistics`."""
        with self._lock:
            return dict(self._counts)

    def statistics(self, dropped: int) -> Statistics:
        """Return the figures of this moment; `dropped` is known to the worker's mailbox."""
        with self._lock:
            counts = dict(self._counts)
            times = list(self._times)
        columns = {
            part: _ascending(getattr(entry, part) for entry in times)
            for part in FrameTimes.__dataclass_fields__
            if part != "began"
        }
        medians: dict[str, Any] = {
            f"{part}_median": _quantile(column, 0.5) for part, column in columns.items()
        }
        return Statistics(
            dropped=dropped,
            latency_p95=_quantile(columns["latency"], 0.95),
            step_p95=_quantile(columns["step"], 0.95),
            **medians,
            **counts,
        )


@dataclass(frozen=True)
class Lately:
    """What has come on top of the counts within the last seconds.

    Attributes:
        seconds: how long that is; 0 before there is anything to compare.
        counts: increase of each count of `Statistics`, by its name.
    """

    seconds: float
    counts: dict[str, int]

    def rate(self, name: str) -> float:
        """How often a second; NaN before there is anything to compare."""
        return self.counts[name] / self.seconds if self.seconds else math.nan

    def share(self, name: str, *others: str) -> float:
        """The fraction that one count makes of itself and others together; 0 of nothing."""
        total = sum(self.counts[each] for each in (name, *others))
        return self.counts[name] / total if total else 0.0


class RecentCounts:
    """Remembers counts of the last seconds, so that rates can be told.

    Args:
        span: how many past notes are compared with: with one a second, seconds.
    """

    def __init__(self, span: int = 10) -> None:
        self._notes: deque[tuple[float, dict[str, int]]] = deque(maxlen=span + 1)

    def note(self, now: float, counts: Mapping[str, int]) -> Lately:
        """Take the counts of a moment and return what is new since the oldest note held.

        Args:
            now: the moment, seconds of a steady clock.
            counts: by name. One that went down, as after a new configuration, begins a new span.
        """
        if self._notes and any(counts[key] < old for key, old in self._notes[-1][1].items()):
            self._notes.clear()
        self._notes.append((now, dict(counts)))
        then, before = self._notes[0]
        return Lately(now - then, {key: value - before[key] for key, value in counts.items()})


def _ascending(values: Iterable[float]) -> list[float]:
    return sorted(value for value in values if not math.isnan(value))


def _quantile(ascending: Sequence[float], q: float) -> float:
    """The smallest value that at least the fraction q of them does not exceed; NaN of none."""
    if not ascending:
        return math.nan
    return ascending[max(0, math.ceil(q * len(ascending)) - 1)]


def _milliseconds(seconds: float) -> str:
    return "unknown" if math.isnan(seconds) else f"{1000 * seconds:.1f} ms"
