# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The training loop: clips in, better weights out, stopped and resumed at any step.

Letters: B clips of T frames, H x W pixels.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vos_ros.models.state import SegmentationNetwork
from vos_ros.training.checkpoint import load_checkpoint, save_checkpoint
from vos_ros.training.clip_loss import ClipLoss
from vos_ros.training.distributed import World
from vos_ros.training.losses import total
from vos_ros.training.optimisation import Optimisation
from vos_ros.training.stage import Stage

#: what supplies the batches from a given step on, of clips of a given length
BatchSource = Callable[[int, int], Iterator[tuple[Tensor, Tensor]]]


class Trainer:
    """Trains one network through one stage, alone or with other processes.

    Args:
        network: its parameters are trained in place, on the device they are on. Those of rank 0 are
            what all processes begin with.
        stage: what to do.
        batches: called with a step and a length, gives the batches from that step on: images
            B x T x 3 x H x W uint8 and labels B x T x H x W uint8. Equal steps give equal batches,
            which makes resuming exact. In a world of n processes, B is an n-th of the stage's
            batch: rank r gets its r-th part.
        world: the processes that train this network together, each with a trainer of its own. All
            of them run the same steps; one of them saves.

    Attributes:
        step: how many steps are done.
        last_batch: images and labels of the last step, as the source gave them; None before.
    """

    def __init__(
        self,
        network: SegmentationNetwork[Any, Any],
        stage: Stage,
        batches: BatchSource,
        world: World | None = None,
    ) -> None:
        self.network = network
        self.stage = stage
        self.batches = batches
        self.world = world or World.single()
        self.step = 0
        self.last_batch: tuple[Tensor, Tensor] | None = None
        self._loss = ClipLoss(network, stage, self.world)
        # The wrapped module looks at which parameters are trained, and sends round rank 0's.
        network.backbone.freeze_until(stage.frozen_stride)
        self._shared_loss = self.world.shared(self._loss)
        self._optimisation = Optimisation(network, stage)
        self.optimiser = self._optimisation.optimiser

    def run(self, until: int | None = None) -> Iterator[dict[str, float]]:
        """Train up to a step (default: to the end of the stage), yielding the losses of each step.

        The caller may stop iterating at any time, save, and go on later.

        Raises:
            ValueError: when the source of clips gives none.
        """
        end = self.stage.steps if until is None else min(until, self.stage.steps)
        self.network.train()
        while self.step < end:
            before, kind = self.step, self._kind_of_clips()
            for images, labels in self.batches(before, kind[0]):
                started = time.perf_counter()
                values = self._train(images, labels)
                values["seconds"] = time.perf_counter() - started
                self.step += 1
                yield values
                if self.step >= end or self._kind_of_clips() != kind:
                    break
            if self.step == before:
                raise ValueError(f"the source of clips gives no batch from step {before} on")

    @property
    def left_out(self) -> int:
        """How many of the steps changed nothing, because their gradient was not finite."""
        return self._optimisation.left_out

    @property
    def left_out_in_a_row(self) -> int:
        """How many such steps were taken since the last that changed something."""
        return self._optimisation.left_out_in_a_row

    def save(self, path: Path, about: dict[str, Any] | None = None) -> None:
        """Write a checkpoint that :meth:`resume` continues from exactly.

        Args:
            path: of the file.
            about: further entries of its progress, plain values.
        """
        progress = {**(about or {}), "step": self.step, **self._optimisation.progress()}
        save_checkpoint(path, self.network, self.averaged(), self.optimiser, progress)

    def resume(self, path: Path) -> None:
        """Continue where a checkpoint was written.

        Raises:
            CheckpointError: when the file cannot be used.
        """
        progress = load_checkpoint(path, self.network, self.averaged(), self.optimiser)
        self._optimisation.restore(progress)
        self.step = progress["step"]

    def averaged(self) -> dict[str, Tensor]:
        """The moving average of the weights: what is worth keeping."""
        return self._optimisation.average

    def preview(self, images: Tensor, labels: Tensor) -> Tensor:
        """What the present weights find in clips: B x T x H x W uint8 labels, on the CPU.

        Args:
            images: B x T x 3 x H x W uint8.
            labels: B x T x H x W uint8; the objects of the first frame are followed.
        """
        device = self._device()
        clips = zip(images.to(device), labels[:, 0].to(device), strict=True)
        return torch.stack([self._loss.predict(*clip) for clip in clips]).cpu()

    def _kind_of_clips(self) -> tuple[int, int | None]:
        """Length and gap of the clips of the present step."""
        return self.stage.length_at(self.step), self.stage.gap_at(self.step)

    def _device(self) -> torch.device:
        return next(self.network.parameters()).device

    def _train(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        self.last_batch = images, labels
        losses = self._clip_losses(images.to(self._device()), labels.to(self._device()))
        loss = total(losses)
        norm = self._optimisation.step(loss, self.step)
        values = {name: float(value.detach()) for name, value in (losses | {"loss": loss}).items()}
        return self.world.mean(values) | {"gradient_norm": float(norm)}

    def _clip_losses(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Mean losses over the scored frames of this process's clips."""
        return self._shared_loss(images, labels, self.step)
