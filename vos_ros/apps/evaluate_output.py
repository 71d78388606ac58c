# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `evaluate` leaves behind: table, JSON, CSV, contact sheet and figure."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vos_ros.data.sequence import VideoSequence
from vos_ros.evaluation import tables
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.evaluation.figure import SUFFIXES, need_matplotlib, write_figure
from vos_ros.evaluation.outputs import need_file, need_folder
from vos_ros.evaluation.pictures import write_contact_sheet
from vos_ros.evaluation.report import build_report
from vos_ros.evaluation.results import SequenceResult
from vos_ros.evaluation.runner import SequenceTask


def partial_path(args: argparse.Namespace) -> Path:
    """Where finished sequences gather until the report is written."""
    return args.json.with_name(args.json.name + ".partial")


def check_outputs(args: argparse.Namespace) -> None:
    """Raises EvaluationError unless all that is asked for can be written.

    Told now, not after an hour of work. Imports matplotlib where a figure is asked for.
    """
    if args.figure is not None:
        need_matplotlib()
    kinds = {"json": (), "csv": (), "contact_sheet": (".png",), "figure": SUFFIXES}
    asked = {name: getattr(args, name) for name in kinds if getattr(args, name) is not None}
    if len({path.resolve() for path in asked.values()}) < len(asked):
        raise EvaluationError(
            "each file that is to be written needs a name of its own; two of "
            f"{', '.join(map(str, asked.values()))} are one"
        )
    for name, path in asked.items():
        need_file(path, kinds[name])
    if args.json is not None:
        need_file(partial_path(args))
    if args.masks_out is not None:
        need_folder(args.masks_out)


def line_of(result: SequenceResult) -> str:
    """What is told as soon as a sequence is done."""
    entry = build_report([result], {})
    if entry["j"] is None:
        return f"{result.name}: not scored"
    objects = f"  ({len(result.objects)} objects)" if len(result.objects) > 1 else ""
    scores = f"J {entry['j']:.1f}  F {entry['f']:.1f}  J&F {entry['jf']:.1f}"
    return f"{result.name}: {scores}{objects}"


def write_outputs(
    args: argparse.Namespace,
    task: SequenceTask,
    sequences: Sequence[VideoSequence],
    results: Sequence[SequenceResult],
    whole: dict[str, Any],
) -> None:
    """Prints the table of the report `whole` and writes what is asked for."""
    whole.update(task.protocol.figures(whole))
    print(tables.format_table(whole, task.protocol.measure))
    if whole["objects_scored"] > len(results):  # else all ways of averaging come to the same
        print(
            f"overall: {task.protocol.averaging}; mean over sequences: "
            f"{task.protocol.measure} {whole['sequence_means']['j']:.1f}, "
            f"F {whole['sequence_means']['f']:.1f}"
        )
    if args.json is not None:
        tables.write_json(args.json, whole)
    if args.csv is not None:
        tables.write_csv(args.csv, whole)
    if args.contact_sheet is not None:
        write_contact_sheet(args.contact_sheet, task, sequences, results)
    if args.figure is not None:
        write_figure(args.figure, results, task.protocol.measure)
