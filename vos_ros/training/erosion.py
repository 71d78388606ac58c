# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Annotated masks made like found ones: thinner, their edges off by some pixels.

DGMPM, section IV-B: "Erosion is also applied to the previous frame's mask to imitate prediction
masks with coarse boundary."
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

#: an object stops being eroded before less than this share of its area is left
_LEAST_KEPT = 0.25


def eroded(masks: Tensor, radii: Tensor) -> Tensor:
    """Masks whose edges have moved inwards, each by its own number of pixels.

    A pixel takes the least value within the square of 2 r + 1 pixels around it; the border of the
    image is no edge. An object too thin for its radius keeps the last state with a quarter of its
    area, so that erosion never takes it away.

    Args:
        masks: B x K x H x W, soft masks in 0..1.
        radii: B x K whole numbers r >= 0.
    """
    enough = _LEAST_KEPT * masks.sum(dim=(2, 3), keepdim=True)
    for radius in range(1, int(radii.max()) + 1):
        thinner = -F.max_pool2d(-masks, 3, stride=1, padding=1)
        kept = thinner.sum(dim=(2, 3), keepdim=True) >= enough
        masks = torch.where(kept & (radii >= radius)[..., None, None], thinner, masks)
    return masks
