# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the entries of a stage must be, and the sentences that say so."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

from vos_ros.models.backbones import STRIDES

#: numbers of a stage: kind, lowest and highest value that makes sense
RANGES: dict[str, tuple[type, float, float]] = {
    "steps": (int, 1, math.inf),
    "region": (float, 0, 1),
    "batch": (int, 1, math.inf),
    "objects": (int, 1, 255),
    "scored_from": (int, 1, math.inf),
    "learning_rate": (float, 0, math.inf),
    "backbone_learning_rate": (float, 0, math.inf),
    "warm_up": (float, 0, 1),
    "final_rate": (float, 1e-9, 1),
    "unfreeze": (float, 0, 1),
    "attach": (float, 0, 1),
    "truncate": (int, 0, math.inf),
    "given": (float, 0, 1),
    "erosion": (int, 0, math.inf),
    "weight_decay": (float, 0, math.inf),
    "clip_norm": (float, 1e-9, math.inf),
    "worst": (float, 1e-9, 1),
    "dice": (float, 0, math.inf),
    "lovasz": (float, 0, math.inf),
    "coarse": (float, 0, math.inf),
    "ema": (float, 0, 1),
    "seed": (int, 0, 2**32 - 1),  # what every generator of random numbers takes
}
#: entries of a stage that are one of some words
CHOICES: dict[str, tuple[str, ...]] = {
    "optimiser": ("adamw", "adam"),
    "schedule": ("cosine", "exponential", "constant"),
    "precision": ("bf16", "fp16", "fp32"),
}


class StageError(ValueError):
    """A stage file that cannot be used; the message says what to change."""


def check_kinds(entries: dict[str, Any]) -> None:
    """Raise StageError unless every entry but the lists is of its kind and in its range."""
    for name, kind in (("model", str), ("network", dict), ("data", dict), ("imagenet", bool)):
        if not isinstance(entries[name], kind):
            raise StageError(f"{name} must be a {kind.__name__}, not {entries[name]!r}")
    for name, bounds in RANGES.items():
        _check_number(name, entries[name], *bounds)
    for name, words in CHOICES.items():
        if entries[name] not in words:
            known = ", ".join(words)
            raise StageError(f"{name} must be one of {known}, not {entries[name]!r}")
    if entries["frozen_stride"] not in (0, *STRIDES):
        raise StageError(
            f"frozen_stride must be 0 or one of {STRIDES}, not {entries['frozen_stride']!r}"
        )


def check_size(name: str, size: object) -> None:
    """Raise StageError unless it is a height and a width, multiples of 32."""
    sides = size if isinstance(size, tuple) else ()
    fits = len(sides) == 2 and all(map(_whole, sides))
    if not fits or any(side <= 0 or side % 32 for side in sides):
        shown = list(size) if isinstance(size, tuple) else size
        raise StageError(f"{name} must be height and width, multiples of 32, not {shown!r}")


def check_curriculum(name: str, what: str, least: int, pairs: object) -> None:
    """Raise StageError unless it is pairs (share of the stage, whole number), shares ascending.

    Args:
        name: of the entry.
        what: what the second of each pair is, in words.
        least: its least value.
        pairs: the entry.
    """
    known = pairs if isinstance(pairs, tuple) else ()
    fits = all(
        isinstance(pair, tuple) and len(pair) == 2 and _number(pair[0]) and _whole(pair[1])
        for pair in known
    )
    shares = [share for share, _ in known] if fits else []
    ascending = all(a < b for a, b in zip(shares, shares[1:], strict=False))
    if not shares or shares[0] != 0 or not ascending or shares[-1] >= 1:
        raise StageError(
            f"{name} must be pairs [share of the stage, {what}], "
            f"the shares ascending from 0 to below 1, not {pairs!r}"
        )
    if any(number < least for _, number in known):
        raise StageError(f"{name} must have {least} or more {what.split()[0]} each, not {pairs!r}")


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> TypeGuard[float]:
    return _whole(value) or (isinstance(value, float) and math.isfinite(value))


def _check_number(name: str, value: object, kind: type, low: float, high: float) -> None:
    fits = _whole(value) if kind is int else _number(value)
    if not isinstance(value, int | float) or not fits:
        # YAML reads 1e-3, without a point, as text.
        hint = " (write 1.0e-3 for 1e-3)" if isinstance(value, str) else ""
        what = "a whole number" if kind is int else "a number"
        raise StageError(f"{name} must be {what}, not {value!r}{hint}")
    if not low <= value <= high:
        least, most = (str(n) if type(n) is int else f"{n:g}" for n in (low, high))
        wanted = f"at least {least}" if most == "inf" else f"within {least}..{most}"
        raise StageError(f"{name} must be {wanted}, not {value}")
