# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an evaluation came to, for people and for programs: table, JSON and CSV; all in percent."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from vos_ros.evaluation.measures import statistics
from vos_ros.evaluation.runner import SequenceResult

SCORES = ("j", "f", "jf", "j_recall", "j_decay", "f_recall", "f_decay")
"""Keys of the scores, percent, per sequence and overall. `jf` is the mean of `j` and `f`."""

_HEADINGS = {"j": "J", "f": "F", "jf": "J&F", "j_recall": "J rec", "j_decay": "J dec",
             "f_recall": "F rec", "f_decay": "F dec"}


def build_report(results: Sequence[SequenceResult], about: dict) -> dict:
    """The whole report as plain values that JSON can hold.

    The overall scores are means over the sequences. `about` says what was run and on what; its
    keys stand beside them. Raises ValueError when there is no result.
    """
    if not results:
        raise ValueError("there is no sequence to report on; at least one result is needed")
    sequences = {result.name: _sequence_report(result) for result in results}
    overall = {key: float(np.mean([entry[key] for entry in sequences.values()]))
               for key in SCORES}
    return {
        **overall,
        "frames": sum(result.frames for result in results),
        "frames_scored": sum(len(result.scored) for result in results),
        "ms_per_frame": _timing([ms for result in results for ms in result.step_ms]),
        **about,
        "sequences": sequences,
    }


def _sequence_report(result: SequenceResult) -> dict:
    j, f = statistics(result.j), statistics(result.f)
    scores = {
        "j": j.mean, "f": f.mean, "jf": (j.mean + f.mean) / 2,
        "j_recall": j.recall, "j_decay": j.decay, "f_recall": f.recall, "f_decay": f.decay,
    }
    return {
        **{key: 100 * value for key, value in scores.items()},
        "frames": result.frames,
        "frames_scored": len(result.scored),
        "image_size": [result.width, result.height],
        "ms_per_frame": _timing(result.step_ms),
        "per_frame": {
            "index": list(result.scored),
            "j": [round(100 * value, 4) for value in result.j],
            "f": [round(100 * value, 4) for value in result.f],
        },
    }


def _timing(step_ms: Iterable[float]) -> dict[str, float] | None:
    """Milliseconds of `step`; None where no network ran."""
    values = np.asarray(list(step_ms))
    if values.size == 0:
        return None
    return {
        "median": float(np.median(values)),
        "mean": float(values.mean()),
        "p95": float(np.percentile(values, 95)),
    }


def write_json(path: Path, report: dict) -> None:
    """Writes the report; the folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=2, allow_nan=False)
    # Lists of numbers on one line: the scores of the frames would fill pages otherwise.
    text = re.sub(r"\[[-+.\deE,\s]*\]", lambda match: " ".join(match.group().split()), text)
    path.write_text(text + "\n", encoding="utf-8")


def write_csv(path: Path, report: dict) -> None:
    """Writes a row for each sequence and a last one, named `overall`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["sequence", "frames", "frames_scored", *SCORES, "ms_per_frame"])
        for name, entry in _rows(report):
            timing = entry["ms_per_frame"]
            writer.writerow([
                name, entry["frames"], entry["frames_scored"],
                *(f"{entry[key]:.4f}" for key in SCORES),
                "" if timing is None else f"{timing['median']:.3f}",
            ])


def format_table(report: dict) -> str:
    """The scores as lines for a terminal, percent; the time is the median of `step`."""
    rows = [["sequence", "frames", *(_HEADINGS[key] for key in SCORES), "ms"]]
    for name, entry in _rows(report):
        timing = entry["ms_per_frame"]
        rows.append([
            name, str(entry["frames"]), *(f"{entry[key]:.1f}" for key in SCORES),
            "-" if timing is None else f"{timing['median']:.1f}",
        ])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width
                                                     in zip(row[1:], widths[1:], strict=True))])
             for row in rows]
    rule = "-" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _rows(report: dict) -> list[tuple[str, dict]]:
    return [*report["sequences"].items(), ("overall", report)]
