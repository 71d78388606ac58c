# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Taking turns: every work is timed for a moment, round after round, so that all share the weather.

A machine is now faster and now slower: it heats up, and other work comes and goes. Works timed one
after the other would each meet another machine; taking turns, they meet the same one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vos_ros.benchmark.operations import count_operations
from vos_ros.benchmark.work import Work

#: fewer do not give a spread
LEAST_ROUNDS = 2


@dataclass(frozen=True)
class Effort:
    """How much is timed.

    Attributes:
        rounds: turns of every work.
        calls: timed calls in a turn.
        warmup: calls of every work before the first round.
        seconds: after so long no further round begins, but for the first two; None for no limit.
    """

    rounds: int = 20
    calls: int = 5
    warmup: int = 5
    seconds: float | None = None


@dataclass(frozen=True)
class Timed:
    """What was found of one work.

    Attributes:
        first_ms: the very first call.
        operations: of one call, as `count_operations` counts.
        times: rounds x calls, milliseconds.
        host_times: the same until the call came back, or None where that is no other time.
    """

    first_ms: float
    operations: int
    times: np.ndarray
    host_times: np.ndarray | None


def take_turns(
    works: Sequence[Work], effort: Effort, on_turn: Callable[[], object] = lambda: None
) -> list[Timed]:
    """Time all works in turn.

    Every turn begins with a call that is not counted, which brings its weights back into the
    caches. Every other round goes backwards, so that none is always timed after the same one.

    Args:
        works: in the order of the result.
        effort: how much.
        on_turn: called after every turn, and after the warm-up of every work.
    """
    firsts, operations = [], []
    for work in works:
        firsts.append(work.clock(work.call).ms)
        operations.append(count_operations(work.call))
        for _ in range(effort.warmup):
            work.call()
        on_turn()
    turns: list[list] = [[] for _ in works]
    began = time.monotonic()
    for number in range(effort.rounds):
        late = effort.seconds is not None and time.monotonic() - began > effort.seconds
        if late and number >= LEAST_ROUNDS:
            break
        for index in _order(len(works), number):
            turns[index].append(_turn(works[index], effort.calls))
            on_turn()
    return [
        Timed(first, count, *_arrays(own))
        for first, count, own in zip(firsts, operations, turns, strict=True)
    ]


def _order(count: int, number: int) -> range:
    return range(count) if number % 2 == 0 else range(count - 1, -1, -1)


def _turn(work: Work, calls: int) -> list:
    work.clock(work.call)
    return [work.clock(work.call) for _ in range(calls)]


def _arrays(turns: list[list]) -> tuple[np.ndarray, np.ndarray | None]:
    times = np.array([[duration.ms for duration in turn] for turn in turns])
    if turns[0][0].host_ms is None:
        return times, None
    return times, np.array([[duration.host_ms for duration in turn] for turn in turns])
