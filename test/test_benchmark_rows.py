# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From times to rows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vos_ros.benchmark.clock import host_clock
from vos_ros.benchmark.rotation import Timed
from vos_ros.benchmark.rows import complete_rows
from vos_ros.benchmark.work import Row, Work

RANDOM = np.random.default_rng(3)
TIMES = [RANDOM.lognormal(level, 0.3, (7, 5)) for level in (1, 2, 3, 4, 5, 6)]


def work(row: Row, moved: int | None = None) -> Work:
    return Work(row, lambda: None, host_clock, moved)


WORKS = [
    work(Row("network", model="m", precision="fp32")),
    work(Row("segmenter", model="m", precision="fp32")),
    work(Row("segmenter", model="m", precision="fp16")),
    work(Row("product", precision="fp32")),
    work(Row("convolution", precision="fp32")),
    work(Row("copy"), moved=1000),
]
OPERATIONS = [10**6, 10**6, 10**6, 8 * 10**9, 7 * 10**9, 0]
TIMED = [Timed(9.0, n, t, None) for n, t in zip(OPERATIONS, TIMES, strict=True)]
REFERENCES = [0, 1, 1, None, None, None]


@pytest.fixture
def rows() -> list[Row]:
    return complete_rows(WORKS, TIMED, REFERENCES)


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
    assert all(row.ratio is None and row.ratio_to is None for row in rows[3:])


def test_the_ceiling_is_the_best_probe_of_the_precision(rows: list[Row]) -> None:
    rates = [n / np.median(t) * 1e3 for n, t in zip(OPERATIONS, TIMES, strict=True)]
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


def test_frames_a_second_are_of_what_takes_frames(rows: list[Row]) -> None:
    for row in rows[:3]:
        assert row.fps == pytest.approx(1000 / row.median_ms)
    assert all(row.fps is None for row in rows[3:])


def test_the_time_of_the_host_is_a_median_of_its_own() -> None:
    timed = [dataclasses.replace(TIMED[0], host_times=TIMES[0] / 4)]
    (row,) = complete_rows(WORKS[:1], timed, [0])
    assert row.host_ms == pytest.approx(np.median(TIMES[0]) / 4)
