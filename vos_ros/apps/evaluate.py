# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m vos_ros evaluate`: J and F of a weight file, or of masks on disk, on a data set."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from vos_ros.data.davis import DavisError
from vos_ros.data.sequence import VideoSequence
from vos_ros.evaluation import environment, report
from vos_ros.evaluation.checkpoint import Checkpoint
from vos_ros.evaluation.davis2016 import Davis2016
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.evaluation.pictures import COLUMNS, write_contact_sheet
from vos_ros.evaluation.runner import SequenceResult, SequenceTask, run_sequences
from vos_ros.evaluation.sources import MaskFolderSource, SegmenterSettings, SegmenterSource, Source

PROTOCOLS = {Davis2016.name: Davis2016}


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="vos_ros evaluate",
        description="Runs a network over the videos of a data set and scores its masks: region "
        "similarity J, contour accuracy F, per sequence and overall, in percent.",
    )
    data = parser.add_argument_group("data")
    data.add_argument("--dataset", choices=sorted(PROTOCOLS), default=Davis2016.name,
                      help="protocol to score by (default: %(default)s)")
    data.add_argument("--root", type=Path, required=True,
                      help="folder that holds ImageSets, JPEGImages and Annotations")
    data.add_argument("--split", default="val",
                      help="list of sequences, such as train or val (default: %(default)s)")
    data.add_argument("--sequences", nargs="+", default=[], metavar="NAME",
                      help="only these sequences of the split")
    masks = parser.add_argument_group("masks, from a network or from files")
    masks.add_argument("--weights", default="",
                       help="weight file, or name of one that ships (default: the shipped default)")
    masks.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 (default: %(default)s)")
    masks.add_argument("--precision", choices=("fp32", "bf16", "fp16"), default="fp32",
                       help="arithmetic of the network (default: %(default)s)")
    masks.add_argument("--size", type=int, default=288,
                       help="short side of the image inside the network, pixels "
                       "(default: %(default)s)")
    masks.add_argument("--from-masks", type=Path, metavar="DIR",
                       help="score the files DIR/SEQUENCE/FRAME.png; no network runs")
    work = parser.add_argument_group("work")
    work.add_argument("--workers", type=_positive, default=1,
                      help="sequences at a time, each in a process with its own copy of the "
                      "network; more than one disturbs the times (default: %(default)s)")
    work.add_argument("--threads", type=_positive,
                      help="processor threads of each worker (default: the usable cores shared "
                      "among the workers)")
    work.add_argument("--fresh", action="store_true",
                      help="begin anew where an interrupted run left results")
    out = parser.add_argument_group("output")
    out.add_argument("--json", type=Path, metavar="FILE",
                     help="write the report; results gather in FILE.partial until it is whole, "
                     "and an interrupted run goes on from there")
    out.add_argument("--csv", type=Path, metavar="FILE", help="write a row for each sequence")
    out.add_argument("--masks-out", type=Path, metavar="DIR",
                     help="write every mask as a palette PNG, DIR/SEQUENCE/FRAME.png")
    out.add_argument("--contact-sheet", type=Path, metavar="PNG",
                     help=f"draw {COLUMNS} frames of each sequence with their masks")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0 when everything was scored and 1, with a sentence, when it could not be."""
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.from_masks and (args.masks_out or args.weights):
        parser.error("--from-masks scores files: --weights and --masks-out do not go with it")
    try:
        _evaluate(args)
    except (DavisError, EvaluationError, OSError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("evaluate: interrupted", file=sys.stderr)
        return 130
    return 0


def _evaluate(args: argparse.Namespace) -> None:
    protocol = PROTOCOLS[args.dataset]()
    sequences = protocol.dataset(args.root, args.split).sequences(args.sequences)
    for sequence in sequences:
        protocol.check(sequence)
    args.threads = args.threads or max(1, environment.usable_cores() // args.workers)
    source, about = _source(args, protocol)
    task = SequenceTask(protocol, source, args.masks_out, COLUMNS if args.contact_sheet else 0)
    checkpoint = _checkpoint(args, about)
    known: dict[str, SequenceResult] = {}
    if checkpoint is not None:
        known = _resumable(args, checkpoint.load(), sequences)
        if checkpoint.path.exists() and not known:
            print(f"{checkpoint.path} holds nothing that serves this run and is begun anew",
                  file=sys.stderr)
        checkpoint.begin(known)
    results = _run(task, sequences, known, args.workers, checkpoint)
    _write(args, sequences, results, report.build_report(results, about))
    if checkpoint is not None:
        checkpoint.remove()


def _source(args: argparse.Namespace, protocol: Davis2016) -> tuple[Source, dict]:
    """Where the masks come from, and what the report says about it."""
    about: dict = {
        "dataset": args.dataset, "split": args.split,
        "weights": None, "device": None, "precision": None, "size": None,
        "workers": args.workers, "threads": args.threads,
        "hardware": environment.hardware("cpu" if args.from_masks else args.device),
        "versions": environment.versions(),
    }
    if args.from_masks:
        if not args.from_masks.is_dir():
            raise EvaluationError(f"there is no folder {args.from_masks} with masks to score")
        return MaskFolderSource(args.from_masks, protocol), about
    build, about["weights"] = open_weights(args)
    about.update(device=args.device, precision=args.precision, size=args.size)
    return SegmenterSource(build), about


def open_weights(args: argparse.Namespace) -> tuple[Callable[[], object], dict]:
    """What builds the segmenter in each worker, and what the report says about its weights.

    Reads the model card here, so that a file that cannot be used is told before the work begins.
    """
    from vos_ros.weights import WeightsError, find_weights, read_card  # imports PyTorch

    try:
        path = Path(find_weights(args.weights))
        card = read_card(path)
    except WeightsError as error:
        raise EvaluationError(str(error)) from error
    build = SegmenterSettings(path, args.device, args.precision, args.size, args.threads)
    return build, {"name": path.name, "model": card.model, "sha256": card.sha256}


def _checkpoint(args: argparse.Namespace, about: dict) -> Checkpoint | None:
    """Where finished sequences are kept; none for files, which take moments to score again."""
    if args.json is None or args.from_masks:
        return None
    path = args.json.with_name(args.json.name + ".partial")
    if args.fresh:
        path.unlink(missing_ok=True)
    return Checkpoint(path, {**about, "root": str(args.root.resolve())})


def _resumable(
    args: argparse.Namespace,
    results: dict[str, SequenceResult],
    sequences: Sequence[VideoSequence],
) -> dict[str, SequenceResult]:
    """Those results that need not be made again: the masks asked for are there too."""
    kept = {}
    for sequence in sequences:
        result = results.get(sequence.name)
        if result is None or result.frames != len(sequence):
            continue
        if args.masks_out is not None:
            folder = args.masks_out / sequence.name
            if not all((folder / f"{stem}.png").is_file() for stem in sequence.stems):
                continue
        elif args.contact_sheet is not None:
            continue  # the masks to draw were not kept
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
        print(f"{len(known)} of {len(sequences)} sequences were done before: {', '.join(known)}",
              file=sys.stderr)
    todo = [sequence for sequence in sequences if sequence.name not in known]
    total = sum(task.source.count(sequence) for sequence in todo)
    # disable=None: no bar where nobody looks at one, such as in a log file.
    with tqdm(total=total, unit="frame", desc="evaluate", disable=None) as bar:

        def on_result(result: SequenceResult) -> None:
            if checkpoint is not None:
                checkpoint.add(result)
            bar.write(_line(result), file=sys.stderr)

        made = run_sequences(task, todo, workers=workers, on_frame=bar.update,
                             on_result=on_result)
    by_name = {**known, **{result.name: result for result in made}}
    return [by_name[sequence.name] for sequence in sequences]


def _line(result: SequenceResult) -> str:
    entry = report.build_report([result], {})
    return f"{result.name}: J {entry['j']:.1f}  F {entry['f']:.1f}  J&F {entry['jf']:.1f}"


def _write(
    args: argparse.Namespace,
    sequences: Sequence[VideoSequence],
    results: Sequence[SequenceResult],
    whole: dict,
) -> None:
    print(report.format_table(whole))
    if args.json is not None:
        report.write_json(args.json, whole)
    if args.csv is not None:
        report.write_csv(args.csv, whole)
    if args.contact_sheet is not None:
        write_contact_sheet(args.contact_sheet, sequences, results, args.masks_out)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value


if __name__ == "__main__":
    sys.exit(main())
