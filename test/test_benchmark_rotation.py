# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Taking turns, by a clock that the test winds."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vos_ros.benchmark.calls import rotation
from vos_ros.benchmark.calls.clock import Duration, host_clock
from vos_ros.benchmark.calls.rotation import Effort, take_turns
from vos_ros.benchmark.calls.work import Work
from vos_ros.benchmark.row import Row


class Stage:
    """Works whose calls are written down, each with a clock that numbers its own readings."""

    def __init__(self, host: bool = False) -> None:
        self.calls: list[str] = []
        self.host = host

    def work(self, name: str) -> Work:
        readings = iter(range(10_000))

        def clock(call: Callable[[], object]) -> Duration:
            call()
            number = next(readings)
            return Duration(float(number), number / 2 if self.host else None)

        return Work(Row(name), lambda: self.calls.append(name), clock)


def test_turns_are_taken_there_and_back() -> None:
    stage = Stage()
    take_turns([stage.work(name) for name in "abc"], Effort(rounds=3, calls=2, warmup=1))
    before = "aaabbbccc"  # the first call, the counted one, the warm-up
    turn = {name: 3 * name for name in "abc"}  # one that is not counted, and two
    there = "".join(turn[name] for name in "abc")
    back = "".join(turn[name] for name in "cba")
    assert "".join(stage.calls) == before + there + back + there


def test_neither_warm_up_nor_the_first_of_a_turn_is_in_the_times() -> None:
    stage = Stage()
    effort = Effort(rounds=2, calls=3, warmup=4)
    for timed in take_turns([stage.work("a"), stage.work("b")], effort):
        assert timed.first_ms == 0
        # Reading 0 was the very first call; the warm-up is not read; 1 and 5 begin turns.
        assert np.array_equal(timed.turns, [[2, 3, 4], [6, 7, 8]])
        assert timed.host_turns is None and timed.parts == {}


def test_times_of_the_host_are_kept_where_there_are_any() -> None:
    stage = Stage(host=True)
    (timed,) = take_turns([stage.work("a")], Effort(rounds=2, calls=1, warmup=1))
    assert np.array_equal(timed.host_turns, np.divide(timed.turns, 2))


def test_every_turn_is_told_and_every_warm_up() -> None:
    stage, told = Stage(), []
    works = [stage.work("a"), stage.work("b")]
    take_turns(works, Effort(rounds=4, calls=1, warmup=1), lambda: told.append(len(stage.calls)))
    assert len(told) == 2 * (1 + 4)
    assert told == sorted(told)


@pytest.mark.parametrize(("limit", "rounds"), [(0.0, 2), (35.0, 3), (1e9, 9), (None, 9)])
def test_a_limit_of_time_ends_it_between_rounds(
    limit: float | None, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = itertools.count(0, 10)  # ten seconds from one look to the next
    monkeypatch.setattr(rotation, "time", SimpleNamespace(monotonic=lambda: next(now)))
    stage = Stage()
    effort = Effort(rounds=9, calls=2, warmup=1, seconds=limit)
    for timed in take_turns([stage.work("a"), stage.work("b")], effort):
        assert np.shape(timed.turns) == (rounds, 2)


def test_parts_are_the_medians_over_what_is_timed() -> None:
    stage = Stage()
    work = stage.work("a")
    # Of the number of calls so far: one first, one counted, two of warm-up; then two turns.
    parts = replace(work, parts=lambda: {"step_ms": float(len(stage.calls))})
    (timed,) = take_turns([parts], Effort(rounds=2, calls=2, warmup=2))
    timed_calls = [6, 7, 9, 10]
    assert timed.parts == {"step_ms": np.median(timed_calls)}


def test_operations_are_counted_given_or_none() -> None:
    stage = Stage()
    counted = replace(stage.work("a"), call=lambda: torch.ones(3, 4) @ torch.ones(4, 5))
    given = replace(stage.work("b"), operations=77)
    moving = replace(stage.work("c"), moved_bytes=12)
    found = take_turns([counted, given, moving], Effort(rounds=2, calls=1, warmup=1))
    assert [timed.operations for timed in found] == [2 * 3 * 4 * 5, 77, None]
    assert [timed.moved_bytes for timed in found] == [None, None, 12]


def test_every_work_has_its_own_number_of_threads() -> None:
    before = torch.get_num_threads()
    seen: list[tuple[int | None, int]] = []

    def work(threads: int | None) -> Work:
        call = lambda: seen.append((threads, torch.get_num_threads()))  # noqa: E731
        return Work(Row("network", threads=threads), call, host_clock)

    try:
        take_turns([work(2), work(1), work(None)], Effort(rounds=2, calls=1, warmup=1))
    finally:
        torch.set_num_threads(before)
    assert {(wanted, found) for wanted, found in seen if wanted} == {(2, 2), (1, 1)}
