# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From times to rows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vos_ros.benchmark.row import Row
from vos_ros.benchmark.rows import timed_rows, with_ceilings
from vos_ros.benchmark.timed import Timed

RANDOM = np.random.default_rng(3)
TIMES = [RANDOM.lognormal(level, 0.3, (7, 5)) for level in (1, 2, 3, 4, 5, 6, 7)]
ROWS = [
    Row("network", model="m", precision="fp32", threads=2),
    Row("segmenter", model="m", precision="fp32", threads=2),
    Row("segmenter", model="m", precision="fp16", threads=2),
    Row("product", precision="fp32", threads=2),
    Row("convolution", precision="fp32", threads=2),
    Row("copy", threads=2),
    Row("conversion"),
]
OPERATIONS = [10**6, 10**6, 10**6, 8 * 10**9, 7 * 10**9, None, None]
MOVED = [None, None, None, None, None, 1000, 300]
PARTS = [{}, {"step_ms": 3.5, "upload_ms": 0.5}, {}, {}, {}, {}, {}]
TIMED = [
    Timed(list(t), 9.0, operations=n, moved_bytes=m, parts=p)
    for t, n, m, p in zip(TIMES, OPERATIONS, MOVED, PARTS, strict=True)
]
REFERENCES = [0, 1, 1, None, None, None, 6]


@pytest.fixture
def rows() -> list[Row]:
    return with_ceilings(timed_rows(ROWS, TIMED, REFERENCES))


def test_times_agree_with_numpy(rows: list[Row]) -> None:
    for row, times in zip(rows, TIMES, strict=True):
        assert row.calls == 35
        assert row.first_ms == 9
        assert row.median_ms == pytest.approx(np.median(times))
        assert row.p95_ms == pytest.approx(np.quantile(times, 0.95))
        assert row.p99_ms == pytest.approx(np.quantile(times, 0.99))


def test_ratios_are_to_the_row_referred_to(rows: list[Row]) -> None:
    assert (rows[1].ratio, rows[1].ratio_p5, rows[1].ratio_p95) == (1, 1, 1)
    each = np.median(TIMES[2], axis=1) / np.median(TIMES[1], axis=1)
    assert rows[2].ratio == pytest.approx(np.median(each))
    assert rows[2].ratio_p5 == pytest.approx(np.quantile(each, 0.05))
    assert rows[2].ratio_p95 == pytest.approx(np.quantile(each, 0.95))
    assert rows[2].ratio_to == "segmenter, m, fp32"
    assert (rows[2].ratio_low, rows[2].ratio_high) == (min(each), max(each))  # of seven
    assert all(row.ratio is None and row.ratio_to is None for row in rows[3:6])


def test_the_ceiling_is_the_best_probe_of_the_precision(rows: list[Row]) -> None:
    rates = [n / np.median(t) * 1e3 for n, t in zip(OPERATIONS[:5], TIMES[:5], strict=True)]
    best = max(rates[3], rates[4])
    for index in (0, 1, 3, 4):
        assert rows[index].operations_per_s == pytest.approx(rates[index])
        assert rows[index].ceiling_ratio == pytest.approx(rates[index] / best)
    assert max(rows[3].ceiling_ratio, rows[4].ceiling_ratio) == 1
    # Nothing was probed in fp16, and a copy does not calculate.
    assert rows[2].ceiling_ratio is None and rows[2].operations_per_s is not None
    assert rows[5].ceiling_ratio is None and rows[5].operations is None


def test_a_copy_is_told_in_bytes(rows: list[Row]) -> None:
    assert rows[5].bytes_per_s == pytest.approx(1000 / np.median(TIMES[5]) * 1e3)
    assert all(row.bytes_per_s is None for row in rows[:5])


def test_what_moves_memory_is_measured_by_the_copy(rows: list[Row]) -> None:
    rate = 300 / np.median(TIMES[6]) * 1e3
    assert rows[6].bytes_per_s == pytest.approx(rate)
    assert rows[6].ceiling_ratio == pytest.approx(rate / rows[5].bytes_per_s)
    assert rows[6].operations is rows[6].operations_per_s is None


def test_on_a_device_what_the_host_does_is_measured_by_the_hosts_copy() -> None:
    known = [*ROWS, Row("host_copy")]
    timed = [*TIMED, Timed(list(TIMES[0]), 9.0, moved_bytes=500)]
    rows = with_ceilings(timed_rows(known, timed, [*REFERENCES, None]))
    assert rows[6].ceiling_ratio == pytest.approx(rows[6].bytes_per_s / rows[7].bytes_per_s)


def test_a_probe_counts_for_as_many_threads_as_it_had(rows: list[Row]) -> None:
    other = [dataclasses.replace(row, threads=1) if row.what == "network" else row for row in rows]
    other = [dataclasses.replace(row, ceiling_ratio=None) for row in other]
    assert [row.ceiling_ratio is None for row in with_ceilings(other)] == [
        True, False, True, False, False, True, False
    ]  # fmt: skip


def test_parts_are_in_their_columns(rows: list[Row]) -> None:
    assert (rows[1].upload_ms, rows[1].step_ms, rows[1].download_ms) == (0.5, 3.5, None)


def test_turns_of_a_stream_need_not_be_of_one_length() -> None:
    turns = [np.array([1.0, 2, 3]), np.array([10.0, 20])]
    (row,) = timed_rows([Row("node", fps=12.5)], [Timed(turns)], [0])
    assert (row.calls, row.median_ms, row.first_ms) == (5, 3, None)
    assert row.fps == 12.5  # masks that came; not one over the time that each took
    assert row.ratio_low is None  # two runs say nothing of where the ratio lies


def test_frames_a_second_are_of_what_takes_frames(rows: list[Row]) -> None:
    for row in (*rows[:3], rows[6]):
        assert row.fps == pytest.approx(1000 / row.median_ms)
    assert all(row.fps is None for row in rows[3:6])


def test_the_time_of_the_host_is_a_median_of_its_own() -> None:
    timed = [dataclasses.replace(TIMED[0], host_turns=list(TIMES[0] / 4))]
    (row,) = timed_rows(ROWS[:1], timed, [0])
    assert row.host_ms == pytest.approx(np.median(TIMES[0]) / 4)
