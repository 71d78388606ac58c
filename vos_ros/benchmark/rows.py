# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From times to rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vos_ros.benchmark.rotation import Timed
from vos_ros.benchmark.statistics import paired_ratio, spread
from vos_ros.benchmark.work import Row, Work


def complete_rows(
    works: Sequence[Work], timed: Sequence[Timed], references: Sequence[int | None]
) -> list[Row]:
    """The rows of all works with their figures.

    Args:
        works: what was timed.
        timed: what was found of each.
        references: for each, the index of the one that it is compared with; None for a probe.
    """
    rows = [_row(work, found) for work, found in zip(works, timed, strict=True)]
    for index, reference in enumerate(references):
        if reference is not None:
            ratio = paired_ratio(timed[index].times, timed[reference].times)
            rows[index] = replace(
                rows[index],
                ratio=ratio.median, ratio_p5=ratio.p5, ratio_p95=ratio.p95,
                ratio_to=works[reference].row.label,
            )  # fmt: skip
    ceilings = peaks([row for row, ref in zip(rows, references, strict=True) if ref is None])
    return [_with_ceiling(row, ceilings) for row in rows]


def peaks(probes: Sequence[Row]) -> dict[str, float]:
    """The most operations a second that any probe achieved, by precision."""
    best: dict[str, float] = {}
    for row in probes:
        if row.precision and row.operations_per_s:
            best[row.precision] = max(best.get(row.precision, 0.0), row.operations_per_s)
    return best


def _row(work: Work, found: Timed) -> Row:
    times = spread(found.times)
    seconds = times.median / 1e3
    moved = work.moved_bytes
    return replace(
        work.row,
        calls=found.times.size,
        first_ms=found.first_ms,
        median_ms=times.median,
        p95_ms=times.p95,
        p99_ms=times.p99,
        fps=None if work.row.model is None else 1 / seconds,
        host_ms=None if found.host_times is None else float(np.median(found.host_times)),
        operations=found.operations if moved is None else None,
        operations_per_s=found.operations / seconds if moved is None else None,
        bytes_per_s=None if moved is None else moved / seconds,
    )


def _with_ceiling(row: Row, ceilings: dict[str, float]) -> Row:
    if row.operations_per_s is None or row.precision not in ceilings:
        return row
    return replace(row, ceiling_ratio=row.operations_per_s / ceilings[row.precision])
