# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table of an ablation, ours beside the published: for a terminal, Markdown, JSON and CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from vos_ros.ablation.record import write_json
from vos_ros.ablation.table import SCORES

NAMES = {"j": "J", "f": "F", "jf": "J&F"}


def main_rows(summary: dict[str, Any]) -> list[list[str]]:
    """The table as text: a row of headings, and one for each variant."""
    several = any(len(row["seeds"]) > 1 for row in summary["variants"])
    known = any(row["published"] for row in summary["variants"])
    headings = [
        "variant",
        *NAMES.values(),
        *(["J&F by seed"] if several else []),
        "Δ J&F",
        *(["published J / F / J&F", "published Δ"] if known else []),
        "training loss",
        "Δ loss",
        "parameters beside the backbone",
        "ms a frame",
        "training, min",
    ]
    return [headings, *(_main_row(row, several, known) for row in summary["variants"])]


def _main_row(row: dict[str, Any], several: bool, known: bool) -> list[str]:
    heads = row.get("parameters", 0) - row.get("backbone_parameters", 0)
    spread = "..".join(_number(value) for value in row.get("jf_range", [None]))
    scores = " / ".join(_number(row["published"].get(key)) for key in SCORES)
    published = [scores if row["published"] else "-", _difference(row.get("published_difference"))]
    loss, loss_error = row.get("loss_difference") or (None, None)
    return [
        row["title"],
        *(_number(row.get(key)) for key in SCORES),
        *([spread] if several else []),
        _difference(row.get("difference"), row.get("standard_error")),
        *(published if known else []),
        _number(row.get("training_loss"), 3),
        _difference(loss, loss_error, 3),
        f"{heads / 1e6:.3f} M" if heads else "-",
        _number(row.get("ms_per_frame")),
        _number(row.get("training_minutes"), 0),
    ]


def video_rows(summary: dict[str, Any]) -> list[list[str]]:
    """J&F of every variant on every video: a row of headings, and one for each video."""
    done = [row for row in summary["variants"] if "jf" in row]
    rows = [["video", *(row["title"] for row in done)]]
    for name in summary["videos"]:
        rows.append([name, *(_number(row["sequences"][name]["jf"]) for row in done)])
    return [*rows, ["mean", *(_number(row["jf"]) for row in done)]]


def to_markdown(summary: dict[str, Any]) -> str:
    """Both tables, and what they were made with."""
    parts = [
        f"# Ablation of {summary['model']}: {summary['table']}",
        "",
        _conditions(summary),
        "",
        _markdown(main_rows(summary)),
        "",
    ]
    if summary["runs"]:
        parts += ["J&F by video:", "", _markdown(video_rows(summary)), ""]
    return "\n".join(parts)


def to_text(summary: dict[str, Any]) -> str:
    """The main table in columns, for a terminal."""
    rows = main_rows(summary)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def to_csv(summary: dict[str, Any]) -> str:
    """A row for every variant, seed and video, and one for the mean over the videos."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["variant", "seed", "video", *SCORES, "ms_per_frame"])
    for record in summary["runs"]:
        for name, entry in [*record["sequences"].items(), ("mean", record)]:
            timing = entry["ms_per_frame"]
            scores = [f"{entry[key]:.4f}" for key in SCORES]
            writer.writerow(
                [
                    record["variant"],
                    record["seed"],
                    name,
                    *scores,
                    f"{timing['median']:.3f}" if timing else "",
                ]
            )
    return file.getvalue()


def write_report(folder: Path, summary: dict[str, Any]) -> None:
    """Write TABLE.md, .json and .csv; the folder is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    name = summary["table"]
    (folder / f"{name}.md").write_text(to_markdown(summary), encoding="utf-8")
    (folder / f"{name}.csv").write_text(to_csv(summary), encoding="utf-8")
    write_json(folder / f"{name}.json", summary)


def _conditions(summary: dict[str, Any]) -> str:
    """What the figures hold for, in a few sentences."""
    stages = [
        "{steps} steps of {batch} clips at {} x {}".format(*stage["clip_size"], **stage)
        for stage in summary["stages"]
    ]
    sentences = [
        f"Every variant was trained alike: {', then '.join(stages)}, the same clips for all that "
        "have the same seed.",
    ]
    if summary["runs"]:
        run = summary["runs"][0]
        machines = sorted({_machine(record) for record in summary["runs"]})
        sentences += [
            f"Scores are percent, means over {len(summary['videos'])} held-out videos, at "
            f"{summary['size']} pixels and {summary['precision']}.",
            "Differences (Δ) are to the first row, ± their standard error: over the videos, and "
            "for the training loss over the last fifth of the steps.",
            f"Times are of {'; '.join(machines)}; PyTorch {run['versions'].get('torch')}.",
        ]
    if summary["published_on"]:
        sentences.append(f"Published: {summary['published_on']}.")
    return " ".join(sentences)


def _machine(record: dict[str, Any]) -> str:
    hardware = record["hardware"]
    return (
        f"{hardware['gpu'] or hardware['cpu']}, {record['threads']} of {hardware['cores']} "
        f"cores each, {record['beside']} at a time"
    )


def _markdown(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _difference(value: float | None, error: float | None = None, digits: int = 1) -> str:
    if value is None:
        return ""
    return f"{value:+.{digits}f}" + ("" if error is None else f" ± {error:.{digits}f}")


def _number(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
