# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an ablation came to: means, and differences to the first variant with their errors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from vos_ros.ablation.table import SCORES, AblationTable


def summarise(table: AblationTable, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the finished jobs came to, as plain values that JSON can hold.

    Scores are means over the videos, and over the seeds where there are several. `difference` is
    in J&F to the first variant, on the seeds that both have; `standard_error` is that of its mean
    over the videos, which tells a difference that most of them show from one that a few make.
    `loss_difference` is the same of the training loss, over the last steps of the last stage.

    Args:
        table: the ablation.
        records: of the jobs that are finished, in any order.
    """
    first = table.variants[0]
    of = {v.name: [r for r in records if r["variant"] == v.name] for v in table.variants}
    rows = []
    for variant in table.variants:
        row = {
            "variant": variant.name,
            "title": variant.title,
            "network": variant.network,
            "published": variant.published,
            "seeds": sorted(record["seed"] for record in of[variant.name]),
            **_measured(of[variant.name]),
        }
        if variant is not first:
            row |= _published_against(variant.published, first.published)
            row |= _against(of[variant.name], of[first.name])
        rows.append(row)
    return {
        "table": table.name,
        "model": table.model,
        "published_on": table.published_on,
        "size": table.size,
        "precision": table.precision,
        "stages": [
            {"steps": stage.steps, "batch": stage.batch, "clip_size": list(stage.size)}
            for stage in table.stages
        ],
        "videos": list(records[0]["sequences"]) if records else [],
        "variants": rows,
        "runs": list(records),
    }


def _measured(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means over the seeds; nothing of a variant that is not finished."""
    if not records:
        return {}
    times = [r["ms_per_frame"]["median"] for r in records if r["ms_per_frame"]]
    losses = [loss for record in records for loss in record["last_losses"] if loss is not None]
    seconds = [r["training_seconds"] for r in records if r["training_seconds"] is not None]
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
        "training_loss": _mean(losses) if losses else None,
        "training_minutes": _mean(seconds) / 60 if seconds else None,
    }


def _against(own: Sequence[dict[str, Any]], full: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Differences to the first variant with the same seed: J&F by video, the loss by step."""
    of_seed = {record["seed"]: record for record in full}
    pairs = [(record, of_seed[record["seed"]]) for record in own if record["seed"] in of_seed]
    if not pairs:
        return {}
    by_video = {
        name: _mean(a["sequences"][name]["jf"] - b["sequences"][name]["jf"] for a, b in pairs)
        for name in pairs[0][0]["sequences"]
    }
    _, error = _mean_and_error(by_video.values())
    apart = [
        one - other
        for a, b in pairs
        if len(a["last_losses"]) == len(b["last_losses"])
        for one, other in zip(a["last_losses"], b["last_losses"], strict=True)
        if one is not None and other is not None
    ]
    return {
        # Of the overall scores, which are not those of the videos where some show several objects.
        "difference": _mean(a["jf"] - b["jf"] for a, b in pairs),
        "standard_error": error,
        "difference_by_video": by_video,
        "loss_difference": _mean_and_error(apart) if apart else None,
    }


def _mean_and_error(numbers: Iterable[float]) -> tuple[float, float | None]:
    """The mean and its standard error, which a single value has not."""
    values = np.asarray(list(numbers))
    error = float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None
    return float(values.mean()), error


def _published_against(own: dict[str, Any], first: dict[str, Any]) -> dict[str, Any]:
    known = "jf" in own and "jf" in first
    return {"published_difference": own["jf"] - first["jf"]} if known else {}


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
