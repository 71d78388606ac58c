# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An ablation's table, ours beside the published: for a terminal, Markdown, JSON and CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vos_ros.ablation.record import write_json
from vos_ros.ablation.table import SCORES, AblationTable

NAMES = {"j": "J", "f": "F", "jf": "J&F"}


def summarise(table: AblationTable, records: Sequence[dict]) -> dict:
    """What the finished jobs came to, as plain values that JSON can hold.

    Scores are means over the videos, and over the seeds where there are several. `difference` is
    to the first variant, on the seeds that both have; `standard_error` is that of its mean over the
    videos, which tells a difference that most of them show from one that a few make.

    Args:
        table: the ablation.
        records: of the jobs that are finished, in any order.
    """
    first = table.variants[0]
    by_variant = {v.name: [r for r in records if r["variant"] == v.name] for v in table.variants}
    rows = []
    for variant in table.variants:
        own = by_variant[variant.name]
        row = {"variant": variant.name, "title": variant.title, "network": variant.network,
               "published": variant.published,
               "published_difference": _published_difference(variant.published, first.published),
               "seeds": sorted(record["seed"] for record in own)}
        if own:
            row |= _measured(own)
            row |= _against(own, by_variant[first.name]) if variant is not first else {}
        rows.append(row)
    return {"model": table.stage.model, "published_on": table.published_on,
            "size": table.size, "precision": table.precision, "steps": table.stage.steps,
            "batch": table.stage.batch, "clip_size": list(table.stage.size),
            "videos": _videos(records), "variants": rows, "runs": list(records)}


def _measured(records: Sequence[dict]) -> dict:
    """Means over the seeds."""
    times = [r["ms_per_frame"]["median"] for r in records if r["ms_per_frame"]]
    jf = [record["jf"] for record in records]
    return {
        **{key: _mean(record[key] for record in records) for key in SCORES},
        "jf_range": [min(jf), max(jf)],
        "sequences": {
            name: {key: _mean(r["sequences"][name][key] for r in records) for key in SCORES}
            for name in records[0]["sequences"]
        },
        "parameters": records[0]["parameters"],
        "backbone_parameters": records[0]["backbone_parameters"],
        "ms_per_frame": _mean(times) if times else None,
        "training_minutes": _mean(record["training_seconds"] / 60 for record in records),
    }


def _against(own: Sequence[dict], full: Sequence[dict]) -> dict:
    """The difference in J&F to the first variant, video by video with the same seed."""
    of_seed = {record["seed"]: record for record in full}
    pairs = [(record, of_seed[record["seed"]]) for record in own if record["seed"] in of_seed]
    if not pairs:
        return {}
    by_video = {
        name: _mean(a["sequences"][name]["jf"] - b["sequences"][name]["jf"] for a, b in pairs)
        for name in pairs[0][0]["sequences"]
    }
    values = np.asarray(list(by_video.values()))
    error = float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None
    return {"difference": float(values.mean()), "standard_error": error,
            "difference_by_video": by_video}


def _published_difference(own: dict, first: dict) -> float | None:
    return own["jf"] - first["jf"] if "jf" in own and "jf" in first else None


def _videos(records: Sequence[dict]) -> list[str]:
    return list(records[0]["sequences"]) if records else []


def _mean(values) -> float:
    return float(np.mean(list(values)))


# --- tables ---------------------------------------------------------------------------------------


