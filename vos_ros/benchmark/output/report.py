# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was found, for people and for programs: tables for a terminal and in Markdown, and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vos_ros.benchmark.output.tables import tables_of
from vos_ros.benchmark.row import Row
from vos_ros.benchmark.session import Outcome


def as_json(outcome: Outcome) -> dict[str, Any]:
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
    blocks += [_aligned(cells) for cells in tables_of(outcome)]
    blocks += _notes(outcome)
    return "\n\n".join(blocks)


def markdown_text(outcome: Outcome) -> str:
    """Everything as a section of a document."""
    first, *others = _circumstances(outcome)
    blocks = [f"## Measured on {first}", "\n".join(f"- {line}" for line in others)]
    blocks += [_markdown_table(cells) for cells in tables_of(outcome)]
    blocks += _notes(outcome)
    return "\n\n".join(blocks) + "\n"


def _circumstances(outcome: Outcome) -> list[str]:
    """The machine, then how it was measured, a line each."""
    about, effort, streams = outcome.about, outcome.about["effort"], outcome.about["streams"]
    hardware, versions = about["hardware"], about["versions"]
    cpu = f"{hardware['cpu']}, {hardware['cores']} cores"
    names = ("vos_ros", "torch", "python", "numpy", "opencv")
    return [
        f"{hardware['gpu']} ({cpu})" if hardware["gpu"] else cpu,
        f"device {about['device']}, threads {', '.join(map(str, about['threads']))}; "
        f"load average before the run {about['load_before']}",
        ", ".join(f"{name} {versions[name]}" for name in names if versions.get(name)),
        f"calls: {effort['rounds']} rounds, in each {effort['calls']} timed calls of every row in "
        f"turn; {effort['warmup']} calls of warm-up before",
        f"streams: {streams['runs']} runs of every row in turn, each with new processes; in each "
        f"{streams['frames']} timed images at {streams['rate']:g} Hz, {streams['warmup']} masks of "
        "warm-up before",
        *(_model_line(name, facts) for name, facts in about["models"].items()),
    ]


def _model_line(name: str, facts: dict[str, Any]) -> str:
    trained = f"sha256 {facts['sha256'][:12]}" if facts["sha256"] else "random weights"
    backbone = facts["config"].get("backbone", "no backbone")
    return (
        f"{name}: {facts['model']} on {backbone}, {facts['parameters'] / 1e6:.2f} M parameters, "
        f"{trained}"
    )


def _notes(outcome: Outcome) -> list[str]:
    """What the columns mean, as far as their heads do not say it; and what is missing."""
    parts = [*outcome.calls, *outcome.streams]
    compared = "the first side" if any(row.variant for row in parts) else "the first row"
    notes = [
        f"ratio: time over that of {compared} of the same part, median over the rounds "
        "(5th to 95th percentile).",
        *_confidence(parts),
    ]
    if outcome.probes:
        notes.append(
            "of ceiling: GFLOP/s over the best of the probes in the same precision; of what only "
            "moves memory, bytes a second over those of the copy."
        )
    if outcome.calls:
        notes.append("state bytes: for one object.")
    if outcome.streams:
        notes.append(
            "node, transport: from an image's stamp to its mask in a subscriber's hands; fps is of "
            "masks that came."
        )
    if outcome.problem:
        notes.append(f"MISSING: {outcome.problem}")
    return ["\n".join(notes)]


def _confidence(rows: Sequence[Row]) -> list[str]:
    """Where the ratios of a comparison lie."""
    return [
        f"{row.what} {row.size}, {row.variant}: ratio {row.ratio:.3f}, with 95 % confidence "
        f"{row.ratio_low:.3f} to {row.ratio_high:.3f}."
        for row in rows
        if row.variant and row.label != row.ratio_to and row.ratio_low is not None
    ]


def _aligned(cells: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in cells]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _markdown_table(cells: Sequence[Sequence[str]]) -> str:
    head, *body = ("| " + " | ".join(line) + " |" for line in cells)
    return "\n".join([head, "|" + "---|" * len(cells[0]), *body])
