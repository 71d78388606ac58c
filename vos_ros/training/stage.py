# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One stage of training, as its YAML file states it."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path

import yaml

from vos_ros.models.backbones import STRIDES

#: numbers of a stage: kind, lowest and highest value that makes sense
_RANGES: dict[str, tuple[type, float, float]] = {
    "steps": (int, 1, math.inf),
    "batch": (int, 1, math.inf),
    "learning_rate": (float, 0, math.inf),
    "backbone_learning_rate": (float, 0, math.inf),
    "warm_up": (float, 0, 1),
    "unfreeze": (float, 0, 1),
    "attach": (float, 0, 1),
    "given": (float, 0, 1),
    "erosion": (int, 0, math.inf),
    "weight_decay": (float, 0, math.inf),
    "clip_norm": (float, 1e-9, math.inf),
    "worst": (float, 1e-9, 1),
    "ema": (float, 0, 1),
    "seed": (int, 0, math.inf),
}


class StageError(ValueError):
    """A stage file that cannot be used; the message says what to change."""


@dataclass(frozen=True)
class Stage:
    """Everything that decides what a stage of training does.

    Attributes:
        model: name of the network, ``gfddal`` or ``dgmpm``.
        network: keyword arguments of the network.
        imagenet: start the backbone from the ImageNet weights of its registry package.
        data: the sources of clips; see `vos_ros.training.sources`.
        size: height and width of the clips, pixels, multiples of 32.
        lengths: pairs (share of the stage, frames per clip), the shares ascending from 0: from that
            share on, clips are so long.
        batch: clips per step.
        steps: optimiser steps of the stage.
        learning_rate: peak rate of everything beside the backbone.
        backbone_learning_rate: peak rate of the backbone.
        warm_up: share of the stage in which the rate rises from 0.
        unfreeze: share of the stage from which the backbone is tuned (1: never).
        frozen_stride: layers of the backbone up to this stride are never tuned; 0 spares none.
        attach: share of the stage from which gradients flow through the previous masks.
        given: share of the stage up to which every previous mask is the annotated one, not the one
            found: clips are then so many single steps (DGMPM's paper).
        erosion: most pixels by which an annotated previous mask is made thinner, drawn for every
            clip and frame; 0 leaves it as it is.
        weight_decay: of AdamW.
        clip_norm: bound of the gradient norm.
        worst: share of pixels in the bootstrapped cross-entropy.
        ema: decay per step of the averaged weights, which are what is saved.
        seed: of everything random.

    Raises:
        StageError: when an entry is of another kind or out of range.
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
    given: float = 0.0
    erosion: int = 0
    weight_decay: float = 1e-4
    clip_norm: float = 1.0
    worst: float = 0.25
    ema: float = 0.998
    seed: int = 1

    def __post_init__(self) -> None:
        for name, kind in (("model", str), ("network", dict), ("data", dict), ("imagenet", bool)):
            if not isinstance(getattr(self, name), kind):
                raise StageError(f"{name} must be a {kind.__name__}, not {getattr(self, name)!r}")
        for name, bounds in _RANGES.items():
            _check_number(name, getattr(self, name), *bounds)
        if self.frozen_stride not in (0, *STRIDES):
            raise StageError(
                f"frozen_stride must be 0 or one of {STRIDES}, not {self.frozen_stride!r}"
            )
        _check_size(self.size)
        _check_lengths(self.lengths)

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


def _tuples(value: object) -> object:
    """Lists, and lists in them, as tuples."""
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> bool:
    return _whole(value) or (isinstance(value, float) and math.isfinite(value))


def _check_number(name: str, value: object, kind: type, low: float, high: float) -> None:
    if not (_whole(value) if kind is int else _number(value)):
        # YAML reads 1e-3, without a point, as text.
        hint = " (write 1.0e-3 for 1e-3)" if isinstance(value, str) else ""
        what = "a whole number" if kind is int else "a number"
        raise StageError(f"{name} must be {what}, not {value!r}{hint}")
    if not low <= value <= high:
        wanted = f"at least {low:g}" if high == math.inf else f"within {low:g}..{high:g}"
        raise StageError(f"{name} must be {wanted}, not {value}")


def _check_size(size: object) -> None:
    fits = isinstance(size, tuple) and len(size) == 2 and all(map(_whole, size))
    if not fits or any(side <= 0 or side % 32 for side in size):
        shown = list(size) if isinstance(size, tuple) else size
        raise StageError(f"size must be height and width, multiples of 32, not {shown!r}")


def _check_lengths(lengths: object) -> None:
    pairs = isinstance(lengths, tuple) and all(
        isinstance(pair, tuple) and len(pair) == 2 and _number(pair[0]) and _whole(pair[1])
        for pair in lengths
    )
    shares = [share for share, _ in lengths] if pairs else []
    ascending = all(a < b for a, b in zip(shares, shares[1:], strict=False))
    if not shares or shares[0] != 0 or not ascending or shares[-1] >= 1:
        raise StageError(
            "lengths must be pairs [share of the stage, frames per clip], "
            f"the shares ascending from 0 to below 1, not {lengths!r}"
        )
    if any(frames < 2 for _, frames in lengths):
        raise StageError(f"lengths must have 2 or more frames each, not {lengths!r}")
