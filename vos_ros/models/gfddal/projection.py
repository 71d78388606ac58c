# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reduction of the deep features to the channels that a part works with (GFDDAL, section 2)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class Projection(nn.Module):
    """A 1x1 convolution of the stride-16 features and, with `deepest`, of the stride-32 ones."""

    def __init__(self, channels: dict[int, int], out_channels: int, deepest: bool) -> None:
        super().__init__()
        self.main = nn.Conv2d(channels[16], out_channels, 1)
        self.deep = nn.Conv2d(channels[32], out_channels, 1, bias=False) if deepest else None

    def forward(self, features: dict[int, Tensor]) -> Tensor:
        """N x C16 x h x w and N x C32 x h/2 x w/2 by their strides, to N x out_channels x h x w."""
        out = self.main(features[16])
        if self.deep is None:
            return out
        deep = self.deep(features[32])
        return out + F.interpolate(deep, size=out.shape[-2:], mode="bilinear", align_corners=False)
