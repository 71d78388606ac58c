# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Merge module and coarse predictor (GFDDAL, section 2)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class Merge(nn.Module):
    """Guided features, matching and appearance, concatenated, through two convolutions."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.norm1 = nn.GroupNorm(8, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2 = nn.GroupNorm(8, channels)

    def forward(self, x: Tensor) -> Tensor:
        """B x in x h x w to B x C x h x w."""
        x = F.relu(self.norm1(self.first(x)))
        return F.relu(self.norm2(self.second(x)))


class CoarsePredictor(nn.Conv2d):
    """One convolution from the fused features to the two classes, background and target."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 2, 3, padding=1)
