# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a training run: what it starts from, and what it leaves behind.

checkpoint.safetensors   to go on from
weights.safetensors      the averaged weights, as a file that can be used
log.jsonl                a line for each step
"""

from __future__ import annotations

import dataclasses
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vos_ros.data.davis import DavisError
from vos_ros.data.stills import StillError
from vos_ros.files import synchronise
from vos_ros.models import build_network
from vos_ros.models.backbones import CheckpointError as BackboneError
from vos_ros.models.backbones import find_registry_checkpoint, load_imagenet_weights
from vos_ros.models.state import SegmentationNetwork
from vos_ros.training.checkpoint import CheckpointError
from vos_ros.training.data_entries import data_names
from vos_ros.training.distributed import WorldError
from vos_ros.training.divergence import DivergedError
from vos_ros.training.loop import Trainer
from vos_ros.training.stage import Stage, StageError
from vos_ros.weights import ModelCard, WeightsError, load_network, read_card, save_network

if TYPE_CHECKING:
    from vos_ros.training.origin import Origin

CHECKPOINT, WEIGHTS, LOG = "checkpoint.safetensors", "weights.safetensors", "log.jsonl"
#: what an unusable stage, data set, weight file or checkpoint raises, and a training that came to
#: nothing
UNUSABLE = (
    DivergedError,
    StageError,
    StillError,
    DavisError,
    CheckpointError,
    BackboneError,
    WeightsError,
    WorldError,
)


def starting_network(
    stage: Stage, init: Path | None = None, imagenet: Path | None = None
) -> tuple[SegmentationNetwork[Any, Any], ModelCard]:
    """The network to train, and the card of the weights it starts from.

    Random weights are drawn from PyTorch's generator: seed it before.

    Args:
        stage: what network it is, and whether its backbone starts from ImageNet.
        init: weight file to start from.
        imagenet: file of ImageNet weights to start the backbone from, whatever the stage says; not
            looked at beside `init`, which has a backbone of its own.

    Raises:
        StageError: when there is no such network, or `init` is of another one.
        WeightsError: when `init` cannot be used.
        vos_ros.models.backbones.CheckpointError: when the ImageNet weights cannot be had.
    """
    network = stage_network(stage)
    history = ModelCard(model=stage.model, config=network.config)
    if init is not None:
        start, history = load_network(init)
        try:
            network.take_over(start)
        except (RuntimeError, KeyError) as error:
            ours, theirs = network.config, start.config
            other = [name for name in ours | theirs if ours.get(name) != theirs.get(name)]
            raise StageError(
                f"{init} is not of the stage's network: they differ in {', '.join(other)}"
            ) from error
    elif imagenet is not None or stage.imagenet:
        path = imagenet or find_registry_checkpoint(network.config["backbone"])
        load_imagenet_weights(network.backbone, path)
    return network, history


def stage_network(stage: Stage) -> SegmentationNetwork[Any, Any]:
    """The network of a stage, with random weights.

    Raises:
        StageError: when there is no such network.
    """
    try:
        return build_network(stage.model, stage.network)
    except (TypeError, ValueError) as error:
        raise StageError(f"the stage's network cannot be built: {error}") from error


def run_card(
    stage: Stage, history: ModelCard | Origin, config: dict[str, Any], name: str
) -> ModelCard:
    """The card of the weights that a run leaves behind.

    Args:
        stage: what the run does.
        history: card of the weights it starts from, or what a checkpoint says of it.
        config: of the network.
        name: of the stage's file.
    """
    return ModelCard(
        model=stage.model,
        config=config,
        data=[*history.data, *data_names(stage.data)],
        schedule=[*history.schedule, {"config": name, **_summary(stage)}],
        commit=source_commit(),
    )


def save_run(
    trainer: Trainer, card: ModelCard, out: Path, about: dict[str, Any] | None = None
) -> None:
    """Write the checkpoint, and the averaged weights as a weight file that can be used.

    Args:
        trainer: what to save.
        card: of the weights.
        out: folder to write to.
        about: further entries of the checkpoint's progress.
    """
    log = out / LOG
    if log.exists():  # the steps up to the checkpoint must not be lost where it is kept
        synchronise(log)
    trainer.save(out / CHECKPOINT, about)
    averaged = build_network(card.model, card.config)
    averaged.load_state_dict(trainer.averaged())
    *before, stage = card.schedule
    card = dataclasses.replace(card, schedule=[*before, {**stage, "done": trainer.step}])
    save_network(out / WEIGHTS, averaged, card)


def saved_step(out: Path) -> int | None:
    """After which step the weights in a folder were saved; None when there are none."""
    try:
        return read_card(out / WEIGHTS).schedule[-1]["done"]
    except (WeightsError, LookupError, TypeError):
        return None


@contextmanager
def noted_signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM while a block runs, so that a step in hand is ended and saved."""
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda got, _: came.append(got)) for number in numbers]
    try:
        yield came
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def moved(network: SegmentationNetwork[Any, Any], device: str) -> SegmentationNetwork[Any, Any]:
    """The network on a device.

    Raises:
        StageError: when the device is unknown, absent, or not compiled in.
    """
    try:
        return network.to(device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise StageError(f"the device {device!r} cannot be used: {reason}") from error


def made_folder(path: Path) -> Path:
    """The folder, made where it is missing.

    Raises:
        StageError: when it cannot be.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StageError(f"the folder {path} cannot be made: {error.strerror}") from error
    return path


def source_commit() -> str:
    """The commit of the source tree; empty for an installed package, whatever tree it lies in."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _summary(stage: Stage) -> dict[str, Any]:
    """What the stage did, beside what the card says elsewhere."""
    entries = dataclasses.asdict(stage)
    return {name: entries[name] for name in entries if name not in ("model", "network", "data")}
