# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m vos_ros ablate`: what each part of a network is worth, beside what its paper says."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from vos_ros.ablation import record, report
from vos_ros.ablation.processes import Failure, run_jobs
from vos_ros.ablation.readiness import check_imagenet, check_networks
from vos_ros.ablation.reading import read_tables
from vos_ros.ablation.record import Job, jobs_of
from vos_ros.ablation.scoring import open_held_out
from vos_ros.ablation.summary import summarise
from vos_ros.ablation.table import AblationTable, TableError
from vos_ros.ablation.variant import Progress, VariantTask
from vos_ros.apps.arguments import positive, span, whole
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.training.run import UNUSABLE, noted_signals

_LINE_SECONDS = 60
"""Between two lines about the progress, where there is no terminal to draw a bar on."""


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="vos_ros ablate",
        description="Trains every variant of a table with the same budget, clips and seed, scores "
        "it on held-out videos, and sets the scores beside the published ones. Variants that are "
        "finished are kept, an interrupted one goes on where it was.",
    )
    parser.add_argument(
        "--table",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="the YAML file of the ablation; of several, one after the other",
    )
    parser.add_argument("--data", type=Path, help="folder that the paths in it start from")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="RUNS",
        help="folder for weights and scores, RUNS/MODEL/VARIANT/seedK, and for "
        "RUNS/MODEL/TABLE.md, .json and .csv",
    )
    parser.add_argument(
        "--variants",
        nargs="+",
        default=[],
        metavar="NAME",
        help="only these variants of the tables",
    )
    parser.add_argument("--steps", type=positive, help="of every stage, instead of what it says")
    parser.add_argument(
        "--imagenet",
        type=Path,
        metavar="FILE",
        help="ImageNet weights of the backbone, instead of the registry package's "
        "(torchvision's file of a ResNet)",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="train anew what is in RUNS of the variants chosen"
    )
    parser.add_argument(
        "--report-only",
        action="store_true",
        help="train and score nothing: report what is finished",
    )
    work = parser.add_argument_group("work")
    work.add_argument(
        "--workers",
        type=positive,
        default=1,
        help="variants at a time, each in a process (default: %(default)s)",
    )
    work.add_argument(
        "--threads",
        type=positive,
        default=1,
        help="processor threads of each (default: %(default)s; two processes of one "
        "thread do more on two cores than one of two)",
    )
    work.add_argument(
        "--clip-workers",
        type=whole,
        default=0,
        help="further processes of each that make clips (default: %(default)s)",
    )
    work.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 (default: %(default)s)")
    work.add_argument(
        "--minutes", type=span, default=3.0, help="between two checkpoints (default: %(default)s)"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Make an ablation.

    Returns:
        0 when every variant is finished, 1 when one of them is not, 2 when something given was
        unusable, 128 and the signal's number when SIGINT or SIGTERM stopped it (what was done is
        saved).
    """
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.data is None and not args.report_only:
        parser.error("--data is needed to train and to score")
    try:
        return _ablate(args)
    except (*UNUSABLE, TableError, EvaluationError, OSError) as error:
        print(f"ablate: {error}", file=sys.stderr)
        return 2


def _ablate(args: argparse.Namespace) -> int:
    tables = read_tables(args.table, args.steps, args.imagenet)
    jobs = jobs_of(tables, args.out, args.variants)
    check_networks(jobs)
    if args.fresh and not args.report_only:
        for job in jobs:
            record.clear(job)
    for job in jobs:
        record.check_job(job)
    todo = [job for job in jobs if record.finished(job) is None]
    if args.report_only or not todo:
        _report(tables, args.out)
        return 0
    check_imagenet(todo)
    for table in tables:  # what is absent is told before any training
        open_held_out(table.held_out, args.data)
    kept = [job.name for job in jobs if job not in todo]
    if kept:
        print(f"finished before: {', '.join(kept)}", file=sys.stderr)
    task = VariantTask(
        args.data,
        args.device,
        args.threads,
        args.clip_workers,
        args.minutes,
        min(args.workers, len(todo)),
        args.imagenet,
    )
    with noted_signals() as signals, _Display(todo, tables, args.out) as display:
        run_jobs(task, todo, args.workers, lambda: bool(signals), display.progress, display.end)
    _report(tables, args.out)
    if signals:
        print("stopped by a signal; the same command goes on from here", file=sys.stderr)
        return 128 + signals[0]
    left = [job.name for job in todo if record.finished(job) is None]
    if left:
        print(f"not finished: {', '.join(left)}; the same command goes on", file=sys.stderr)
    return 1 if left else 0


def _report(tables: Sequence[AblationTable], out: Path) -> None:
    """Write the reports, and the tables to the terminal."""
    for table in tables:
        folder, summary = out / table.model, _summary(table, out)
        report.write_report(folder, summary)
        print(f"{report.to_text(summary)}\nwrote {folder / table.name}.md, .json and .csv")


def _summary(table: AblationTable, out: Path) -> dict[str, Any]:
    return summarise(table, record.records_of(table, out))


class _Display:
    """One bar for all jobs, in steps, or a line a minute where nobody looks at a bar."""

    def __init__(self, jobs: Sequence[Job], tables: Sequence[AblationTable], out: Path) -> None:
        self._tables, self._out = tables, out
        self._steps: dict[str, int] = {}
        self._states: dict[str, str] = {}
        self._done, self._total = 0, sum(job.steps for job in jobs)
        self._bar = tqdm(
            total=self._total, unit="step", desc="ablate", disable=None, smoothing=0.05
        )
        self._began = self._said = time.monotonic()

    def __enter__(self) -> _Display:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def progress(self, job: Job, progress: Progress) -> None:
        """A job has told how far it is."""
        if job.name not in self._steps:  # its first word: what an earlier run did
            self._steps[job.name] = progress.done
            self._total -= progress.done
            self._bar.total = self._total
        if progress.what == "step":
            new, self._steps[job.name] = progress.done - self._steps[job.name], progress.done
            self._done += new
            self._bar.update(new)
        loss = "" if progress.loss is None else f" loss {progress.loss:.3f}"
        state = f"{job.name}, {progress.what} {progress.done} of {progress.total}{loss}"
        self._states[job.name] = state
        if not self._bar.disable:
            self._bar.set_postfix_str("; ".join(self._states.values()), refresh=False)
        elif time.monotonic() - self._said > _LINE_SECONDS:
            self._said = time.monotonic()
            print(f"{'; '.join(self._states.values())}{self._left()}", file=sys.stderr, flush=True)

    def _left(self) -> str:
        """When the training may be done; scoring takes little beside it."""
        if self._done == 0:
            return ""
        seconds = (time.monotonic() - self._began) / self._done * (self._total - self._done)
        return f"; {seconds / 60:.0f} min left to train"

    def end(self, job: Job, failure: Failure | None) -> None:
        """A job is done, or has failed: say so, and write the report anew."""
        self._states.pop(job.name, None)
        if failure is not None:
            text = f"{job.name} failed: {failure.sentence}"
        else:
            entry = record.finished(job)
            assert entry is not None
            text = f"{job.name}: J {entry['j']:.1f}  F {entry['f']:.1f}  J&F {entry['jf']:.1f}"
            for table in self._tables:
                report.write_report(self._out / table.model, _summary(table, self._out))
        self._bar.write(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
