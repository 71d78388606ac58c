# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Maps of objects at another resolution, or as another view of the scene shows them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def resize_maps(maps: Tensor, height: int, width: int) -> Tensor:
    """Bilinear resizing of N x K x ... x H x W maps to height x width, whatever lies between."""
    if not maps.numel():  # of a part that is switched off; interpolation refuses no channels
        return maps.new_zeros(*maps.shape[:-2], height, width)
    flat = maps.flatten(0, -4) if maps.dim() > 4 else maps
    out = F.interpolate(flat, size=(height, width), mode="bilinear", align_corners=False)
    return out.reshape(*maps.shape[:-2], height, width)


def view_change(before: np.ndarray, now: np.ndarray) -> Tensor:
    """What `ObjectState.reframed` takes, from two views of one scene.

    Args:
        before: N x 4 or 4: left, top, width and height of what the old padded input shows, in any
            unit.
        now: N x 4, likewise for the new one.

    Returns:
        N x 2 x 3 float32 on the CPU.
    """
    before, now = np.broadcast_arrays(np.asarray(before, float), np.asarray(now, float))
    change = np.zeros((len(now), 2, 3), np.float32)
    for axis in (0, 1):
        half_before, half_now = before[:, 2 + axis] / 2, now[:, 2 + axis] / 2
        middle_before, middle_now = before[:, axis] + half_before, now[:, axis] + half_now
        change[:, axis, axis] = half_now / half_before
        change[:, axis, 2] = (middle_now - middle_before) / half_before
    return torch.from_numpy(change)


def reframe_maps(maps: Tensor, change: Tensor) -> Tensor:
    """N x K x H x W maps of an old view as a new one of the same size shows them, 0 beyond.

    change: N x 2 x 3, from the new view to the old; see `ObjectState.reframed`.
    """
    grid = F.affine_grid(change, list(maps.shape), align_corners=False)
    moved = F.grid_sample(maps.float(), grid, mode="bilinear", align_corners=False)
    return moved.to(maps.dtype)
