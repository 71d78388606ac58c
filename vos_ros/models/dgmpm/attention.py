# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Attention blocks (DGMPM, section III-C.2, figure 5): how a deep level steers a shallow one.

All give ``cat(up(F_d), weighted F_l)``; they differ in what weights the shallow features F_l.
Letters: B objects, D and L the channels of the deep and the shallow features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def upsampled(deep: Tensor, like: Tensor) -> Tensor:
    """Deep features, bilinear, at the resolution of shallow ones."""
    return F.interpolate(deep, size=like.shape[-2:], mode="bilinear", align_corners=False)


class SpatialAttention(nn.Module):
    """The paper's block (equations 6 to 8): one weight for every place.

    ``alpha = sigmoid(W2 * relu(W1 * cat(up(F_d), F_l)))``

    Args:
        deep: D.
        shallow: L.
        hidden: channels of W1, 32 in the paper.
    """

    def __init__(self, deep: int, shallow: int, hidden: int = 32) -> None:
        super().__init__()
        self.first = nn.Conv2d(deep + shallow, hidden, 3, padding=1)
        self.second = nn.Conv2d(hidden, 1, 3, padding=1)

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        """B x D x h/2 x w/2 and B x L x h x w to B x (D + L) x h x w (equation 8)."""
        up = upsampled(deep, shallow)
        return torch.cat([up, self.weights(up, shallow) * shallow], dim=1)

    def weights(self, up: Tensor, shallow: Tensor) -> Tensor:
        """alpha, B x 1 x h x w in 0..1, of B x D x h x w and B x L x h x w (equations 6 and 7)."""
        return self.second(F.relu(self.first(torch.cat([up, shallow], dim=1)))).sigmoid()


class ChannelAttention(nn.Module):
    """What replaces it in the ablation: one weight for every channel, from the means of both.

    It is the block of DFN (Yu et al., CVPR 2018), which the paper sets its own against; the two
    are joined here as there, by concatenation, so that nothing else differs.
    """

    def __init__(self, deep: int, shallow: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(deep + shallow, shallow, 1)
        self.second = nn.Conv2d(shallow, shallow, 1)

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        """B x D x h/2 x w/2 and B x L x h x w to B x (D + L) x h x w."""
        up = upsampled(deep, shallow)
        means = torch.cat([up, shallow], dim=1).mean(dim=(2, 3), keepdim=True)
        beta = self.second(F.relu(self.first(means))).sigmoid()
        return torch.cat([up, beta * shallow], dim=1)


class NoAttention(nn.Module):
    """The ablation without attention: both as they are."""

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        """B x D x h/2 x w/2 and B x L x h x w to B x (D + L) x h x w."""
        return torch.cat([upsampled(deep, shallow), shallow], dim=1)


#: the values of a network's `attention`
ATTENTIONS = ("spatial", "channel", "none")


def build_attention(name: str, deep: int, shallow: int, hidden: int) -> nn.Module:
    """An attention block by its name in `ATTENTIONS`.

    Raises:
        ValueError: when there is none of that name.
    """
    if name == "spatial":
        return SpatialAttention(deep, shallow, hidden)
    if name == "channel":
        return ChannelAttention(deep, shallow)
    if name == "none":
        return NoAttention()
    raise ValueError(f"attention must be one of {', '.join(ATTENTIONS)}, not {name!r}")
