# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips seen through a region that follows their objects, as the segmenter sees a video.

Letters: B clips of T frames, H x W pixels of a frame, h x w of what the network sees of it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vos_ros.models.state import view_change

#: the whole frame: left, top, width and height in shares of the frame
WHOLE = (0.0, 0.0, 1.0, 1.0)
#: how much larger than the objects the region is, at least and at most
MARGINS = (1.5, 3.0)
#: shortest side of a region, in shares of the frame's
SMALLEST = 0.2
#: a region nearly as large as the frame is the frame
_NEARLY_WHOLE = 0.92


def follow(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The region of every frame of a clip, by where the objects were the frame before.

    Where none was to be seen, the region is the whole frame. It is a little off, as one is that
    goes by what was found.

    Args:
        labels: T x H x W, 0 background.
        rng: where the margin and the errors come from.

    Returns:
        T x 4: left, top, width and height in shares of the frame.
    """
    low, high = np.log(MARGINS)
    margin = float(np.exp(rng.uniform(low, high)))
    before = [labels[0], *labels[:-1]]
    return np.array([_region(frame > 0, margin, rng) for frame in before])


def _region(covered: np.ndarray, margin: float, rng: np.random.Generator) -> tuple[float, ...]:
    offsets, growth = rng.normal(0, 0.06, 2), float(np.exp(rng.normal(0, 0.08)))
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    if not rows.size:
        return WHOLE
    height, width = covered.shape
    top, left = rows[0] / height, columns[0] / width
    tall, wide = (rows[-1] + 1) / height - top, (columns[-1] + 1) / width - left
    # In shares of the frame all regions of the frame's own shape are squares.
    extra = (margin - 1.25) * (tall * wide) ** 0.5
    side = max(SMALLEST, growth * (1.25 * max(tall, wide) + extra))
    if side >= _NEARLY_WHOLE:
        return WHOLE
    middle = np.array([left + wide / 2, top + tall / 2]) + side * offsets
    corner = np.clip(middle - side / 2, 0, 1 - side)
    return (*corner.tolist(), side, side)


def whole_frames(clips: int, length: int) -> np.ndarray:
    """The regions B x T x 4 of clips of which all is seen."""
    return np.broadcast_to(np.array(WHOLE), (clips, length, 4))


def look(images: Tensor, labels: Tensor, regions: np.ndarray, size: tuple[int, int]):
    """What the network sees of every frame.

    Args:
        images: B x T x 3 x H x W in 0..255.
        labels: B x T x H x W integers.
        regions: B x T x 4.
        size: h and w.

    Returns:
        B x T x 3 x h x w float32 and B x T x h x w of the labels' type.
    """
    clips, length = labels.shape[:2]
    if tuple(labels.shape[2:]) == tuple(size) and np.array_equal(
        regions, whole_frames(clips, length)
    ):
        return images, labels
    change = view_change(np.array(WHOLE), regions.reshape(-1, 4)).to(images.device)
    grid = F.affine_grid(change, [clips * length, 3, *size], align_corners=False)
    # Reflection, so that the border of a frame is not mixed with black.
    options = {"align_corners": False, "padding_mode": "reflection"}
    seen = F.grid_sample(images.flatten(0, 1).float(), grid, mode="bilinear", **options)
    flat = labels.flatten(0, 1)
    objects = torch.stack([flat == k for k in range(1, int(flat.max()) + 1)] or [flat > 0], dim=1)
    shares = F.grid_sample(objects.float(), grid, mode="bilinear", **options)
    # The background has what is left. Not argmax: over this dimension it is slow on a CPU.
    most, found = 1 - shares.sum(dim=1), torch.zeros_like(shares[:, 0], dtype=labels.dtype)
    for k, share in enumerate(shares.unbind(dim=1), 1):
        found = torch.where(share > most, k, found)
        most = torch.maximum(share, most)
    return seen.unflatten(0, (clips, length)), found.unflatten(0, (clips, length))


def changes_of(regions: np.ndarray) -> Tensor:
    """From the view of every frame but the first to that of the one before: B x T - 1 x 2 x 3."""
    clips, length = regions.shape[:2]
    change = view_change(regions[:, :-1].reshape(-1, 4), regions[:, 1:].reshape(-1, 4))
    return change.unflatten(0, (clips, length - 1)) if clips * (length - 1) else torch.empty(0)
