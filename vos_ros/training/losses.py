# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The losses of a frame, taken of soft-aggregated logits.

Letters: B clips, K objects in each, H' x W' the resolution of the logits.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from vos_ros.training.lovasz import lovasz_loss


def soft_targets(labels: Tensor, objects: int, height: int, width: int) -> Tensor:
    """Label maps to the share of each class in every cell of a coarser grid.

    A cell that an edge crosses has a target between 0 and 1, so that logits at stride 2 or 16 learn
    where inside the cell the edge runs.

    Args:
        labels: B x H x W integers, 0 background, 1..K the objects.
        objects: K.
        height: rows of the grid; divides H.
        width: columns of the grid; divides W.

    Returns:
        B x (1 + K) x height x width float32 that sums to 1 over the classes.
    """
    one_hot = torch.stack([labels == k for k in range(objects + 1)], dim=1).float()
    return F.adaptive_avg_pool2d(one_hot, (height, width))


def bootstrapped_cross_entropy(logits: Tensor, targets: Tensor, worst: float) -> Tensor:
    """Cross-entropy with soft targets, averaged over the worst share of pixels of each clip.

    Args:
        logits: B x (1 + K) x H' x W'.
        targets: the same shape, summing to 1 over classes.
        worst: share of the pixels that counts, in (0, 1]; 1 is the ordinary cross-entropy.

    Returns:
        B.
    """
    losses = -(targets * logits.float().log_softmax(dim=1)).sum(dim=1).flatten(1)
    if worst >= 1:
        return losses.mean(dim=1)
    kept = max(1, int(worst * losses.shape[1]))
    return losses.topk(kept, dim=1, sorted=False).values.mean(dim=1)


def dice_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """One minus the soft Dice overlap of each object, averaged over the objects that are there.

    An object that is absent from the frame has no overlap to speak of; the cross-entropy alone
    teaches that it is absent. Every clip has a mean of its own, so that the mean over clips is the
    same however they are shared out.

    Args:
        logits: B x (1 + K) x H' x W'.
        targets: the same shape.

    Returns:
        B; 0 for a clip without objects.
    """
    probability = logits.float().softmax(dim=1)[:, 1:].flatten(2)
    target = targets[:, 1:].flatten(2)
    area = target.sum(dim=2)
    overlap = (2 * (probability * target).sum(dim=2) + 1) / (probability.sum(dim=2) + area + 1)
    there = (area > 0).float()
    return ((1 - overlap) * there).sum(dim=1) / there.sum(dim=1).clamp_min(1)


def frame_loss(
    logits: Tensor,
    coarse_logits: Tensor | None,
    labels: Tensor,
    worst: float,
    *,
    dice: float = 0.5,
    lovasz: float = 0.0,
    coarse: float = 0.5,
) -> dict[str, Tensor]:
    """The parts of one frame's loss, B each, weighted and ready to be added up.

    Args:
        logits: B x (1 + K) x H' x W' of the final prediction.
        coarse_logits: B x (1 + K) x h x w of the coarse one, or None where a network has none.
        labels: B x H x W.
        worst: share of the pixels in the bootstrapped cross-entropy.
        dice: weight of the Dice loss; with 0, that part is left out. So are the next two.
        lovasz: weight of the Lovász loss.
        coarse: weight of the cross-entropy of the coarse prediction.
    """
    objects = logits.shape[1] - 1
    targets = soft_targets(labels, objects, *logits.shape[-2:])
    losses = {"cross_entropy": bootstrapped_cross_entropy(logits, targets, worst)}
    if dice:
        losses["dice"] = dice * dice_loss(logits, targets)
    if lovasz:
        losses["lovasz"] = lovasz * lovasz_loss(logits, targets)
    if coarse and coarse_logits is not None:
        cells = soft_targets(labels, objects, *coarse_logits.shape[-2:])
        losses["coarse"] = coarse * bootstrapped_cross_entropy(coarse_logits, cells, 1.0)
    return losses


def total(losses: dict[str, Tensor]) -> Tensor:
    """The sum of the parts."""
    return torch.stack(list(losses.values())).sum(dim=0)
