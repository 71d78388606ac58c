# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From losses to better weights: the optimiser, scaled losses and the average of the weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from vos_ros.models.state import SegmentationNetwork
from vos_ros.training.stage import Stage


class Optimisation:
    """The optimiser of a stage with all that goes with it.

    Args:
        network: what is trained; of its backbone, what requires gradients.
        stage: how.

    Attributes:
        optimiser: of two groups of parameters, those beside the backbone first.
        scaler: of the loss, which keeps small gradients above what float16 can hold; it does
            nothing in other precisions.
        average: the moving average of the weights, by name.
        left_out: how many steps were left out so far.
        left_out_in_a_row: how many of them since the last that was taken.
    """

    def __init__(self, network: SegmentationNetwork[Any, Any], stage: Stage) -> None:
        self.network, self.stage = network, stage
        self.left_out = self.left_out_in_a_row = 0
        self.average = {k: v.detach().clone() for k, v in network.state_dict().items()}
        backbone = [p for p in network.backbone.parameters() if p.requires_grad]
        inside = {id(p) for p in network.backbone.parameters()}
        heads = [p for p in network.parameters() if id(p) not in inside]
        groups = [
            {"params": heads, "peak": stage.learning_rate},
            {"params": backbone, "peak": stage.backbone_learning_rate},
        ]
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[stage.optimiser]
        self.optimiser = kind(groups, lr=0.0, weight_decay=stage.weight_decay)
        device = next(network.parameters()).device.type
        self.scaler = torch.amp.GradScaler(device, enabled=stage.precision == "fp16")

    def step(self, loss: Tensor, step: int) -> Tensor:
        """Go down the gradient of a loss; returns the norm the gradient had before it was clipped.

        A step into nowhere, of a norm that is not finite, would spoil all before it and is left
        out; where the loss was scaled, the next is scaled less.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * self.stage.rate_at(step)
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimiser)
        parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        norm = nn.utils.clip_grad_norm_(parameters, self.stage.clip_norm)
        if torch.isfinite(norm):
            self.scaler.step(self.optimiser)
            self._average(step)
            self.left_out_in_a_row = 0
        else:
            self.left_out += 1
            self.left_out_in_a_row += 1
        self.scaler.update()
        return norm

    def progress(self) -> dict[str, Any]:
        """What a checkpoint must hold beside the moments and the average."""
        return {
            "scaler": self.scaler.state_dict(),
            "left_out": [self.left_out, self.left_out_in_a_row],
        }

    def restore(self, progress: dict[str, Any]) -> None:
        """Go on from such progress; one of another precision has no scale of the loss."""
        saved = progress.get("scaler")
        if saved and self.scaler.is_enabled():
            self.scaler.load_state_dict(saved)
        self.left_out, self.left_out_in_a_row = progress.get("left_out", (0, 0))

    def _average(self, step: int) -> None:
        """Move the average towards the weights; faster at first, when they are still raw."""
        decay = min(self.stage.ema, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                if value.is_floating_point():
                    self.average[name].lerp_(value, 1 - decay)
                else:
                    self.average[name].copy_(value)
