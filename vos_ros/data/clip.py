# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one thing that every source of training material yields: a short clip with its labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch


@dataclass(frozen=True)
class Clip:
    """A short clip.

    images: T x H x W x 3 uint8, RGB.
    labels: T x H x W uint8, 0 background, 1..n the objects to follow. Frame 0 shows every object; a
    later frame may show none.
    faults: files passed over on the way to this clip, and what is wrong with each.
    """

    images: np.ndarray
    labels: np.ndarray
    faults: dict[str, str] = field(default_factory=dict)


class ClipSource(Protocol):
    """Endless clips by number: the same number always gives the same clip."""

    def __getitem__(self, index: int) -> Clip: ...


def collate(clips: Sequence[Clip]) -> tuple[torch.Tensor, torch.Tensor]:
    """Stack clips of one size: images B x T x 3 x H x W uint8 and labels B x T x H x W uint8."""
    images = torch.from_numpy(np.stack([clip.images for clip in clips]))
    labels = torch.from_numpy(np.stack([clip.labels for clip in clips]))
    return images.permute(0, 1, 4, 2, 3).contiguous(), labels


def least_area(size: tuple[int, int]) -> int:
    """Fewest pixels of an object in frame 0 of a clip of this height and width.

    150 at 256 x 448. With fewer than that the first mask says too little of what is to be followed.
    """
    return max(16, round(150 * size[0] * size[1] / (256 * 448)))


def closing_up(labels: np.ndarray, least: int) -> np.ndarray:
    """The table old id -> new, 256 uint8, that drops small objects and numbers the rest 1..n.

    labels: any shape, uint8; an object is small with fewer than `least` pixels in them.
    """
    counts = np.bincount(labels.ravel(), minlength=256)
    kept = 1 + np.flatnonzero(counts[1:] >= least)
    table = np.zeros(256, np.uint8)
    table[kept] = np.arange(1, len(kept) + 1)
    return table
