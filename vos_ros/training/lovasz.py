# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Lovász loss: the Jaccard index, made continuous.

Berman, Rannen Triki and Blaschko, "The Lovász-Softmax loss: a tractable surrogate for the
optimization of the intersection-over-union measure in neural networks", CVPR 2018.

Letters: R rows, each an object in a clip, P pixels, B clips, K objects in each.
"""

from __future__ import annotations

import torch
from torch import Tensor


def jaccard_extension(errors: Tensor, truth: Tensor) -> Tensor:
    """The Lovász extension of the Jaccard loss of sets of wrong pixels.

    The Jaccard loss of a set of wrong pixels is one minus the intersection over union that
    follows from it. With the errors in descending order e_1 >= e_2 >= ..., its extension is the sum
    of e_i times what pixel i adds to the loss of the i - 1 before it. Where every error is 0 or 1
    it is the Jaccard loss itself, and it is convex in between.

    Args:
        errors: R x P, 0 (right) or more.
        truth: R x P booleans, which pixels belong to the object.

    Returns:
        R.
    """
    errors, order = errors.sort(dim=1, descending=True)
    inside = truth.gather(1, order).to(errors.dtype)
    area = inside.sum(dim=1, keepdim=True)
    # Of the first i pixels wrong: missed ones leave the intersection, false ones join the union.
    intersection = area - inside.cumsum(dim=1)
    union = area + (1 - inside).cumsum(dim=1)
    losses = 1 - intersection / union
    added = torch.cat([losses[:, :1], losses[:, 1:] - losses[:, :-1]], dim=1)
    return (errors * added).sum(dim=1)


def lovasz_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """The extension of each object's Jaccard loss, averaged over the objects that are there.

    The error of a pixel is how far its softmax probability is off. An object counts as there where
    it covers more than half of some cell.

    Args:
        logits: B x (1 + K) x H' x W'.
        targets: the same shape, the share of each class in every cell.

    Returns:
        B; 0 for a clip without objects.
    """
    probability = logits.float().softmax(dim=1)[:, 1:].flatten(2)
    target = targets[:, 1:].flatten(2)
    errors, truth = (probability - target).abs(), target > 0.5
    losses = jaccard_extension(errors.flatten(0, 1), truth.flatten(0, 1)).view(truth.shape[:2])
    there = truth.any(dim=2)
    return (losses * there).sum(dim=1) / there.sum(dim=1).clamp_min(1)
