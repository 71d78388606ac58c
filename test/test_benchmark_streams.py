# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What comes of the stamps sent and the masks that came back."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from vos_ros.benchmark import streams
from vos_ros.benchmark.errors import BenchmarkError
from vos_ros.benchmark.row import Row
from vos_ros.benchmark.streams import (
    StreamEffort,
    StreamRun,
    stream_row,
    stream_times,
    take_runs,
)

MS = 10**6  # nanoseconds
# Images at 50 Hz; the mask of the third is missing, and one of an image of the warm-up is there.
SENT = [1000 * MS, 1020 * MS, 1040 * MS, 1060 * MS, 1080 * MS]
ARRIVED = {980 * MS: 1001 * MS, 1000 * MS: 1012 * MS, 1020 * MS: 1031 * MS,
           1060 * MS: 1075 * MS, 1080 * MS: 1092 * MS}  # fmt: skip


def test_a_run_counts_the_timed_images_alone() -> None:
    run = StreamRun(SENT, ARRIVED)
    assert run.answered == [SENT[0], SENT[1], SENT[3], SENT[4]]
    assert run.latencies.tolist() == [12, 11, 15, 12]
    assert run.images_per_second == pytest.approx(50)
    assert run.masks_per_second == pytest.approx(3 / 0.080)


def test_one_image_has_no_rate() -> None:
    run = StreamRun(SENT[:1], ARRIVED)
    assert run.images_per_second is None and run.masks_per_second is None


def test_several_cameras_have_one_rate_and_their_masks_another() -> None:
    # Two cameras at 25 Hz, the second a millisecond after the first.
    sent = [stamp for k in range(6) for stamp in (40 * k * MS, (40 * k + 1) * MS)]
    run = StreamRun(sent, {stamp: stamp + 10 * MS for stamp in sent}, cameras=2)
    assert run.images_per_second == pytest.approx(25)
    assert run.masks_per_second == pytest.approx(11 / 0.201)
    assert run.latencies == pytest.approx(np.full(12, 10.0))


def test_a_row_has_totals_of_what_is_counted_and_medians_of_what_is_measured() -> None:
    runs = [
        StreamRun(SENT, ARRIVED, 3.0, (500.0, 510.0), 40.0, {"step_ms": 9.0, "wait_ms": 1.0}, 1),
        StreamRun(SENT, {}, 5.0, (520.0, 520.0), None, {"step_ms": 13.0}, 0),
        StreamRun(SENT, ARRIVED, 4.0, None, 10.0, {"step_ms": 10.0}, 2),
    ]
    row = stream_row(Row("node", model="m"), runs)
    assert (row.what, row.model) == ("node", "m")
    assert (row.sent, row.received, row.dropped, row.lost) == (15, 8, 7, 3)
    assert row.startup_ms == 4000
    assert (row.memory_start_mb, row.memory_end_mb) == (510, 515)
    assert row.memory_slope_mb_per_hour == 25
    assert (row.step_ms, row.wait_ms, row.publish_ms) == (10, 1, None)
    assert (row.camera_hz, row.fps) == (pytest.approx(50), pytest.approx(37.5))


def test_what_nothing_is_known_of_is_none() -> None:
    row = stream_row(Row("transport"), [StreamRun(SENT, ARRIVED)])
    assert row.startup_ms is row.memory_start_mb is row.memory_slope_mb_per_hour is row.lost is None
    assert row.step_ms is None and row.received == 4


def test_times_are_those_of_each_run() -> None:
    times = stream_times([StreamRun(SENT, ARRIVED), StreamRun(SENT[:2], ARRIVED)], operations=7)
    assert [turn.tolist() for turn in times.turns] == [[12, 11, 15, 12], [12, 11]]
    assert (times.operations, times.moved_bytes, times.first_ms) == (7, None, None)


def runner(calls: list[str], name: str, fails_at: int | None = None) -> Callable[[], StreamRun]:
    def run() -> StreamRun:
        if calls.count(name) == fails_at:
            raise BenchmarkError(f"{name} has died")
        calls.append(name)
        return StreamRun([calls.count(name)], {})

    return run


def test_runs_are_taken_there_and_back() -> None:
    calls, told = [], itertools.count()
    works = [runner(calls, name) for name in "abc"]
    runs, problem = take_runs(works, StreamEffort(runs=3), lambda: next(told))
    assert "".join(calls) == "abccbaabc" and problem is None
    assert [[run.sent for run in own] for own in runs] == [[[1], [2], [3]]] * 3
    assert next(told) == 9


def test_what_was_complete_before_something_died_is_kept() -> None:
    calls: list[str] = []
    works = [runner(calls, "a"), runner(calls, "b", fails_at=1), runner(calls, "c")]
    runs, problem = take_runs(works, StreamEffort(runs=3))
    assert problem == "b has died"
    assert [len(own) for own in runs] == [1, 1, 1]
    assert take_runs([runner(calls, "d", fails_at=0)], StreamEffort(runs=3)) == ([[]], "d has died")


@pytest.mark.parametrize(("limit", "rounds"), [(0.0, 1), (25.0, 2), (1e9, 4), (None, 4)])
def test_a_limit_of_time_ends_it_between_rounds(
    limit: float | None, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = itertools.count(0, 10)  # ten seconds from one look to the next
    monkeypatch.setattr(streams, "time", SimpleNamespace(monotonic=lambda: next(now)))
    runs, _ = take_runs([runner([], "a")], StreamEffort(runs=4, seconds=limit))
    assert np.shape(runs) == (1, rounds)
