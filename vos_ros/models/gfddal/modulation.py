# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Guided feature modulation (GFDDAL, section 2.1): masks steer the features they belong to.

Letters: N images, K objects in each, B = N K, C channels, h x w places at stride 16.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def normalise_features(features: Tensor) -> Tensor:
    """Each channel of N x C x h x w to zero mean and unit variance over its places, no affine."""
    return F.instance_norm(features, eps=1e-5)


class FeatureModulationBlock(nn.Module):
    """``alpha(mask) * normalised features + beta(mask)``, with spatial alpha and beta."""

    def __init__(self, channels: int, hidden: int = 32) -> None:
        super().__init__()
        self.mask = nn.Conv2d(1, hidden, 3, padding=1)
        self.modulation = nn.Conv2d(hidden, 2 * channels, 3, padding=1)
        assert self.modulation.bias is not None
        with torch.no_grad():  # alpha starts around 1 and beta around 0: features pass unchanged
            self.modulation.weight.mul_(0.5)
            self.modulation.bias[:channels] = 1.0
            self.modulation.bias[channels:] = 0.0

    def forward(self, features: Tensor, masks: Tensor) -> Tensor:
        """Steer the features of an image by the mask of each of its objects.

        Args:
            features: N x C x h x w, normalised.
            masks: N x K x h x w in 0..1.

        Returns:
            B x C x h x w.
        """
        n, k, h, w = masks.shape
        alpha, beta = self.modulation(F.relu(self.mask(masks.reshape(n * k, 1, h, w)))).chunk(2, 1)
        if n == 1:  # the same without a fifth dimension, for which memory would be laid out anew
            return features * alpha + beta
        alpha = alpha.reshape(n, k, -1, h, w)
        beta = beta.reshape(n, k, -1, h, w)
        return (features.unsqueeze(1) * alpha + beta).flatten(0, 1)


class GuidedFeatureModulation(nn.Module):
    """Two blocks, frame 1 with the first mask and frame t with the previous one, then reduced.

    The reduction is a convolution over the concatenation of both outputs and both masks. Being
    linear, it is split in a frame-1 half that `start` computes once and a frame-t half.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = FeatureModulationBlock(channels)
        self.current = FeatureModulationBlock(channels)
        self.reduce_first = nn.Conv2d(channels + 1, channels, 3, padding=1)
        self.reduce_current = nn.Conv2d(channels + 1, channels, 3, padding=1, bias=False)

    def start(self, features: Tensor, masks: Tensor) -> Tensor:
        """The frame-1 half, before the activation: N x K x C x h x w.

        Args:
            features: N x C x h x w normalised features of frame 1.
            masks: N x K x h x w, the first masks.
        """
        half = self._half(self.first, self.reduce_first, features, masks)
        return half.unflatten(0, masks.shape[:2])

    def forward(self, first_half: Tensor, features: Tensor, masks: Tensor) -> Tensor:
        """The guided features B x C x h x w of frame t.

        Args:
            first_half: what `start` returned.
            features: N x C x h x w normalised features of frame t.
            masks: N x K x h x w, the previous coarse masks.
        """
        half = self._half(self.current, self.reduce_current, features, masks)
        return F.relu(first_half.flatten(0, 1) + half)

    @staticmethod
    def _half(
        block: FeatureModulationBlock, reduce: nn.Conv2d, features: Tensor, masks: Tensor
    ) -> Tensor:
        guided = F.relu(block(features, masks))
        return reduce(torch.cat([guided, masks.flatten(0, 1).unsqueeze(1)], dim=1))
