# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m vos_ros evaluate`: J and F of a weight file, or of masks on disk, on a data set."""

from __future__ import annotations

import argparse
import dataclasses
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from vos_ros.apps.evaluate_options import parse
from vos_ros.apps.evaluate_output import check_outputs, line_of, partial_path, write_outputs
from vos_ros.apps.termination import Terminated, terminable
from vos_ros.data.sequence import SequenceError, VideoSequence
from vos_ros.data.twin import twin_of
from vos_ros.evaluation import environment
from vos_ros.evaluation.checkpoint import Checkpoint
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.evaluation.pictures import COLUMNS, can_draw
from vos_ros.evaluation.protocol import Protocol
from vos_ros.evaluation.protocols import PROTOCOLS
from vos_ros.evaluation.report import build_report
from vos_ros.evaluation.results import SequenceResult
from vos_ros.evaluation.runner import SequenceTask, run_sequences
from vos_ros.evaluation.sources import MaskFolderSource, SegmenterSettings, SegmenterSource, Source


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0 when everything was scored and 1, with a sentence, when it could not be.

    128 and the signal's number when SIGINT or SIGTERM ended it.
    """
    args = parse(argv)
    try:
        with terminable():
            _evaluate(args)
    except (SequenceError, EvaluationError, OSError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("evaluate: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except Terminated:
        print("evaluate: terminated", file=sys.stderr)
        return 128 + signal.SIGTERM
    return 0


def _evaluate(args: argparse.Namespace) -> None:
    protocol = _protocol(args)
    sequences = protocol.dataset(args.root, args.split).sequences(args.sequences)
    if args.twin:
        sequences = tuple(twin_of(sequence) for sequence in sequences)
    protocol.check_all(sequences)
    _check_purpose(args, protocol, sequences)
    check_outputs(args)
    args.threads = args.threads or max(1, environment.usable_cores() // args.workers)
    source, about = _source(args, protocol)
    task = SequenceTask(protocol, source, args.masks_out, COLUMNS if args.contact_sheet else 0)
    checkpoint = _checkpoint(args, about)
    known: dict[str, SequenceResult] = {}
    if checkpoint is not None:
        known = _resumable(args, task, checkpoint.load(), sequences)
        if checkpoint.path.exists() and not known:
            print(
                f"{checkpoint.path} holds nothing that serves this run and is begun anew",
                file=sys.stderr,
            )
        checkpoint.begin(known)
    results = _run(task, sequences, known, args.workers, checkpoint)
    write_outputs(args, task, sequences, results, build_report(results, about))
    if checkpoint is not None:
        checkpoint.remove()


def _protocol(args: argparse.Namespace) -> Protocol:
    options = {"all_frames": True} if args.all_frames else {"binary": True} if args.binary else {}
    return PROTOCOLS[args.dataset](**options)


def _check_purpose(
    args: argparse.Namespace, protocol: Protocol, sequences: Sequence[VideoSequence]
) -> None:
    """Raises where the truth is not public and nothing else is asked for that could be done."""
    if any(protocol.scored(sequence) for sequence in sequences):
        return
    if args.from_masks or args.figure:
        what = "these masks can be scored by" if args.from_masks else "a figure can be drawn from"
        raise EvaluationError(
            f"{args.root} holds only the masks that give the objects, so there "
            f"is no truth that {what}"
        )
    if not (args.masks_out or args.contact_sheet):
        raise EvaluationError(
            f"{args.root} holds only the masks that give the objects, so nothing "
            "can be scored; write the masks with --masks-out DIR"
        )


def _source(args: argparse.Namespace, protocol: Protocol) -> tuple[Source, dict[str, Any]]:
    """Where the masks come from, and what the report says about it."""
    if not args.from_masks:
        environment.need_device(args.device)
    about: dict[str, Any] = {
        "dataset": args.dataset,
        "split": args.split or "all",
        "averaging": protocol.averaging,
        "weights": None,
        "device": None,
        "precision": None,
        "runtime": None,
        "size": None,
        "region": None,
        "workers": args.workers,
        "threads": args.threads,
        "hardware": environment.hardware("cpu" if args.from_masks else args.device),
        "versions": environment.versions(),
    }
    about.update({key: True for key in ("all_frames", "twin") if getattr(args, key)})
    if args.from_masks:
        if not args.from_masks.is_dir():
            raise EvaluationError(f"there is no folder {args.from_masks} with masks to score")
        return MaskFolderSource(args.from_masks), about
    args.runtime = _runtime(args)
    build, about["weights"] = open_weights(args)
    about.update(device=args.device, precision=args.precision, runtime=args.runtime)
    about["size"] = args.size
    about["region"] = args.region and dataclasses.asdict(args.region)
    return SegmenterSource(build), about


def _runtime(args: argparse.Namespace) -> str:
    """What computes the network: the one that `auto` stands for here."""
    import torch

    from vos_ros.runtimes import RuntimeMissingError, choose_runtime

    try:
        return choose_runtime(args.runtime, torch.device(args.device), args.precision)
    except RuntimeMissingError as error:
        raise EvaluationError(str(error)) from error


def open_weights(args: argparse.Namespace) -> tuple[SegmenterSettings, dict[str, Any]]:
    """What builds the segmenter in each worker, and what the report says about its weights.

    Reads the model card here, so that a file that cannot be used is told before the work begins.
    """
    from vos_ros.weights import WeightsError, find_weights, read_card

    try:
        path = Path(find_weights(args.weights))
        card = read_card(path)
    except WeightsError as error:
        raise EvaluationError(str(error)) from error
    build = SegmenterSettings(
        path,
        args.device,
        args.precision,
        args.size,
        args.threads,
        args.max_objects,
        args.region,
        args.runtime,
    )
    return build, {"name": path.name, "model": card.model, "sha256": card.sha256}


def _checkpoint(args: argparse.Namespace, about: dict[str, Any]) -> Checkpoint | None:
    """Where finished sequences are kept; none for files, which take moments to score again."""
    if args.json is None or args.from_masks:
        return None
    path = partial_path(args)
    if args.fresh:
        path.unlink(missing_ok=True)
    run = {**about, "root": str(args.root.resolve()), "binary": args.binary}
    return Checkpoint(path, run)


def _resumable(
    args: argparse.Namespace,
    task: SequenceTask,
    results: dict[str, SequenceResult],
    sequences: Sequence[VideoSequence],
) -> dict[str, SequenceResult]:
    """Those results that need not be made again: all masks written or drawn are there too."""
    kept = {}
    for sequence in sequences:
        result = results.get(sequence.name)
        if result is None or result.frames != len(sequence):
            continue
        if args.contact_sheet is not None and not can_draw(task, sequence, result):
            continue
        if all(path.is_file() for path in task.mask_paths(sequence)):
            kept[sequence.name] = result
    return kept


def _run(
    task: SequenceTask,
    sequences: Sequence[VideoSequence],
    known: dict[str, SequenceResult],
    workers: int,
    checkpoint: Checkpoint | None,
) -> list[SequenceResult]:
    """All results in the order of `sequences`, with a bar while the missing ones are made."""
    if known:
        print(
            f"{len(known)} of {len(sequences)} sequences were done before: {', '.join(known)}",
            file=sys.stderr,
        )
    todo = [sequence for sequence in sequences if sequence.name not in known]
    total = sum(task.count(sequence) for sequence in todo)
    # disable=None: no bar where nobody looks at one, such as in a log file.
    with tqdm(total=total, unit="frame", desc="evaluate", disable=None) as bar:

        def on_result(result: SequenceResult) -> None:
            if checkpoint is not None:
                checkpoint.add(result)
            bar.write(line_of(result), file=sys.stderr)

        made = run_sequences(task, todo, workers=workers, on_frame=bar.update, on_result=on_result)
    by_name = {**known, **{result.name: result for result in made}}
    return [by_name[sequence.name] for sequence in sequences]


if __name__ == "__main__":
    sys.exit(main())
