# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Feature extractor (DGMPM, section III-A): one embedding vector for every pixel.

It is Siamese by being one: the reference frame and every later frame go through the same layers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class EmbeddingExtractor(nn.Module):
    """A 3x3 convolution of every side output, all brought to one resolution and added.

    Args:
        channels: of the side outputs, by stride.
        out_channels: C, the length of the embedding vectors, 64 in the paper.
        stride: of the result, pixels. 1 is the paper's; 2 or 4 computes the same sum on a coarser
            grid: deeper side outputs are upsampled less far, shallower ones are averaged.
    """

    def __init__(self, channels: dict[int, int], out_channels: int = 64, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        # No bias: what is added to every vector alike changes no distance between them.
        self.levels = nn.ModuleDict(
            {str(s): nn.Conv2d(c, out_channels, 3, padding=1, bias=False)
             for s, c in sorted(channels.items())}
        )  # fmt: skip

    def forward(self, features: dict[int, Tensor]) -> Tensor:
        """Side outputs N x channels[s] x H/s x W/s, by stride, to N x C x H/stride x W/stride."""
        finest = min(features)
        size = [side * finest // self.stride for side in features[finest].shape[-2:]]
        total: Tensor | None = None
        for name, conv in self.levels.items():
            assert isinstance(conv, nn.Conv2d)
            level = int(name)
            if level < self.stride:
                part = _averaged(conv, features[level], self.stride // level)
            else:
                part = conv(features[level])
                if level > self.stride:
                    part = F.interpolate(part, size=size, mode="bilinear", align_corners=False)
            total = part if total is None else total + part
        assert total is not None  # there is a side output
        return total


def _averaged(conv: nn.Conv2d, x: Tensor, factor: int) -> Tensor:
    """``avg_pool2d(conv(x), factor)`` for less: one convolution with the averaged kernel.

    Both are linear. The padding is the same, since every window of the pooling lies inside.
    """
    kernel = F.pad(conv.weight, [factor - 1] * 4)
    kernel = F.avg_pool2d(kernel, factor, stride=1)
    return torch.conv2d(x, kernel, stride=factor, padding=conv.padding)
