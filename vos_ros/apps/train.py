# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`train`: one stage of training, from a YAML file, resumed where it was stopped."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from vos_ros.models import build_network
from vos_ros.models.backbones import CheckpointError as BackboneError
from vos_ros.models.backbones import find_registry_checkpoint, load_imagenet_weights
from vos_ros.models.state import SegmentationNetwork
from vos_ros.training.checkpoint import CheckpointError
from vos_ros.training.loop import Trainer
from vos_ros.training.sources import StageBatches
from vos_ros.training.stage import Stage, StageError, read_stage
from vos_ros.weights import ModelCard, WeightsError, load_network, save_network


def main(argv: Sequence[str] | None = None) -> int:
    """Run one stage; returns 0 when it came to its end, 2 when something given was unusable."""
    arguments = _parser().parse_args(argv)
    torch.manual_seed(0)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    try:
        return _train(arguments)
    except (StageError, CheckpointError, BackboneError, WeightsError) as error:
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
    trainer = Trainer(network.to(arguments.device), stage, batches)
    arguments.out.mkdir(parents=True, exist_ok=True)
    checkpoint = arguments.out / "checkpoint.safetensors"
    if checkpoint.exists():
        trainer.resume(checkpoint)
        print(f"resuming after step {trainer.step} of {stage.steps}")
    card = ModelCard(
        model=stage.model,
        config=network.config,
        data=[*history.data, *_sources(stage)],
        schedule=[*history.schedule, {"config": arguments.config.name, **_summary(stage)}],
        commit=_commit(),
    )
    log = arguments.out / "log.jsonl"
    saved = time.monotonic()
    bar = tqdm(total=stage.steps, initial=trainer.step, unit="step", mininterval=2.0)
    for values in trainer.run(arguments.until):
        bar.update()
        bar.set_postfix(loss=f"{values['loss']:.3f}", clips_s=f"{stage.batch / values['seconds']:.1f}")
        with log.open("a") as file:
            file.write(json.dumps({"step": trainer.step, **values}) + "\n")
        if time.monotonic() - saved > 60 * arguments.minutes:
            _save(trainer, network, card, arguments.out)
            saved = time.monotonic()
    bar.close()
    _save(trainer, network, card, arguments.out)
    print(f"wrote {arguments.out / 'weights.safetensors'} after step {trainer.step}")
    return 0


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
            raise StageError(f"{init} is not of the stage's network: {error}") from error
    elif stage.imagenet:
        name = stage.network["backbone"]
        load_imagenet_weights(network.backbone, find_registry_checkpoint(name))
    return network, history


def _save(trainer: Trainer, network: SegmentationNetwork, card: ModelCard, out: Path) -> None:
    """Write the checkpoint, and the averaged weights as a weight file that can be used."""
    trainer.save(out / "checkpoint.safetensors")
    averaged = build_network(card.model, card.config)
    averaged.load_state_dict(trainer.averaged())
    save_network(out / "weights.safetensors", averaged, card)


def _sources(stage: Stage) -> list[str]:
    named = list(stage.data.get("stills", {}).get("folders", []))
    if "backgrounds" in stage.data.get("stills", {}):
        named.append(stage.data["stills"]["backgrounds"])
    if "video" in stage.data:
        named.append(f"{stage.data['video']['root']} {stage.data['video'].get('split', 'train')}")
    return named


def _summary(stage: Stage) -> dict:
    names = ("steps", "batch", "size", "lengths", "learning_rate", "backbone_learning_rate", "seed")
    return {name: getattr(stage, name) for name in names}


def _commit() -> str:
    """The commit of the source tree, where it is one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
