# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Embedding distance (DGMPM, section III-B, equations 1 to 5): no parameters.

Letters: N images, K objects in each, C the length of the embedding vectors, h x w their grid.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vos_ros.models.precision import full_precision

#: a side with less weight than this, in places of the grid, is empty
_LEAST_WEIGHT = 1e-3
#: distances below its root are not told apart; their gradient is zero, not infinite
_LEAST_SQUARE = 1e-6


def mean_anchors(embedding: Tensor, masks: Tensor) -> Tensor:
    """Foreground and background anchors (equations 1 to 4): mask-weighted means.

    Where one side of a mask is empty there is no mean of it, and the other's is taken for both:
    the map of equation 5 is then 0.5 everywhere and says nothing. Nothing is read on the host.

    Args:
        embedding: N x C x h x w of the reference frame.
        masks: N x K x h x w, soft reference masks in 0..1.

    Returns:
        N x K x 2 x C float32, the foreground first.
    """
    with full_precision(embedding):
        target = masks.float().flatten(2)
        weights = torch.stack([target, 1 - target], dim=2)
        vectors = embedding.float().flatten(2).transpose(1, 2).unsqueeze(1)
        totals = weights.sum(dim=-1, keepdim=True)
        means = weights @ vectors / totals.clamp_min(_LEAST_WEIGHT)
        return torch.where(totals > _LEAST_WEIGHT, means, means.flip(2))


def anchor_distances(embedding: Tensor, anchors: Tensor) -> Tensor:
    """How far every place of a frame is from both anchors: Dis of equation 5.

    Squared distances are ``|t|^2 - 2 t.a + |a|^2``, one product for all objects: the differences
    themselves would be 2 K C numbers a place.

    Args:
        embedding: N x C x h x w of the target frame.
        anchors: N x K x 2 x C from `mean_anchors`.

    Returns:
        N x K x 2 x h x w float32, to the foreground anchor first.
    """
    with full_precision(embedding):
        vectors = embedding.float().flatten(2)
        flat = anchors.flatten(1, 2)
        squares = vectors.square().sum(dim=1, keepdim=True) - 2 * (flat @ vectors)
        squares = squares + flat.square().sum(dim=2, keepdim=True)
        distances = squares.clamp_min(_LEAST_SQUARE).sqrt().unflatten(1, anchors.shape[1:3])
        return distances.unflatten(-1, embedding.shape[-2:])


def distance_map(embedding: Tensor, anchors: Tensor) -> Tensor:
    """Where a frame is nearer to the foreground anchor (equation 5).

    ``e = sigmoid(|t - a_b| - |t - a_f|)``

    Args:
        embedding: N x C x h x w of the target frame.
        anchors: N x K x 2 x C from `mean_anchors`.

    Returns:
        N x K x h x w float32 in 0..1.
    """
    foreground, background = anchor_distances(embedding, anchors).unbind(dim=2)
    return torch.sigmoid(background - foreground)
