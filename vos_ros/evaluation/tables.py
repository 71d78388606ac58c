# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The report of an evaluation for people and programs: terminal table, JSON and CSV."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vos_ros.evaluation.report import SCORES

_HEADINGS = {
    "j": "J",
    "f": "F",
    "jf": "J&F",
    "j_recall": "J rec",
    "j_decay": "J dec",
    "f_recall": "F rec",
    "f_decay": "F dec",
}


def write_json(path: Path, report: dict[str, Any]) -> None:
    """Writes the report; the folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=2, allow_nan=False)
    # Lists of numbers on one line: the scores of the frames would fill pages otherwise.
    text = re.sub(r"\[[-+.\deE,\s]*\]", lambda match: " ".join(match.group().split()), text)
    path.write_text(text + "\n", encoding="utf-8")


def write_csv(path: Path, report: dict[str, Any]) -> None:
    """Writes a row for each sequence and each of its objects, and a last one, named `overall`.

    The column `object` is empty in rows of whole sequences and the overall one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["sequence", "object", "frames", "frames_scored", *SCORES, "ms_per_frame"])
        for name, object_id, entry in _rows(report, every_object=True):
            timing = entry.get("ms_per_frame")
            writer.writerow(
                [
                    name,
                    object_id,
                    entry.get("frames", ""),
                    entry["frames_scored"],
                    *("" if entry[key] is None else f"{entry[key]:.4f}" for key in SCORES),
                    "" if timing is None else f"{timing['median']:.3f}",
                ]
            )


def format_table(report: dict[str, Any], measure: str = "J") -> str:
    """The scores as lines for a terminal, percent; the time is the median of `step`.

    A sequence of several objects has a line for each below its own. `measure` is what region
    similarity is called.
    """
    headings = {**_HEADINGS, "j": measure}
    rows = [["sequence", "frames", *headings.values(), "ms"]]
    for name, object_id, entry in _rows(report, every_object=False):
        timing = entry.get("ms_per_frame")
        rows.append(
            [
                f"  object {object_id}" if object_id else name,
                str(entry.get("frames", "")),
                *("-" if entry[key] is None else f"{entry[key]:.1f}" for key in SCORES),
                "-" if timing is None else f"{timing['median']:.1f}",
            ]
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in rows
    ]
    rule = "-" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _rows(report: dict[str, Any], every_object: bool) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, object id or nothing, and scores: the sequences, their objects, and all together.

    Objects that are alone in their sequence only with `every_object`.
    """
    for name, entry in report["sequences"].items():
        yield name, "", entry
        if every_object or len(entry["objects"]) > 1:
            for object_id, own in entry["objects"].items():
                yield name, object_id, own
    yield "overall", "", report
