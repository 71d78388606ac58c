# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which rows and columns each table has, and how their figures are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vos_ros.benchmark.row import PARTS_OF_A_FRAME, Row
from vos_ros.benchmark.session import Outcome

Column = tuple[str, Callable[[Row], str]]


def tables_of(outcome: Outcome) -> list[list[list[str]]]:
    """Each table as lines of cells, the heads first."""
    tables = [
        (_call_columns(outcome.calls), outcome.calls),
        (_stream_columns(outcome.streams), outcome.streams),
        (
            _PART_COLUMNS,
            [row for row in (*outcome.calls, *outcome.streams) if _is_taken_apart(row)],
        ),
        (_PROBE_COLUMNS, outcome.probes),
    ]
    return [_cells(columns, rows) for columns, rows in tables if rows]


def _call_columns(rows: Sequence[Row]) -> list[Column]:
    """Those columns that tell something about these rows."""
    return [
        *_settings(rows),
        *_times(rows),
        *_if_any(rows, "host ms", lambda row: row.host_ms, lambda row: _number(row.host_ms, ".2f")),
        ("ratio", _ratio),
        ("GFLOP", lambda row: _number(row.operations, ".2f", 1e9)),
        ("GFLOP/s", lambda row: _number(row.operations_per_s, ".1f", 1e9)),
        ("of ceiling", lambda row: _number(row.ceiling_ratio, ".1%")),
        ("state bytes", _state),
    ]


def _stream_columns(rows: Sequence[Row]) -> list[Column]:
    return [
        *_settings(rows),
        ("camera Hz", lambda row: _number(row.camera_hz, ".1f")),
        ("sent", lambda row: str(row.sent)),
        ("received", lambda row: str(row.received)),
        ("dropped", lambda row: str(row.dropped)),
        *_times(rows),
        ("ratio", _ratio),
        ("of ceiling", lambda row: _number(row.ceiling_ratio, ".1%")),
        ("start-up s", lambda row: _number(row.startup_ms, ".2f", 1e3)),
        ("memory MB", _memory),
    ]


def _is_taken_apart(row: Row) -> bool:
    return any(getattr(row, part) is not None for part in PARTS_OF_A_FRAME)


def _settings(rows: Sequence[Row]) -> list[Column]:
    several = {row.threads for row in rows if row.threads}
    runtimes = {row.runtime for row in rows if row.runtime}
    several_cameras = any(row.cameras and row.cameras > 1 for row in rows)
    return [
        *_if_any(rows, "side", lambda row: row.variant, lambda row: row.variant or ""),
        ("what", lambda row: row.what),
        ("model", lambda row: row.model or "-"),
        ("precision", lambda row: row.precision or "-"),
        *([("runtime", lambda row: row.runtime or "-")] if len(runtimes) > 1 else []),
        *([("threads", lambda row: str(row.threads or "-"))] if len(several) > 1 else []),
        ("size", lambda row: row.size or ""),
        ("input", lambda row: row.input or "-"),
        ("objects", lambda row: str(row.objects or "-")),
        *([("cameras", lambda row: str(row.cameras or "-"))] if several_cameras else []),
    ]


def _times(rows: Sequence[Row]) -> list[Column]:
    return [
        ("median ms", lambda row: f"{row.median_ms:.2f}"),
        ("p95", lambda row: f"{row.p95_ms:.2f}"),
        ("p99", lambda row: f"{row.p99_ms:.2f}"),
        ("fps", lambda row: _number(row.fps, ".1f")),
    ]


def _if_any(
    rows: Sequence[Row], head: str, value: Callable[[Row], object], cell: Callable[[Row], str]
) -> list[Column]:
    return [(head, cell)] if any(value(row) is not None for row in rows) else []


_PART_COLUMNS: list[Column] = [
    ("parts of a frame, ms", lambda row: row.label),
    *(
        (part.removesuffix("_ms"), lambda row, part=part: _number(getattr(row, part), ".2f"))
        for part in PARTS_OF_A_FRAME
    ),
]

_PROBE_COLUMNS: list[Column] = [
    ("ceiling", lambda row: row.what),
    ("precision", lambda row: row.precision or "-"),
    ("threads", lambda row: str(row.threads or "-")),
    ("size", lambda row: row.size or ""),
    ("median ms", lambda row: f"{row.median_ms:.2f}"),
    ("p95", lambda row: f"{row.p95_ms:.2f}"),
    ("GFLOP/s", lambda row: _number(row.operations_per_s, ".1f", 1e9)),
    ("GB/s", lambda row: _number(row.bytes_per_s, ".1f", 1e9)),
]


def _number(value: float | None, form: str, unit: float = 1.0) -> str:
    return "-" if value is None else format(value / unit, form)


def _ratio(row: Row) -> str:
    return f"{row.ratio:.3f} ({row.ratio_p5:.3f}..{row.ratio_p95:.3f})"


def _state(row: Row) -> str:
    if row.state_bytes is None:
        return "-"
    same = row.state_bytes == row.state_bytes_formula
    return f"{row.state_bytes}" + ("" if same else f" (formula: {row.state_bytes_formula})")


def _memory(row: Row) -> str:
    if row.memory_start_mb is None or row.memory_end_mb is None:
        return "-"
    text = f"{row.memory_start_mb:.0f} to {row.memory_end_mb:.0f}"
    slope = row.memory_slope_mb_per_hour
    return text if slope is None else f"{text}, {slope:+.0f} an hour"


def _cells(columns: Sequence[Column], rows: Sequence[Row]) -> list[list[str]]:
    return [[head for head, _ in columns], *([cell(row) for _, cell in columns] for row in rows)]
