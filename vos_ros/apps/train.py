# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`train`: one stage of training, from a YAML file, resumed where it was stopped.

Alone, or as several processes that `torchrun` starts; the first of them prints and writes.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import torch

from vos_ros.apps.arguments import span, whole
from vos_ros.apps.train_progress import open_progress
from vos_ros.training.agreement import ToldElsewhere, agreement
from vos_ros.training.distributed import World, open_world
from vos_ros.training.divergence import DivergedError
from vos_ros.training.monitor import can_monitor
from vos_ros.training.run import UNUSABLE, WEIGHTS, noted_signals
from vos_ros.training.skipped import SKIPPED
from vos_ros.training.stage import read_stage
from vos_ros.training.stage_run import RunOptions, StageRun
from vos_ros.weights import WeightsError, find_weights


def main(argv: Sequence[str] | None = None) -> int:
    """Run one stage.

    Returns:
        0 when it came to its end, 128 and the signal's number when SIGINT or SIGTERM stopped it
        (what was done is saved), 1 when it diverged, 2 when something given was unusable.
    """
    arguments = _parser().parse_args(argv)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    try:
        return _in_world(arguments)
    except ToldElsewhere:
        return 2
    except UNUSABLE as error:
        print(f"train: {error}", file=sys.stderr)
        return 1 if isinstance(error, DivergedError) else 2
    except KeyboardInterrupt:
        print("train: interrupted before the first step", file=sys.stderr)
        return 128 + signal.SIGINT


def _weights(text: str) -> Path:
    """A weight file by path or shipped name; what is not there is told by whoever reads it."""
    try:
        return find_weights(text)
    except WeightsError:
        return Path(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the YAML file of the stage")
    parser.add_argument("--data", type=Path, required=True, help="folder that its paths start from")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and checkpoint")
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--init", type=_weights, help="weight file, or name of a shipped one, to start from"
    )
    start.add_argument(
        "--imagenet",
        type=Path,
        help="ImageNet weights of the backbone (.pth or .safetensors), where no package has them",
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, ...")
    parser.add_argument("--threads", type=whole, default=0, help="of PyTorch; 0 leaves its choice")
    parser.add_argument("--workers", type=whole, default=1, help="processes that make clips")
    parser.add_argument("--minutes", type=span, default=3.0, help="between two checkpoints")
    parser.add_argument("--until", type=whole, help="stop after this step, to be resumed later")
    parser.add_argument(
        "--strict", action="store_true", help="refuse a file that cannot be used, do not skip it"
    )
    parser.add_argument(
        "--tensorboard",
        action=argparse.BooleanOptionalAction,
        default=can_monitor(),
        help="curves and pictures in OUT/tensorboard; on where the package is installed",
    )
    return parser


def _options(arguments: argparse.Namespace) -> RunOptions:
    names = RunOptions.__dataclass_fields__
    return RunOptions(**{name: getattr(arguments, name) for name in names})


def _in_world(arguments: argparse.Namespace) -> int:
    world = open_world(arguments.device)
    try:
        return _train(arguments, world)
    finally:
        world.close()


def _train(arguments: argparse.Namespace, world: World) -> int:
    with agreement(world):
        stage = read_stage(arguments.config)
    with closing(StageRun(stage, arguments.config.name, _options(arguments), world)) as run:
        first = run.trainer.step
        if first and world.writes:
            print(f"resuming after step {first} of {stage.steps}", flush=True)
        with noted_signals() as signals:
            _take_steps(run, arguments.until, signals)
        if world.writes:
            _tell_end(run)
    if run.stopped:
        return 128 + (signals[0] if signals else signal.SIGTERM)
    return 0


def _take_steps(run: StageRun, until: int | None, signals: list[int]) -> None:
    """Train, showing how far it is in the process that prints."""
    steps = run.steps(until, stopping=lambda: bool(signals))
    if not run.world.writes:
        for _ in steps:
            pass
        return
    trainer = run.trainer
    last = run.stage.steps if until is None else min(until, run.stage.steps)
    progress = open_progress(trainer.step, last, sys.stderr)
    try:
        for values in steps:
            progress.show(trainer.step, values, len(run.faults), trainer.left_out)
    finally:
        progress.close()


def _tell_end(run: StageRun) -> None:
    print(f"wrote {run.out / WEIGHTS} after step {run.trainer.step}")
    if run.faults:
        print(f"files that could not be used: {len(run.faults)}; {run.out / SKIPPED} says why")
    if run.trainer.left_out:
        print(f"steps left out, whose gradient was not finite: {run.trainer.left_out}")
    if run.stopped:
        print("stopped by a signal; the same command goes on from here")


if __name__ == "__main__":
    sys.exit(main())
