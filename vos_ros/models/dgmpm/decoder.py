# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Feature integration network (DGMPM, section III-C.1): the decoder.

Letters: N images, K objects in each, B = N K, M guiding maps an object.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vos_ros.models.dgmpm.attention import build_attention
from vos_ros.models.objects import add_to_objects

_GROUPS = 8
#: a level with fewer channels goes without a norm: its groups would be next to single channels
_LEAST_NORMED = 32
#: least hidden channels of the last two convolutions
_LEAST_HIDDEN = 16
#: of the levels, deepest first; the outputs of res5, res4, res3, res2 and conv1
LEVEL_STRIDES = (32, 16, 8, 4, 2)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a norm and a ReLU, added to what they read, and a ReLU.

    Group norm, not batch norm: the few and like frames of a clip make no batch.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        normed = channels >= _LEAST_NORMED
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=not normed)
        self.norm = nn.GroupNorm(_GROUPS, channels) if normed else nn.Identity()
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """B x C x h x w to the same shape."""
        return F.relu(x + self.second(F.relu(self.norm(self.first(x)))))


class GuidedLevel(nn.Module):
    """The features of one level for each object: side output and guiding maps, concatenated.

    What unifies the channels of the concatenation is a 1x1 convolution. It is linear, so that its
    share for the side output is computed once for all objects of the image (the `laterals` of the
    network) and only its share for the maps here.
    """

    def __init__(self, maps: int, channels: int) -> None:
        super().__init__()
        self.maps = nn.Conv2d(maps, channels, 1, bias=False)
        self.block = ResidualBlock(channels)

    def forward(self, lateral: Tensor, maps: Tensor) -> Tensor:
        """N x C x h x w of the images and B x M x h x w of their objects to B x C x h x w."""
        return self.block(add_to_objects(self.maps(maps), lateral))


class MergeLevel(nn.Module):
    """A deep level and the shallow one before it: attention, then a residual block."""

    def __init__(self, deep: int, shallow: int, attention: str, hidden: int) -> None:
        super().__init__()
        self.attention = build_attention(attention, deep, shallow, hidden)
        self.reduce = nn.Conv2d(deep + shallow, shallow, 1)
        self.block = ResidualBlock(shallow)

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        """B x D x h/2 x w/2 and B x L x h x w to B x L x h x w."""
        return self.block(self.reduce(self.attention(deep, shallow)))


class FeatureIntegration(nn.Module):
    """From side outputs and guiding maps to two logits a pixel, level by level from the deepest.

    Args:
        channels: of the levels at strides 32, 16, 8, ..., multiples of 8; 128 each in the paper.
        maps: M.
        attention: ``spatial``, ``channel`` or ``none``.
        attention_channels: hidden channels of the spatial attention.
        output_stride: of the result, pixels; at most the stride of the last level.
    """

    def __init__(
        self,
        channels: Sequence[int],
        maps: int,
        attention: str = "spatial",
        attention_channels: int = 32,
        output_stride: int = 1,
    ) -> None:
        super().__init__()
        self.strides = LEVEL_STRIDES[: len(channels)]
        self.levels = nn.ModuleList(GuidedLevel(maps, own) for own in channels)
        self.merges = nn.ModuleList(
            MergeLevel(deep, own, attention, attention_channels)
            for deep, own in zip(channels[:-1], channels[1:], strict=True)
        )
        self.scale = self.strides[-1] // output_stride
        hidden = max(channels[-1] // 2, _LEAST_HIDDEN)
        self.first = nn.Conv2d(channels[-1], hidden, 3, padding=1)
        self.predictor = nn.Conv2d(hidden, 2, 3, padding=1)
        self._initialise()

    def _initialise(self) -> None:
        """Begin where everything that comes in reaches the end.

        With PyTorch's own initial weights a signal loses two thirds of its variance in every
        convolution, and narrow levels die out before they have learnt.
        """
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d) and ".attention." not in name:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, ResidualBlock):  # the sum grows slowly from block to block
                    module.second.weight.mul_(0.5)
                if isinstance(module, GuidedLevel):  # two maps in 0..1 against many side outputs
                    module.maps.weight.mul_(2.0)
            # The first predictions are undecided rather than confidently wrong.
            self.predictor.weight.mul_(0.1)

    def forward(self, laterals: dict[int, Tensor], maps: dict[int, Tensor]) -> Tensor:
        """Merge the levels.

        Args:
            laterals: by stride, N x channels x H/stride x W/stride.
            maps: by stride, B x M x H/stride x W/stride.

        Returns:
            B x 2 x H' x W' logits at the output stride, the background first.
        """
        found = [
            level(laterals[stride], maps[stride])
            for stride, level in zip(self.strides, self.levels, strict=True)
        ]
        x = found[0]
        for merge, shallow in zip(self.merges, found[1:], strict=True):
            x = merge(x, shallow)
        if self.scale > 1:
            x = F.interpolate(x, scale_factor=self.scale, mode="bilinear", align_corners=False)
        return self.predictor(F.relu(self.first(x)))
