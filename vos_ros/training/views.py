# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips seen through a region that follows their objects, as the segmenter sees a video.

Letters: B clips of T frames, H x W pixels of a frame, h x w of what the network sees of it.
"""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vos_ros.models.maps import view_change
from vos_ros.region import Region, RegionSettings, region_around

#: the whole frame: left, top, width and height in shares of the frame
WHOLE = (0.0, 0.0, 1.0, 1.0)
#: margins of the regions, the smallest and the largest; the segmenter's own lies between
MARGINS = (1.5, 3.0)


def follow(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The region of every frame of a clip, by where the objects were the frame before.

    Where one of them was not to be seen, the region is the whole frame. It is a little off, as one
    is that goes by what was found.

    Args:
        labels: T x H x W, 0 background, 1..K the objects.
        rng: where the margin and the errors come from.

    Returns:
        T x 4: left, top, width and height in shares of the frame.
    """
    low, high = np.log(MARGINS)
    settings = RegionSettings(margin=float(np.exp(rng.uniform(low, high))))
    objects = range(1, int(labels.max()) + 1)
    before = [labels[0], *labels[:-1]]
    return np.array([_region(frame, objects, settings, rng) for frame in before])


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    x, y, width, height = cv2.boundingRect(mask)
    return x, y, width, height


def _region(
    labels: np.ndarray, objects: range, settings: RegionSettings, rng: np.random.Generator
) -> tuple[float, ...]:
    offsets, growth = rng.normal(0, 0.06, 2), float(np.exp(rng.normal(0, 0.08)))
    boxes = [_box((labels == k).astype(np.uint8)) for k in objects]
    region = region_around(boxes, labels.shape, settings)
    if region == Region.whole(labels.shape):
        return WHOLE
    height, width = labels.shape
    # In shares of the frame all regions, being of its own shape, are squares.
    side = min(1.0, growth * region.height / height)
    middle = np.array([region.x + region.width / 2, region.y + region.height / 2])
    corner = np.clip(middle / (width, height) + side * (offsets - 0.5), 0, 1 - side)
    return (*corner.tolist(), side, side)


def whole_frames(clips: int, length: int) -> np.ndarray:
    """The regions B x T x 4 of clips of which all is seen."""
    return np.broadcast_to(np.array(WHOLE), (clips, length, 4))


def look(
    images: Tensor, labels: Tensor, regions: np.ndarray, size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
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
    sampled = partial(
        F.grid_sample, mode="bilinear", align_corners=False, padding_mode="reflection"
    )
    seen = sampled(images.flatten(0, 1).float(), grid)
    flat = labels.flatten(0, 1)
    objects = torch.stack([flat == k for k in range(1, int(flat.max()) + 1)] or [flat > 0], dim=1)
    shares = sampled(objects.float(), grid)
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
    return change.unflatten(0, (clips, length - 1))
