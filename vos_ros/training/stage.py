# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One stage of training, as its YAML file states it."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path

import yaml


class StageError(ValueError):
    """A stage file that cannot be used; the message says what to change."""


@dataclass(frozen=True)
class Stage:
    """Everything that decides what a stage of training does.

    Attributes:
        model: name of the network, ``gfddal``.
        network: keyword arguments of the network.
        imagenet: start the backbone from the ImageNet weights of its registry package.
        data: the sources of clips; see `vos_ros.training.sources`.
        size: height and width of the clips, pixels, multiples of 32.
        lengths: pairs (share of the stage, frames per clip): from that share on, clips are so long.
        batch: clips per step.
        steps: optimiser steps of the stage.
        learning_rate: peak rate of everything beside the backbone.
        backbone_learning_rate: peak rate of the backbone.
        warm_up: share of the stage in which the rate rises from 0.
        unfreeze: share of the stage from which the backbone is tuned (1: never).
        frozen_stride: layers of the backbone up to this stride are never tuned.
        attach: share of the stage from which gradients flow through the previous masks.
        weight_decay: of AdamW.
        clip_norm: bound of the gradient norm.
        worst: share of pixels in the bootstrapped cross-entropy.
        ema: decay per step of the averaged weights, which are what is saved.
        seed: of everything random.
    """

    model: str
    network: dict
    data: dict
    steps: int
    imagenet: bool = False
    size: tuple[int, int] = (256, 448)
    lengths: tuple[tuple[float, int], ...] = ((0.0, 4),)
    batch: int = 4
    learning_rate: float = 1e-3
    backbone_learning_rate: float = 1e-4
    warm_up: float = 0.02
    unfreeze: float = 1.0
    frozen_stride: int = 8
    attach: float = 0.5
    weight_decay: float = 1e-4
    clip_norm: float = 1.0
    worst: float = 0.25
    ema: float = 0.998
    seed: int = field(default=1)

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1:
            raise StageError(f"steps ({self.steps}) and batch ({self.batch}) must be 1 or more")
        if any(side % 32 or side <= 0 for side in self.size):
            raise StageError(f"size {list(self.size)} must be positive multiples of 32")
        if not self.lengths or self.lengths[0][0] != 0 or any(n < 2 for _, n in self.lengths):
            raise StageError(
                f"lengths {list(self.lengths)} must begin at share 0 and have 2 or more frames each"
            )

    def length_at(self, step: int) -> int:
        """Frames per clip at a step."""
        return [n for share, n in self.lengths if step >= share * self.steps][-1]

    def rate_at(self, step: int) -> float:
        """Factor on the learning rates: linear warm-up, then half a cosine down to 0."""
        rise = max(1.0, self.warm_up * self.steps)
        if step < rise:
            return (step + 1) / (rise + 1)
        return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1.0, self.steps - rise)))

    def tunes_backbone(self, step: int) -> bool:
        """Whether the backbone is tuned at a step."""
        return step >= self.unfreeze * self.steps

    def attached(self, step: int) -> bool:
        """Whether gradients flow through the previous masks at a step."""
        return step >= self.attach * self.steps


def read_stage(path: Path | str) -> Stage:
    """Read a stage file.

    Raises:
        StageError: when the file is absent, is not YAML, or has a missing, unknown or bad entry.
    """
    try:
        entries = yaml.safe_load(Path(path).read_text())
    except OSError as error:
        raise StageError(f"the stage file {path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise StageError(f"the stage file {path} is not YAML: {error}") from error
    if not isinstance(entries, dict):
        raise StageError(f"the stage file {path} must hold `name: value` entries")
    known = {f.name: f for f in dataclasses.fields(Stage)}
    unknown = sorted(set(entries) - set(known))
    if unknown:
        raise StageError(f"{path}: unknown {', '.join(unknown)}; known are {', '.join(known)}")
    missing = sorted({"model", "network", "data", "steps"} - set(entries))
    if missing:
        raise StageError(f"{path}: {', '.join(missing)} must be given")
    if "size" in entries:
        entries["size"] = tuple(entries["size"])
    if "lengths" in entries:
        entries["lengths"] = tuple((float(s), int(n)) for s, n in entries["lengths"])
    return Stage(**entries)
