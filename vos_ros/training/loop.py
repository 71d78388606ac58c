# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The training loop: clips in, better weights out, stopped and resumed at any step.

Letters: B clips of T frames, K = 1 object in each, H x W pixels.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vos_ros.models.state import FrameFeatures, ObjectState, SegmentationNetwork
from vos_ros.training.checkpoint import load_checkpoint, save_checkpoint
from vos_ros.training.erosion import eroded
from vos_ros.training.losses import frame_loss, soft_targets, total
from vos_ros.training.stage import Stage

#: what supplies the batches from a given step on, of clips of a given length
BatchSource = Callable[[int, int], Iterator[tuple[Tensor, Tensor]]]


class Trainer:
    """Trains one network through one stage.

    Args:
        network: its parameters are trained in place, on the device they are on.
        stage: what to do.
        batches: called with a step and a length, gives the batches from that step on: images
            B x T x 3 x H x W uint8 and labels B x T x H x W uint8. Equal steps give equal batches,
            which makes resuming exact.
    """

    def __init__(self, network: SegmentationNetwork, stage: Stage, batches: BatchSource) -> None:
        self.network = network
        self.stage = stage
        self.batches = batches
        self.step = 0
        self.average = {k: v.detach().clone() for k, v in network.state_dict().items()}
        network.backbone.freeze_until(stage.frozen_stride)
        backbone = [p for p in network.backbone.parameters() if p.requires_grad]
        inside = {id(p) for p in network.backbone.parameters()}
        heads = [p for p in network.parameters() if id(p) not in inside]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": heads, "peak": stage.learning_rate},
                {"params": backbone, "peak": stage.backbone_learning_rate},
            ],
            lr=0.0,
            weight_decay=stage.weight_decay,
        )

    def run(self, until: int | None = None) -> Iterator[dict[str, float]]:
        """Train up to a step (default: to the end of the stage), yielding the losses of each step.

        The caller may stop iterating at any time, save, and go on later.

        Raises:
            ValueError: when the source of clips gives none.
        """
        end = self.stage.steps if until is None else min(until, self.stage.steps)
        self.network.train()
        while self.step < end:
            length, before = self.stage.length_at(self.step), self.step
            for images, labels in self.batches(self.step, length):
                started = time.perf_counter()
                values = self._train(images, labels)
                values["seconds"] = time.perf_counter() - started
                self.step += 1
                yield values
                if self.step >= end or self.stage.length_at(self.step) != length:
                    break
            if self.step == before:
                raise ValueError(f"the source of clips gives no batch from step {before} on")

    def save(self, path: Path) -> None:
        """Write a checkpoint that :meth:`resume` continues from exactly."""
        save_checkpoint(path, self.network, self.average, self.optimiser, {"step": self.step})

    def resume(self, path: Path) -> None:
        """Continue where a checkpoint was written.

        Raises:
            CheckpointError: when the file cannot be used.
        """
        progress = load_checkpoint(path, self.network, self.average, self.optimiser)
        self.step = progress["step"]

    def averaged(self) -> dict[str, Tensor]:
        """The moving average of the weights: what is worth keeping."""
        return self.average

    def _train(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        stage, network = self.stage, self.network
        device = next(network.parameters()).device
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * stage.rate_at(self.step)
        losses = self._clip_losses(images.to(device), labels.to(device))
        loss = total(losses)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        norm = nn.utils.clip_grad_norm_(parameters, stage.clip_norm)
        if torch.isfinite(norm):  # a step into nowhere would spoil all before it
            self.optimiser.step()
            self._average()
        values = losses | {"loss": loss, "gradient_norm": norm}
        return {name: float(value.detach()) for name, value in values.items()}

    def _clip_losses(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Mean losses over the frames after the first of B clips."""
        network = self.network
        t = images.shape[1]
        features = self._encode(network.normalise(images.flatten(0, 1)))
        with self._autocast():
            frames = [features.frame(index, t) for index in range(t)]
            first = soft_targets(labels[:, 0], 1, *labels.shape[-2:])[:, 1:]
            state = network.start(frames[0], first)
            parts: dict[str, Tensor] = {}
            for index in range(1, t):
                state = self._shown(state, labels[:, index - 1], index)
                prediction, state = network.step(frames[index], state)
                if not self.stage.attached(self.step):
                    state = state.feedback_detached()
                losses = frame_loss(
                    prediction.logits, prediction.coarse_logits, labels[:, index], self.stage.worst
                )
                for name, value in losses.items():
                    parts[name] = parts.get(name, 0) + value / (t - 1)
        return parts

    def _shown(self, state: ObjectState, labels: Tensor, index: int) -> ObjectState:
        """The state before frame `index`, with the annotated mask before where the stage says so.

        The first mask is an annotated one, too: the state has it from the start, but not eroded.
        """
        stage = self.stage
        if not (stage.gives(self.step) or (index == 1 and stage.erosion)):
            return state
        masks = soft_targets(labels, 1, *labels.shape[-2:])[:, 1:]
        if stage.erosion:
            # Of the step and the frame alone, so that a resumed run draws the same.
            rng = np.random.default_rng([stage.seed, self.step, index])
            radii = rng.integers(0, stage.erosion + 1, masks.shape[:2])
            masks = eroded(masks, torch.from_numpy(radii).to(masks.device))
        return state.shown(masks)

    def _encode(self, images: Tensor) -> FrameFeatures:
        """Features of all frames at once.

        A frozen backbone runs in mixed precision. A tuned one runs in float32: gradients of
        depthwise convolutions are slower in bfloat16 on CPUs.
        """
        network = self.network
        images = images.contiguous(memory_format=torch.channels_last)
        if self.stage.tunes_backbone(self.step):
            features = network.backbone(images)
        else:
            with torch.no_grad(), self._autocast():
                features = network.backbone(images)
        with self._autocast():
            return network.project(features)

    def _autocast(self) -> torch.autocast:
        device = next(self.network.parameters()).device
        return torch.autocast(device.type, dtype=torch.bfloat16)

    def _average(self) -> None:
        """Move the average towards the weights; faster at first, when they are still raw."""
        decay = min(self.stage.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                if value.is_floating_point():
                    self.average[name].lerp_(value, 1 - decay)
                else:
                    self.average[name].copy_(value)
