# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Global directional matching (GFDDAL, section 2.2, equations 1 and 2)."""

from __future__ import annotations

import torch
from torch import Tensor


def directional_kernels(directions: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Target and background kernels of frame 1 (equation 1): ``M F`` and ``(1 - M) F``.

    Args:
        directions: N x D x h x w unit vectors F of frame 1.
        masks: N x K x h x w soft first masks M in 0..1.

    Returns:
        Two tensors N x K x hw x D, target and background.
    """
    vectors = directions.flatten(2).transpose(1, 2).unsqueeze(1)
    weights = masks.flatten(2).unsqueeze(-1).to(vectors.dtype)
    return weights * vectors, (1 - weights) * vectors


def match(target_kernels: Tensor, background_kernels: Tensor, directions: Tensor) -> Tensor:
    """How well every place of frame t agrees with its best kernel (equation 2).

    One batched product of all kernels with all directions, accumulated in float32 (on CUDA
    `inference.prepare` sees to that), then the maximum over kernels.

    Args:
        target_kernels: N x K x L x D, L kernels of the first frame (L = h w there).
        background_kernels: N x K x L x D.
        directions: N x D x h x w unit vectors of frame t.

    Returns:
        N x K x 2 x h x w: p (target) and q (background), each in -1..1.
    """
    flat = directions.flatten(2).unsqueeze(1)
    best = [(kernels @ flat).amax(dim=2) for kernels in (target_kernels, background_kernels)]
    return torch.stack(best, dim=2).unflatten(-1, directions.shape[-2:])
