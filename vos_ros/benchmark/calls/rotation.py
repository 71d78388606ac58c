# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Taking turns: every work is timed for a moment, round after round, so that all share the weather.

A machine is now faster and now slower: it heats up, and other work comes and goes. Works timed one
after the other would each meet another machine; taking turns, they meet the same one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from vos_ros.benchmark.calls.clock import Duration
from vos_ros.benchmark.calls.operations import count_operations
from vos_ros.benchmark.calls.work import Work
from vos_ros.benchmark.timed import Timed, there_and_back

#: fewer do not give a spread
LEAST_ROUNDS = 2

_Turn = list[tuple[Duration, Mapping[str, float]]]
"""Of each timed call, how long it took and what it was made up of."""


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
        _use_threads(work)
        firsts.append(work.clock(work.call).ms)
        operations.append(_operations(work))
        for _ in range(effort.warmup):
            work.call()
        on_turn()
    turns: list[list[_Turn]] = [[] for _ in works]
    began = time.monotonic()
    for number in range(effort.rounds):
        late = effort.seconds is not None and time.monotonic() - began > effort.seconds
        if late and number >= LEAST_ROUNDS:
            break
        for index in there_and_back(len(works), number):
            turns[index].append(_turn(works[index], effort.calls))
            on_turn()
    return [
        Timed(_times(own), first, _host_times(own), count, work.moved_bytes, _parts(own))
        for first, count, own, work in zip(firsts, operations, turns, works, strict=True)
    ]


def _operations(work: Work) -> int | None:
    if work.moved_bytes is not None:
        return None
    return count_operations(work.call) if work.operations is None else work.operations


def _use_threads(work: Work) -> None:
    # Setting them anew costs time even when they are as they were.
    if work.row.threads not in (None, torch.get_num_threads()):
        torch.set_num_threads(work.row.threads)


def _turn(work: Work, calls: int) -> _Turn:
    _use_threads(work)
    work.clock(work.call)
    return [(work.clock(work.call), work.parts()) for _ in range(calls)]


def _times(turns: Sequence[_Turn]) -> list[np.ndarray]:
    return [np.array([duration.ms for duration, _ in turn]) for turn in turns]


def _host_times(turns: Sequence[_Turn]) -> list[np.ndarray] | None:
    if turns[0][0][0].host_ms is None:
        return None
    return [np.array([duration.host_ms for duration, _ in turn]) for turn in turns]


def _parts(turns: Sequence[_Turn]) -> dict[str, float]:
    """The median of each part."""
    told = [parts for turn in turns for _, parts in turn]
    return {name: float(np.median([parts[name] for parts in told])) for name in told[0]}
