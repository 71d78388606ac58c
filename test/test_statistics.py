# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node's counts and times: totals, quantiles, and what is new of late."""

from __future__ import annotations

import math

import pytest

from vos_ros.ros.statistics import (
    NO_COUNTS,
    WINDOW,
    Counter,
    FrameTimes,
    RecentCounts,
    Statistics,
)


def test_nothing_counted_is_nothing():
    assert Counter().statistics(0) == Statistics()
    assert set(NO_COUNTS) == {
        "received", "rejected", "idle", "skipped", "dropped", "processed", "failed", "caught_up",
        "lost",
    }  # fmt: skip
    assert not any(NO_COUNTS.values())


def test_frames_are_counted_by_their_fate():
    counter = Counter()
    for fate, number in (("received", 1), ("received", 1), ("lost", 7)):
        counter.count(fate, number)
    counter.processed(FrameTimes())
    figures = counter.statistics(dropped=3)
    assert (figures.received, figures.lost, figures.processed, figures.dropped) == (2, 7, 1, 3)
    assert counter.counts()["lost"] == 7
    with pytest.raises(KeyError):
        counter.count("eaten")


def test_times_are_medians_of_what_was_measured():
    counter = Counter()
    for value in (5.0, 1.0, 3.0):
        counter.processed(FrameTimes(latency=value, wait=value / 10, step=value / 2))
    counter.processed(FrameTimes(step=0.5))
    figures = counter.statistics(0)
    assert (figures.latency_median, figures.latency_p95) == (3.0, 5.0)
    assert (figures.wait_median, figures.step_median, figures.step_p95) == (0.3, 0.5, 2.5)
    assert math.isnan(figures.convert_median)


def test_only_the_last_frames_have_a_say():
    counter = Counter()
    for _ in range(WINDOW):
        counter.processed(FrameTimes(latency=9.0))
    for _ in range(WINDOW):
        counter.processed(FrameTimes(latency=1.0))
    assert counter.statistics(0).latency_p95 == 1.0


def test_rates_are_those_of_the_last_seconds():
    recent = RecentCounts(span=10)
    lately = recent.note(0.0, {**NO_COUNTS, "received": 500})
    assert lately.seconds == 0
    assert math.isnan(lately.rate("received"))
    for second in range(1, 31):
        # 5 Hz for 20 seconds, then 30 Hz.
        received = 500 + 5 * min(second, 20) + 30 * max(0, second - 20)
        lately = recent.note(second, {**NO_COUNTS, "received": received})
    assert lately.seconds == 10
    assert lately.rate("received") == 30.0


def test_a_share_is_that_of_the_last_seconds():
    recent = RecentCounts()
    recent.note(0.0, {**NO_COUNTS, "dropped": 100, "processed": 0})
    lately = recent.note(1.0, {**NO_COUNTS, "dropped": 103, "processed": 1})
    assert lately.share("dropped", "processed") == 0.75
    assert lately.share("lost", "received") == 0.0


def test_counts_that_start_over_begin_a_new_span():
    recent = RecentCounts()
    recent.note(0.0, {**NO_COUNTS, "received": 50})
    lately = recent.note(1.0, {**NO_COUNTS, "received": 10})
    assert (lately.seconds, lately.counts["received"]) == (0.0, 0)
    assert recent.note(2.0, {**NO_COUNTS, "received": 14}).rate("received") == 4.0
