# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an evaluation came to, as plain values; all scores in percent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from vos_ros.evaluation.measures import statistics
from vos_ros.evaluation.results import ObjectResult, SequenceResult

SCORES = ("j", "f", "jf", "j_recall", "j_decay", "f_recall", "f_decay")
"""Keys of the scores, percent, per object, per sequence and overall. `jf` is the mean of `j` and
`f`. All are None where nothing was scored."""


def build_report(results: Sequence[SequenceResult], about: dict[str, Any]) -> dict[str, Any]:
    """The whole report as plain values that JSON can hold.

    The scores of an object are statistics over its frames, those of a sequence means over its
    objects, and the overall ones means over all objects of all sequences; `sequence_means` are
    means over the sequences. `about` says what was run and on what; its keys stand beside them.
    Raises ValueError when there is no result.
    """
    if not results:
        raise ValueError("there is no sequence to report on; at least one result is needed")
    sequences = {result.name: _sequence_report(result) for result in results}
    objects = [entry for report in sequences.values() for entry in report["objects"].values()]
    return {
        **_means(objects),
        "sequence_means": _means(list(sequences.values())),
        "frames": sum(result.frames for result in results),
        "frames_scored": sum(len(result.scored) for result in results),
        "objects_scored": sum(entry["j"] is not None for entry in objects),
        "ms_per_frame": _timing([ms for result in results for ms in result.step_ms]),
        **about,
        "sequences": sequences,
    }


def _sequence_report(result: SequenceResult) -> dict[str, Any]:
    objects = {str(entry.id): _object_report(entry) for entry in result.objects}
    scored = result.scored
    frames = list(filter(None, map(result.frame_scores, scored)))
    return {
        **_means(list(objects.values())),
        "frames": result.frames,
        "frames_scored": len(scored),
        "image_size": [result.width, result.height],
        "ms_per_frame": _timing(result.step_ms),
        "per_frame": _per_frame(scored, [j for j, _ in frames], [f for _, f in frames]),
        "objects": objects,
    }


def _object_report(entry: ObjectResult) -> dict[str, Any]:
    scores = dict.fromkeys(SCORES)
    if entry.scored:
        j, f = statistics(entry.j), statistics(entry.f)
        fractions = (j.mean, f.mean, (j.mean + f.mean) / 2, j.recall, j.decay, f.recall, f.decay)
        scores = {key: 100 * value for key, value in zip(SCORES, fractions, strict=True)}
    return {
        **scores,
        "frames_scored": len(entry.scored),
        "per_frame": _per_frame(entry.scored, entry.j, entry.f),
    }


def _means(entries: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """Means of the scores over those entries that have some."""
    scored = [entry for entry in entries if entry["j"] is not None]
    if not scored:
        return dict.fromkeys(SCORES)
    return {key: float(np.mean([entry[key] for entry in scored])) for key in SCORES}


def _per_frame(
    scored: Iterable[int], j: Iterable[float], f: Iterable[float]
) -> dict[str, list[float]]:
    return {
        "index": list(scored),
        "j": [round(100 * value, 4) for value in j],
        "f": [round(100 * value, 4) for value in f],
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
