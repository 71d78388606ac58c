# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`train`: one stage of training, from a YAML file, resumed where it was stopped."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from tqdm import tqdm

from vos_ros.data.davis import DavisError
from vos_ros.data.stills import StillError
from vos_ros.models import build_network
from vos_ros.models.backbones import CheckpointError as BackboneError
from vos_ros.models.backbones import find_registry_checkpoint, load_imagenet_weights
from vos_ros.models.state import SegmentationNetwork
from vos_ros.training.checkpoint import CheckpointError
from vos_ros.training.loop import Trainer
from vos_ros.training.sources import StageBatches
from vos_ros.training.stage import Stage, StageError, read_stage
from vos_ros.weights import ModelCard, WeightsError, load_network, save_network

CHECKPOINT, WEIGHTS, LOG = "checkpoint.safetensors", "weights.safetensors", "log.jsonl"
#: what an unusable stage, data set, weight file or checkpoint raises
UNUSABLE = (StageError, StillError, DavisError, CheckpointError, BackboneError, WeightsError)


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
    network, history = _network(stage, arguments.init)
    trainer = Trainer(_moved(network, arguments.device), stage, batches)
    out = _folder(arguments.out)
    if (out / CHECKPOINT).exists():
        trainer.resume(out / CHECKPOINT)
        print(f"resuming after step {trainer.step} of {stage.steps}")
    card = ModelCard(
        model=stage.model,
        config=network.config,
        data=[*history.data, *_sources(stage)],
        schedule=[*history.schedule, {"config": arguments.config.name, **_summary(stage)}],
        commit=_commit(),
    )
    _cut_log(out / LOG, trainer.step)
    saved = time.monotonic()
    progress = tqdm(total=stage.steps, initial=trainer.step, unit="step", mininterval=2.0)
    with progress as bar, _noted_signals() as signals:
        for values in trainer.run(arguments.until):
            rate = f"{stage.batch / values['seconds']:.1f}"
            bar.set_postfix(loss=f"{values['loss']:.3f}", clips_s=rate, refresh=False)
            bar.update()
            with (out / LOG).open("a") as file:
                file.write(json.dumps({"step": trainer.step, **values}) + "\n")
            if time.monotonic() - saved > 60 * arguments.minutes:
                _save(trainer, card, out)
                saved = time.monotonic()
            if signals:
                break
        _save(trainer, card, out)
    print(f"wrote {out / WEIGHTS} after step {trainer.step}")
    if signals:
        print("stopped by a signal; the same command goes on from here")
        return 128 + signals[0]
    return 0


@contextmanager
def _noted_signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM while a block runs, so that a step in hand is ended and saved."""
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda got, _: came.append(got)) for number in numbers]
    try:
        yield came
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _moved(network: SegmentationNetwork, device: str) -> SegmentationNetwork:
    try:
        return network.to(device)
    except (RuntimeError, AssertionError) as error:  # unknown, absent, or not compiled in
        reason = str(error).splitlines()[0]
        raise StageError(f"the device {device!r} cannot be used: {reason}") from error


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StageError(f"the folder {path} cannot be made: {error.strerror}") from error
    return path


def _cut_log(log: Path, step: int) -> None:
    """Drop what was logged after the checkpoint: those steps are done again."""
    lines = log.read_text().splitlines(keepends=True) if log.exists() else []
    # A line that was cut off when the program was killed comes after the checkpoint, too.
    kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
    if len(kept) < len(lines):
        log.write_text("".join(kept))


def _network(stage: Stage, init: Path | None) -> tuple[SegmentationNetwork, ModelCard]:
    """The network to train, and the card of the weights it starts from."""
    try:
        network = build_network(stage.model, stage.network)
    except (TypeError, ValueError) as error:
        raise StageError(f"the stage's network cannot be built: {error}") from error
    history = ModelCard(model=stage.model, config=network.config)
    if init is not None:
        start, history = load_network(init)
        try:
            network.load_state_dict(start.state_dict())
        except RuntimeError as error:
            ours, theirs = network.config, start.config
            other = [name for name in ours | theirs if ours.get(name) != theirs.get(name)]
            raise StageError(
                f"{init} is not of the stage's network: they differ in {', '.join(other)}"
            ) from error
    elif stage.imagenet:
        name = network.config["backbone"]
        load_imagenet_weights(network.backbone, find_registry_checkpoint(name))
    return network, history


def _save(trainer: Trainer, card: ModelCard, out: Path) -> None:
    """Write the checkpoint, and the averaged weights as a weight file that can be used."""
    trainer.save(out / CHECKPOINT)
    averaged = build_network(card.model, card.config)
    averaged.load_state_dict(trainer.averaged())
    *before, stage = card.schedule
    card = dataclasses.replace(card, schedule=[*before, {**stage, "done": trainer.step}])
    save_network(out / WEIGHTS, averaged, card)


def _sources(stage: Stage) -> list[str]:
    named = list(stage.data.get("stills", {}).get("folders", []))
    if "backgrounds" in stage.data.get("stills", {}):
        named.append(stage.data["stills"]["backgrounds"])
    if "video" in stage.data:
        named.append(f"{stage.data['video']['root']} {stage.data['video'].get('split', 'train')}")
    return named


def _summary(stage: Stage) -> dict:
    """What the stage did, beside what the card says elsewhere."""
    entries = dataclasses.asdict(stage)
    return {name: entries[name] for name in entries if name not in ("model", "network", "data")}


def _commit() -> str:
    """The commit of the source tree; empty for an installed package, whatever tree it lies in."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