def main_rows(summary: dict) -> list[list[str]]:
    """The table as text: a row of headings, and one for each variant."""
    several = any(len(row["seeds"]) > 1 for row in summary["variants"])
    rows = [["variant", *NAMES.values(), *(["J&F, seeds"] if several else []), "difference",
             "published J, F, J&F", "difference", "parameters beside the backbone", "ms a frame",
             "training, min"]]
    for row in summary["variants"]:
        heads = row.get("parameters", 0) - row.get("backbone_parameters", 0)
        published = " / ".join(_number(row["published"].get(key)) for key in SCORES)
        spread = ["..".join(_number(v) for v in row["jf_range"]) if "jf" in row else "-"]
        rows.append([
            row["title"], *(_number(row.get(key)) for key in SCORES), *(spread if several else []),
            _difference(row), published if row["published"] else "-",
            _signed(row["published_difference"]) if row is not summary["variants"][0] else "",
            f"{heads / 1e6:.3f} M" if heads else "-", _number(row.get("ms_per_frame")),
            _number(row.get("training_minutes"), 0),
        ])
    return rows


def video_rows(summary: dict) -> list[list[str]]:
    """J&F of every variant on every video: a row of headings, and one for each video."""
    done = [row for row in summary["variants"] if "jf" in row]
    rows = [["video", *(row["title"] for row in done)]]
    for name in summary["videos"]:
        rows.append([name, *(_number(row["sequences"][name]["jf"]) for row in done)])
    return [*rows, ["mean", *(_number(row["jf"]) for row in done)]]


def to_markdown(summary: dict) -> str:
    """Both tables, and what they were made with."""
    parts = [f"# Ablation of {summary['model']}", "", _conditions(summary), "",
             _markdown(main_rows(summary)), ""]
    if summary["runs"]:
        parts += ["J&F by video:", "", _markdown(video_rows(summary)), ""]
    return "\n".join(parts)


def to_text(summary: dict) -> str:
    """The main table in columns, for a terminal."""
    rows = main_rows(summary)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join([row[0].ljust(widths[0]),
                        *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]).rstrip()
             for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def to_csv(summary: dict) -> str:
    """A row for every variant, seed and video, and one for the mean over the videos."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["variant", "seed", "video", *SCORES, "ms_per_frame"])
    for record in summary["runs"]:
        for name, entry in [*record["sequences"].items(), ("mean", record)]:
            timing = entry["ms_per_frame"]
            scores = [f"{entry[key]:.4f}" for key in SCORES]
            writer.writerow([record["variant"], record["seed"], name, *scores,
                             f"{timing['median']:.3f}" if timing else ""])
    return file.getvalue()


def write_report(folder: Path, summary: dict) -> None:
    """Write ablation.md, ablation.json and ablation.csv; the folder is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ablation.md").write_text(to_markdown(summary), encoding="utf-8")
    (folder / "ablation.csv").write_text(to_csv(summary), encoding="utf-8")
    write_json(folder / "ablation.json", summary)


def _conditions(summary: dict) -> str:
    """What the figures hold for, in a few sentences."""
    height, width = summary["clip_size"]
    sentences = [
        f"Every variant was trained alike: {summary['steps']} steps of {summary['batch']} clips at "
        f"{height} x {width}, the same clips for all that have the same seed.",
    ]
    if summary["runs"]:
        run = summary["runs"][0]
        machines = sorted({_machine(record) for record in summary["runs"]})
        sentences += [
            f"Scores are percent, means over {len(summary['videos'])} held-out videos, at "
            f"{summary['size']} pixels and {summary['precision']}.",
            "The difference is in J&F to the first row; ± is the standard error of its mean over "
            "the videos.",
            f"Times are of {'; '.join(machines)}; PyTorch {run['versions'].get('torch')}.",
        ]
    if summary["published_on"]:
        sentences.append(f"Published: {summary['published_on']}.")
    return " ".join(sentences)


def _machine(record: dict) -> str:
    hardware = record["hardware"]
    return (f"{hardware['gpu'] or hardware['cpu']}, {record['threads']} of {hardware['cores']} "
            f"cores each, {record['beside']} at a time")


def _markdown(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _difference(row: dict) -> str:
    if "difference" not in row:
        return ""
    error = row["standard_error"]
    return _signed(row["difference"]) + ("" if error is None else f" ± {error:.1f}")


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1f}"


def _number(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
