# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The guided pooled decoder (GFDDAL, section 2.4, figure 3), and a plain one to replace it.

The plain one is there where the part is ablated.

Letters: N images, K objects in each, B = N K. Lateral features belong to the image and are shared
by its objects; everything else is per object.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vos_ros.models.objects import add_to_objects

_GROUPS = 8


def _resize(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


class GlobalGuide(nn.Module):
    """Pyramid pooling of the deepest features: what the object is, seen from afar."""

    def __init__(self, channels: int, out_channels: int, bins: Sequence[int] = (1, 3, 5)) -> None:
        super().__init__()
        self.bins = tuple(bins)
        part = channels // 4
        self.parts = nn.ModuleList(nn.Conv2d(channels, part, 1) for _ in self.bins)
        self.join = nn.Conv2d(channels + part * len(self.bins), out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """B x C x h x w to B x out x h x w."""
        pooled = [
            _resize(F.relu(part(F.adaptive_avg_pool2d(x, size))), x)
            for size, part in zip(self.bins, self.parts, strict=True)
        ]
        return F.relu(self.join(torch.cat([x, *pooled], dim=1)))


class DilatedFeatureAggregation(nn.Module):
    """Parallel 3x3 convolutions at several dilations, concatenated, mixed, and added back."""

    def __init__(self, channels: int, dilations: Sequence[int] = (1, 2, 4, 8)) -> None:
        super().__init__()
        part = channels // len(dilations)
        self.norm = nn.GroupNorm(_GROUPS, channels)
        self.branches = nn.ModuleList(
            nn.Conv2d(channels, part, 3, padding=d, dilation=d) for d in dilations
        )
        self.mix = nn.Conv2d(part * len(dilations), channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """B x C x h x w to the same shape."""
        y = F.relu(self.norm(x))
        y = torch.cat([branch(y) for branch in self.branches], dim=1)
        return x + self.mix(F.relu(y))


class _Level(nn.Module):
    """One level of the guided decoder: everything that flows in is added, then aggregated."""

    def __init__(self, below: int, guide: int, channels: int) -> None:
        super().__init__()
        self.up = nn.Conv2d(below, channels, 1)
        self.flow = nn.Conv2d(guide, channels, 1)
        self.maps = nn.Conv2d(2, channels, 3, padding=1)
        self.aggregation = DilatedFeatureAggregation(channels)

    def forward(self, x: Tensor, guide: Tensor, maps: Tensor, lateral: Tensor | None) -> Tensor:
        out = self.maps(maps)
        out = out + _resize(self.up(x), maps) + _resize(self.flow(guide), maps)
        return self.aggregation(out if lateral is None else add_to_objects(out, lateral))


class _PlainLevel(nn.Module):
    """One level of the plain decoder: upsample, add the lateral features, two convolutions."""

    def __init__(self, below: int, channels: int) -> None:
        super().__init__()
        self.up = nn.Conv2d(below, channels, 1)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.GroupNorm(_GROUPS, channels)

    def forward(self, x: Tensor, maps: Tensor, lateral: Tensor | None) -> Tensor:
        out = _resize(self.up(x), maps)
        out = out if lateral is None else add_to_objects(out, lateral)
        return out + self.first(F.relu(self.norm(out)))


class _Fine(nn.Module):
    """Ours, beyond the paper: one light level at stride 2, so that edges and thin parts survive."""

    def __init__(self, below: int, channels: int) -> None:
        super().__init__()
        self.up = nn.Conv2d(below, channels, 1)
        self.maps = nn.Conv2d(2, channels, 3, padding=1)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, maps: Tensor, lateral: Tensor) -> Tensor:
        out = add_to_objects(_resize(self.up(x), maps) + self.maps(maps), lateral)
        return out + self.first(F.relu(out))


class GuidedPooledDecoder(nn.Module):
    """From fused features at stride 16 to one foreground logit per object at stride 4 or 2.

    Args:
        in_channels: channels of the fused features.
        channels: channels at strides 16, 8, 4 and, where our fine level is wanted, 2.
        guided: False builds the plain decoder (the ablation without GPD).
    """

    def __init__(self, in_channels: int, channels: Sequence[int], guided: bool = True) -> None:
        super().__init__()
        self.guided = guided
        widths = [in_channels, *channels]
        coarse = list(zip(widths[:3], widths[1:4], strict=True))
        guide = channels[1]
        if guided:
            self.guide = GlobalGuide(in_channels, guide)
            self.levels = nn.ModuleList(_Level(below, guide, own) for below, own in coarse)
        else:
            self.levels = nn.ModuleList(_PlainLevel(below, own) for below, own in coarse)
        self.fine = _Fine(channels[2], channels[3]) if len(channels) > 3 else None
        self.predictor = nn.Conv2d(channels[-1], 1, 3, padding=1)
        with torch.no_grad():  # the first predictions are undecided rather than confidently wrong
            self.predictor.weight.mul_(0.1)

    def forward(
        self, fused: Tensor, laterals: dict[int, Tensor], maps: dict[int, Tensor]
    ) -> Tensor:
        """Refine level by level.

        Args:
            fused: B x C x h x w at stride 16.
            laterals: by stride (8, 4, perhaps 2), N x channels x H/stride x W/stride.
            maps: by stride (16, 8, 4, perhaps 2), B x 2 x H/stride x W/stride, the first and the
                previous foreground maps.

        Returns:
            B x 1 x H' x W' logits at the finest stride.
        """
        guide = self.guide(fused) if self.guided else None
        x = fused
        for stride, level in zip((16, 8, 4), self.levels, strict=True):
            lateral = laterals.get(stride)
            if guide is None:
                x = level(x, maps[stride], lateral)
            else:
                x = level(x, guide, maps[stride], lateral)
        if self.fine is not None:
            x = self.fine(x, maps[2], laterals[2])
        return self.predictor(F.relu(x))
