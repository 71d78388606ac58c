# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`train`: one stage of training, from a YAML file, resumed where it was stopped."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from vos_ros.training.loop import Trainer
from vos_ros.training.run import (
    CHECKPOINT,
    LOG,
    UNUSABLE,
    WEIGHTS,
    cut_log,
    log_step,
    made_folder,
    moved,
    noted_signals,
    run_card,
    save_run,
    starting_network,
)
from vos_ros.training.sources import StageBatches
from vos_ros.training.stage import read_stage


def main(argv: Sequence[str] | None = None) -> int:
    """Run one stage.

    Returns:
        0 when it came to its end, 128 and the signal's number when SIGINT or SIGTERM stopped it
        (what was done is saved), 2 when something given was unusable.
    """
    arguments = _parser().parse_args(argv)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    try:
        return _train(arguments)
    except UNUSABLE as error:
        print(f"train: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the YAML file of the stage")
    parser.add_argument("--data", type=Path, required=True, help="folder that its paths start from")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and checkpoint")
    parser.add_argument("--init", type=Path, help="weight file to start from")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, ...")
    parser.add_argument("--threads", type=int, default=0, help="of PyTorch; 0 leaves its choice")
    parser.add_argument("--workers", type=int, default=1, help="processes that make clips")
    parser.add_argument("--minutes", type=float, default=3.0, help="between two checkpoints")
    parser.add_argument("--until", type=int, help="stop after this step, to be resumed later")
    return parser


def _train(arguments: argparse.Namespace) -> int:
    stage = read_stage(arguments.config)
    batches = StageBatches(stage, arguments.data, arguments.workers)
    torch.manual_seed(stage.seed)
    network, history = starting_network(stage, arguments.init)
    trainer = Trainer(moved(network, arguments.device), stage, batches)
    out = made_folder(arguments.out)
    if (out / CHECKPOINT).exists():
        trainer.resume(out / CHECKPOINT)
        print(f"resuming after step {trainer.step} of {stage.steps}")
    card = run_card(stage, history, network.config, arguments.config.name)
    cut_log(out / LOG, trainer.step)
    saved = time.monotonic()
    progress = tqdm(total=stage.steps, initial=trainer.step, unit="step", mininterval=2.0)
    with progress as bar, noted_signals() as signals:
        for values in trainer.run(arguments.until):
            rate = f"{stage.batch / values['seconds']:.1f}"
            bar.set_postfix(loss=f"{values['loss']:.3f}", clips_s=rate, refresh=False)
            bar.update()
            log_step(out / LOG, trainer.step, values)
            if time.monotonic() - saved > 60 * arguments.minutes:
                save_run(trainer, card, out)
                saved = time.monotonic()
            if signals:
                break
        save_run(trainer, card, out)
    print(f"wrote {out / WEIGHTS} after step {trainer.step}")
    if signals:
        print("stopped by a signal; the same command goes on from here")
        return 128 + signals[0]
    return 0


if __name__ == "__main__":
    sys.exit(main())
