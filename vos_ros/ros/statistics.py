# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node has done: frames counted by their fate, and how long they took."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass

WINDOW = 300
"""Processed frames the times are taken over: ten seconds at 30 Hz."""


@dataclass(frozen=True)
class Statistics:
    """A moment's figures. Times are in seconds, NaN before anything was measured.

    Attributes:
        received: camera messages that came in, good or bad.
        rejected: messages whose image could not be read.
        idle: good frames that came while nothing was followed; they were only buffered.
        dropped: frames that gave way to a newer one.
        processed: frames whose mask was published.
        failed: frames whose step raised an error.
        caught_up: frames gone through on behalf of `init_mask`.
        latency_median, latency_p95: from the camera's stamp to the mask being handed to the
            transport, over the last `WINDOW` processed frames.
        step_median, step_p95: the segmenter's step alone, over the same frames.
    """

    received: int = 0
    rejected: int = 0
    idle: int = 0
    dropped: int = 0
    processed: int = 0
    failed: int = 0
    caught_up: int = 0
    latency_median: float = math.nan
    latency_p95: float = math.nan
    step_median: float = math.nan
    step_p95: float = math.nan

    def __str__(self) -> str:
        return (
            f"{self.received} frames received, {self.processed} processed, {self.dropped} dropped,"
            f" {self.idle} idle, {self.rejected} rejected, {self.failed} failed;"
            f" latency {_milliseconds(self.latency_median)} (p95"
            f" {_milliseconds(self.latency_p95)}), step {_milliseconds(self.step_median)} (p95"
            f" {_milliseconds(self.step_p95)})"
        )


class Counter:
    """Counts what happens to frames; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(
            ("received", "rejected", "idle", "processed", "failed", "caught_up"), 0
        )
        self._latencies: deque[float] = deque(maxlen=WINDOW)
        self._steps: deque[float] = deque(maxlen=WINDOW)

    def count(self, fate: str) -> None:
        """Count one frame under a name of `Statistics`.

        Raises:
            KeyError: no such count is kept here.
        """
        with self._lock:
            self._counts[fate] += 1

    def processed(self, latency: float, step: float) -> None:
        """Count one frame whose mask was published, with its times in seconds."""
        with self._lock:
            self._counts["processed"] += 1
            self._latencies.append(latency)
            self._steps.append(step)

    def statistics(self, dropped: int) -> Statistics:
        """Return the figures of this moment; `dropped` is known to the worker's mailbox."""
        with self._lock:
            counts = dict(self._counts)
            latencies, steps = sorted(self._latencies), sorted(self._steps)
        return Statistics(
            dropped=dropped,
            latency_median=_quantile(latencies, 0.5),
            latency_p95=_quantile(latencies, 0.95),
            step_median=_quantile(steps, 0.5),
            step_p95=_quantile(steps, 0.95),
            **counts,
        )


def _quantile(ascending: list[float], q: float) -> float:
    """The smallest value that at least the fraction q of them does not exceed; NaN of none."""
    if not ascending:
        return math.nan
    return ascending[max(0, math.ceil(q * len(ascending)) - 1)]


def _milliseconds(seconds: float) -> str:
    return "unknown" if math.isnan(seconds) else f"{1000 * seconds:.1f} ms"
