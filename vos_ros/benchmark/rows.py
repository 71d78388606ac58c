# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From times to rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vos_ros.benchmark.row import Row
from vos_ros.benchmark.statistics import median_interval, paired_ratios, spread
from vos_ros.benchmark.timed import Timed

PROBES = ("product", "convolution", "copy", "host_copy")
"""Parts that are no work of ours: they tell what the machine can do."""


def timed_rows(
    rows: Sequence[Row], timed: Sequence[Timed], references: Sequence[int | None]
) -> list[Row]:
    """The rows with their times, and each set against another.

    Args:
        rows: what was timed.
        timed: what was found of each.
        references: for each, the index of the one that it is compared with; None for a probe.
    """
    complete = [_with_times(row, found) for row, found in zip(rows, timed, strict=True)]
    return [
        row if to is None else _with_ratio(row, timed[index], rows[to], timed[to])
        for index, (row, to) in enumerate(zip(complete, references, strict=True))
    ]


def with_ceilings(rows: Sequence[Row]) -> list[Row]:
    """The rows, each with its share of the best that a probe among them achieved."""
    rates: dict[tuple[str | None, int | None], float] = {}
    for row in rows:
        if row.what in PROBES and row.operations_per_s:
            key = (row.precision, row.threads)
            rates[key] = max(rates.get(key, 0.0), row.operations_per_s)
    # What moves memory does so on the host; the device's own copy is another one.
    copies = {row.what: row.bytes_per_s for row in rows if row.what in PROBES and row.bytes_per_s}
    copied = copies.get("host_copy", copies.get("copy"))
    return [_with_ceiling(row, rates, copied) for row in rows]


def _with_times(row: Row, found: Timed) -> Row:
    times = spread(np.concatenate(found.turns))
    seconds = times.median / 1e3
    moved, host = found.moved_bytes, found.host_turns
    parts: dict[str, Any] = dict(found.parts)
    return replace(
        row,
        calls=sum(len(turn) for turn in found.turns),
        first_ms=found.first_ms,
        median_ms=times.median,
        p95_ms=times.p95,
        p99_ms=times.p99,
        fps=row.fps or (None if row.what in PROBES else 1 / seconds),
        host_ms=None if host is None else float(np.median(np.concatenate(host))),
        operations=found.operations,
        operations_per_s=None if found.operations is None else found.operations / seconds,
        bytes_per_s=None if moved is None else moved / seconds,
        **parts,
    )


def _with_ratio(row: Row, own: Timed, reference: Row, other: Timed) -> Row:
    ratios = paired_ratios(own.turns, other.turns)
    found, interval = spread(ratios), median_interval(ratios)
    low, high = interval or (None, None)
    return replace(
        row,
        ratio=found.median, ratio_p5=found.p5, ratio_p95=found.p95,
        ratio_low=low, ratio_high=high, ratio_to=reference.label,
    )  # fmt: skip


def _with_ceiling(
    row: Row, rates: dict[tuple[str | None, int | None], float], copied: float | None
) -> Row:
    rate = rates.get((row.precision, row.threads))
    if row.operations_per_s is not None and rate is not None:
        return replace(row, ceiling_ratio=row.operations_per_s / rate)
    if row.bytes_per_s is not None and copied is not None and row.what not in PROBES:
        return replace(row, ceiling_ratio=row.bytes_per_s / copied)
    return row
