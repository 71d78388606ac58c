# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Soft aggregation: several objects, each segmented for itself, merged into one labelling."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

# Probabilities stay this far from 0 and 1, so that odds and logs are finite. The bound is the
# largest logit kept: sigmoid(12) is 1 - 6e-6, still distinct from 1 in float32.
_LOGIT_BOUND = 12.0


def aggregate(logits: Tensor) -> Tensor:
    """Merge per-object logits by their odds.

    With p_k = sigmoid(logit_k), object k gets the odds p_k / (1 - p_k), and the background those of
    p_0 = prod_k (1 - p_k). Returned are the logarithms of the odds, so that a softmax over channels
    gives the merged probabilities, and a cross-entropy may be taken of them directly.

    Args:
        logits: N x K x H x W, one foreground logit per object.

    Returns:
        N x (1 + K) x H x W float32, the background first.
    """
    bounded = logits.float().clamp(-_LOGIT_BOUND, _LOGIT_BOUND)
    log_background = F.logsigmoid(-bounded).sum(dim=1, keepdim=True).clamp_min(-_LOGIT_BOUND)
    # log(p / (1 - p)) from log p, without the cancellation of 1 - exp(log p) near p = 1.
    background = log_background - torch.log(-torch.expm1(log_background))
    return torch.cat([background, bounded], dim=1)


def only_numbers(*logits: Tensor) -> tuple[list[Tensor], Tensor]:
    """Logits in which an object that is no number anywhere is surely not there.

    An object for itself, before it is merged with the others: what is no number would make all of
    them none.

    Args:
        logits: each N x K x H x W, of the same objects at any stride.

    Returns:
        The logits, and N x K booleans: whether all that was given of an object is numbers.
    """
    sound = torch.stack([~one.isnan().flatten(2).any(dim=2) for one in logits]).all(dim=0)
    kept = sound[..., None, None]
    return [torch.where(kept, one, -_LOGIT_BOUND) for one in logits], sound


def merged_probabilities(logits: Tensor) -> Tensor:
    """N x K x H x W merged foreground probabilities from the N x (1 + K) output of `aggregate`."""
    return logits.softmax(dim=1)[:, 1:]
