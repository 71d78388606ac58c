# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One stage of training, as its YAML file states it."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vos_ros.training.stage_checks import StageError, check_curriculum, check_kinds, check_size

__all__ = ["Stage", "StageError", "read_stage"]


@dataclass(frozen=True)
class Stage:
    """Everything that decides what a stage of training does.

    Attributes:
        model: name of the network, ``gfddal`` or ``dgmpm``.
        network: keyword arguments of the network.
        imagenet: start the backbone from the ImageNet weights of its registry package.
        data: the sources of clips; see `vos_ros.training.sources`.
        size: height and width of the clips, pixels, multiples of 32.
        region: share of the clips that are seen through a region about their objects, as the
            segmenter sees a video; of the others the whole frame is seen.
        input_size: height and width of what the network sees, likewise; none: as `size`.
        lengths: pairs (share of the stage, frames per clip), the shares ascending from 0: from that
            share on, clips are so long.
        gaps: pairs (share of the stage, most frames of the video from one frame of a clip to the
            next), likewise; none: as the `data` entries say, all the time.
        objects: most objects followed in a clip.
        batch: clips per step, of all processes together.
        steps: optimiser steps of the stage.
        optimiser: ``adamw`` or ``adam``, which counts the weight decay as part of the gradient.
        learning_rate: peak rate of everything beside the backbone.
        backbone_learning_rate: peak rate of the backbone.
        warm_up: share of the stage in which the rates rise from 0.
        schedule: what they do then: half a ``cosine`` down to 0, ``exponential`` down to
            `final_rate` of the peak, or ``constant``.
        final_rate: see `schedule`.
        unfreeze: share of the stage from which the backbone is tuned (1: never).
        frozen_stride: layers of the backbone up to this stride are never tuned; 0 spares none.
        attach: share of the stage from which gradients flow through the previous masks.
        truncate: cut them off after every so many frames of a clip; 0: nowhere.
        given: share of the stage up to which every previous mask is the annotated one, not the one
            found: clips are then so many single steps (DGMPM's paper).
        scored_from: index of the first frame of a clip whose loss counts. Frames between the first
            and this one are gone through without gradients; while previous masks are given, only
            their masks are looked at. 2 and clips of three are the reference, the previous and the
            target frame of DGMPM's paper.
        erosion: most pixels by which an annotated previous mask is made thinner, drawn for every
            clip, frame and object; 0 leaves it as it is.
        weight_decay: of the optimiser.
        clip_norm: bound of the gradient norm.
        precision: ``bf16`` or ``fp16`` mixed precision, the latter with scaled losses, or ``fp32``.
        worst: share of pixels in the bootstrapped cross-entropy.
        dice: weight of the Dice loss.
        lovasz: weight of the Lovász loss.
        coarse: weight of the cross-entropy of the coarse prediction, where a network has one.
        ema: decay per step of the averaged weights, which are what is saved.
        seed: of everything random.

    Raises:
        StageError: when an entry is of another kind or out of range.
    """

    model: str
    network: dict[str, Any]
    data: dict[str, Any]
    steps: int
    imagenet: bool = False
    size: tuple[int, int] = (256, 448)
    region: float = 0.0
    input_size: tuple[int, int] | tuple[()] = ()
    lengths: tuple[tuple[float, int], ...] = ((0.0, 4),)
    gaps: tuple[tuple[float, int], ...] = ()
    objects: int = 1
    batch: int = 4
    optimiser: str = "adamw"
    learning_rate: float = 1e-3
    backbone_learning_rate: float = 1e-4
    warm_up: float = 0.02
    schedule: str = "cosine"
    final_rate: float = 0.01
    unfreeze: float = 1.0
    frozen_stride: int = 8
    attach: float = 0.5
    truncate: int = 0
    given: float = 0.0
    scored_from: int = 1
    erosion: int = 0
    weight_decay: float = 1e-4
    clip_norm: float = 1.0
    precision: str = "bf16"
    worst: float = 0.25
    dice: float = 0.5
    lovasz: float = 0.0
    coarse: float = 0.5
    ema: float = 0.998
    seed: int = 1

    def __post_init__(self) -> None:
        check_kinds({f.name: getattr(self, f.name) for f in dataclasses.fields(self)})
        check_size("size", self.size)
        if self.input_size != ():
            check_size("input_size", self.input_size)
        check_curriculum("lengths", "frames per clip", 2, self.lengths)
        if self.gaps != ():
            check_curriculum("gaps", "frames of the video per step", 1, self.gaps)
        shortest = min(frames for _, frames in self.lengths)
        if self.scored_from >= shortest:
            raise StageError(
                f"scored_from must be below the length of every clip, {shortest} frames, "
                f"not {self.scored_from}"
            )

    @property
    def seen_size(self) -> tuple[int, int]:
        """Height and width of what the network sees of a clip, pixels."""
        return self.input_size or self.size

    def length_at(self, step: int) -> int:
        """Frames per clip at a step."""
        return _at(self.lengths, step, self.steps)

    def gap_at(self, step: int) -> int | None:
        """Most frames of the video per step of a clip, at a step; None: as the data say."""
        return _at(self.gaps, step, self.steps) if self.gaps else None

    def rate_at(self, step: int) -> float:
        """Factor on the learning rates: linear warm-up, then as `schedule` says."""
        rise = self.warm_up * self.steps
        if step < rise:
            return (step + 1) / (rise + 1)
        if self.schedule == "constant":
            return 1.0
        done = (step - rise) / max(1.0, self.steps - rise)
        if self.schedule == "exponential":
            return self.final_rate**done
        return 0.5 * (1 + math.cos(math.pi * done))

    def tunes_backbone(self, step: int) -> bool:
        """Whether the backbone is tuned at a step."""
        return step >= self.unfreeze * self.steps

    def attached(self, step: int) -> bool:
        """Whether gradients flow through the previous masks at a step."""
        return step >= self.attach * self.steps

    def gives(self, step: int) -> bool:
        """Whether every previous mask is the annotated one at a step."""
        return step < self.given * self.steps


def read_stage(path: Path | str) -> Stage:
    """Read a stage file.

    Raises:
        StageError: when the file is absent, is not YAML, or has a missing, unknown or bad entry.
    """
    try:
        entries = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise StageError(f"the stage file {path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise StageError(f"the stage file {path} is not YAML: {error}") from error
    if not isinstance(entries, dict):
        raise StageError(f"the stage file {path} must hold `name: value` entries")
    known = [f.name for f in dataclasses.fields(Stage)]
    unknown = sorted(str(name) for name in entries if name not in known)
    if unknown:
        raise StageError(f"{path}: unknown {', '.join(unknown)}; known are {', '.join(known)}")
    missing = [name for name in ("model", "network", "data", "steps") if name not in entries]
    if missing:
        raise StageError(f"{path}: {', '.join(missing)} must be given")
    try:
        return Stage(**{name: _tuples(value) for name, value in entries.items()})
    except StageError as error:
        raise StageError(f"{path}: {error}") from error


def _tuples(value: Any) -> Any:
    """Lists, and lists in them, as tuples."""
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value


def _at(pairs: tuple[tuple[float, int], ...], step: int, steps: int) -> int:
    """The value of the last pair whose share of the stage is reached at a step."""
    return [value for share, value in pairs if step >= share * steps][-1]
