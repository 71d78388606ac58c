# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was found, for people and for programs: tables for a terminal and in Markdown, and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from vos_ros.benchmark.session import Outcome
from vos_ros.benchmark.work import Row

Column = tuple[str, Callable[[Row], str]]


def as_json(outcome: Outcome) -> dict:
    """`rows`, each with the same keys, beside what they were measured with."""
    return {**outcome.about, "rows": [asdict(row) for row in outcome.rows]}


def write_json(path: Path, outcome: Outcome) -> None:
    """Writes `as_json`."""
    path.write_text(json.dumps(as_json(outcome), indent=2) + "\n", encoding="utf-8")


def write_markdown(path: Path, outcome: Outcome) -> None:
    """Writes `markdown_text`."""
    path.write_text(markdown_text(outcome), encoding="utf-8")


def terminal_text(outcome: Outcome) -> str:
    """Everything as lines for a terminal."""
    blocks = ["\n".join(_circumstances(outcome))]
    blocks += [_aligned(_cells(columns, rows)) for columns, rows in _tables(outcome)]
    blocks += _notes(outcome)
    return "\n\n".join(blocks)


def markdown_text(outcome: Outcome) -> str:
    """Everything as a section of a document."""
    first, *others = _circumstances(outcome)
    blocks = [f"## Measured on {first}", "\n".join(f"- {line}" for line in others)]
    blocks += [_markdown_table(_cells(columns, rows)) for columns, rows in _tables(outcome)]
    blocks += _notes(outcome)
    return "\n\n".join(blocks) + "\n"


def _circumstances(outcome: Outcome) -> list[str]:
    """The machine, then how it was measured, a line each."""
    about, effort = outcome.about, outcome.about["effort"]
    hardware, versions = about["hardware"], about["versions"]
    cpu = f"{hardware['cpu']}, {hardware['cores']} cores"
    names = ("vos_ros", "torch", "python", "numpy", "opencv")
    return [
        f"{hardware['gpu']} ({cpu})" if hardware["gpu"] else cpu,
        f"device {about['device']}, threads {about['threads']}; "
        f"load average before the run {about['load_before']}",
        ", ".join(f"{name} {versions[name]}" for name in names if versions.get(name)),
        f"{effort['rounds']} rounds, in each {effort['calls']} timed calls of every row in turn; "
        f"{effort['warmup']} calls of warm-up before",
        *(_model_line(name, facts) for name, facts in about["models"].items()),
    ]


def _model_line(name: str, facts: dict) -> str:
    trained = f"sha256 {facts['sha256'][:12]}" if facts["sha256"] else "random weights"
    backbone = facts["config"].get("backbone", "no backbone")
    return (
        f"{name}: {facts['model']} on {backbone}, {facts['parameters'] / 1e6:.2f} M parameters, "
        f"{trained}"
    )


def _tables(outcome: Outcome) -> list[tuple[list[Column], list[Row]]]:
    tables = [(_part_columns(outcome.parts), outcome.parts)]
    if outcome.probes:
        tables.append((_PROBE_COLUMNS, outcome.probes))
    return tables


def _part_columns(rows: Sequence[Row]) -> list[Column]:
    """Those columns that tell something about these rows."""
    columns: list[Column] = [
        ("what", lambda row: row.what),
        ("model", lambda row: row.model or ""),
        ("precision", lambda row: row.precision or ""),
        ("size", lambda row: row.size or ""),
        ("input", lambda row: row.input or ""),
        ("objects", lambda row: str(row.objects)),
    ]
    if any(row.variant for row in rows):
        columns.insert(0, ("side", lambda row: row.variant or ""))
    columns += [
        ("median ms", lambda row: f"{row.median_ms:.2f}"),
        ("p95", lambda row: f"{row.p95_ms:.2f}"),
        ("p99", lambda row: f"{row.p99_ms:.2f}"),
        ("fps", lambda row: f"{row.fps:.1f}"),
    ]
    if any(row.host_ms is not None for row in rows):
        columns.append(("host ms", lambda row: _number(row.host_ms, ".2f")))
    columns += [
        ("ratio", _ratio),
        ("GFLOP", lambda row: _number(row.operations, ".2f", 1e9)),
        ("GFLOP/s", lambda row: _number(row.operations_per_s, ".1f", 1e9)),
        ("of ceiling", lambda row: _number(row.ceiling_ratio, ".1%")),
        ("state bytes", _state),
    ]
    return columns


_PROBE_COLUMNS: list[Column] = [
    ("ceiling", lambda row: row.what),
    ("precision", lambda row: row.precision or "-"),
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
    same = row.state_bytes == row.state_bytes_formula
    return f"{row.state_bytes}" + ("" if same else f" (formula: {row.state_bytes_formula})")


def _notes(outcome: Outcome) -> list[str]:
    """What the columns mean, as far as their heads do not say it."""
    compared = "the first side" if any(row.variant for row in outcome.parts) else "the first row"
    notes = [
        f"ratio: time over that of {compared} of the same part, median over the rounds "
        "(5th to 95th percentile).",
        "state bytes: for one object.",
    ]
    if outcome.probes:
        notes.insert(1, "of ceiling: GFLOP/s over the best of the probes in the same precision.")
    return ["\n".join(notes)]


def _cells(columns: Sequence[Column], rows: Sequence[Row]) -> list[list[str]]:
    return [[head for head, _ in columns], *([cell(row) for _, cell in columns] for row in rows)]


def _aligned(cells: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in cells]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _markdown_table(cells: Sequence[Sequence[str]]) -> str:
    head, *body = ("| " + " | ".join(line) + " |" for line in cells)
    return "\n".join([head, "|" + "---|" * len(cells[0]), *body])
