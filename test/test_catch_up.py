# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Catching up: never more steps than allowed, always ending at the newest frame, evenly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vos_ros.ros.catch_up import catch_up, evenly


class Camera:
    """Frames are their own stamps, one a tick; the clock runs on by `speed` at each step."""

    def __init__(self, now: int, speed: float = 0.0) -> None:
        self.now = float(now)
        self.speed = speed

    def since(self, stamp: int) -> list[int]:
        return list(range(stamp + 1, int(self.now) + 1))

    def go_through(self, start: int, limit: int) -> list[int]:
        seen = []
        for frame in catch_up(self.since, lambda frame: frame, start, limit):
            seen.append(frame)
            self.now += self.speed
        return seen


def test_few_frames_are_all_gone_through_in_order():
    assert Camera(now=14).go_through(start=10, limit=30) == [11, 12, 13, 14]


def test_nothing_is_gone_through_when_nothing_came_since():
    assert Camera(now=10).go_through(start=10, limit=30) == []


def test_no_steps_are_taken_when_none_are_allowed():
    assert Camera(now=20).go_through(start=10, limit=0) == []


def test_one_step_goes_to_the_newest_frame():
    assert Camera(now=20).go_through(start=10, limit=1) == [20]


def test_many_frames_are_picked_in_equal_strides():
    assert Camera(now=100).go_through(start=0, limit=10) == [20, 40, 60, 80, 100]


def test_frames_that_come_meanwhile_are_gone_through_too():
    # The camera sends one frame in two steps, so the gap halves from round to round.
    seen = Camera(now=8, speed=0.5).go_through(start=0, limit=30)
    assert seen == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]


def test_a_slow_step_ends_within_the_gap_it_has_anyway():
    # Six frames come at each step. 30 steps alone would leave a gap of 180.
    camera = Camera(now=90, speed=6)
    seen = camera.go_through(start=0, limit=30)
    assert len(seen) <= 30
    assert camera.now - seen[-1] <= 6


@given(now=st.integers(0, 400), limit=st.integers(0, 60), speed=st.floats(0, 10))
def test_the_bounds_hold_for_any_camera(now, limit, speed):
    camera = Camera(now, speed)
    seen = camera.go_through(0, limit)
    assert len(seen) <= limit
    assert seen == sorted(set(seen))
    if limit and now:
        assert seen[-1] >= now


@given(items=st.lists(st.integers(), min_size=1, max_size=200), count=st.integers(1, 300))
def test_even_picking_keeps_order_count_and_the_last(items, count):
    places = evenly(range(len(items)), count)
    assert len(places) == min(count, len(items))
    assert places[-1] == len(items) - 1
    strides = [b - a for a, b in zip([-1, *places], places, strict=False)]
    assert max(strides) - min(strides) <= 1


def test_picking_none_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        evenly([1, 2], 0)
