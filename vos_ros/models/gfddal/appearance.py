# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Directional appearance (GFDDAL, section 2.3): four von Mises-Fisher components on the sphere.

Component 0 is the background and 1 the target as the first frame shows them (base, fixed); 2 is the
background and 3 the target as later estimated masks show them (supplementary, moving).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vos_ros.models.gfddal.von_mises_fisher import log_normaliser, mean_direction
from vos_ros.models.precision import full_precision as _float32

COMPONENTS = 4


class DirectionalAppearance(nn.Module):
    """Posterior over four components, base means from the first frame, supplementary ones followed.

    Args:
        dimension: D, the length of the directions.
        update_rate: lambda of the moving average of the supplementary means, 0..1.
        concentration: where the trainable kappa starts, > 0.
    """

    #: kept out of half and mixed precision: kappa multiplies cosines inside an exponential
    full_precision = True
    #: below this total weight (in places of the stride-16 map) a component keeps its old mean
    minimum_weight = 0.05

    def __init__(
        self, dimension: int, update_rate: float = 0.1, concentration: float = 20.0
    ) -> None:
        super().__init__()
        self.dimension = dimension
        self.update_rate = update_rate
        # The logarithm is trained, which keeps kappa positive without a bound.
        self.log_kappa = nn.Parameter(torch.full((COMPONENTS,), math.log(concentration)))

    def log_normalisers(self) -> Tensor:
        """log C_D(kappa_k) of the four components; constant while the weights are."""
        return log_normaliser(self.log_kappa.float().exp(), self.dimension)

    def start(self, log_normalisers: Tensor, directions: Tensor, masks: Tensor) -> Tensor:
        """Means of the four components from the first frame: N x K x 4 x D float32.

        Args:
            log_normalisers: 4, from `log_normalisers`.
            directions: N x D x h x w unit vectors.
            masks: N x K x h x w soft first masks.
        """
        with _float32(directions):
            base = self._means(directions, self._split(masks))[0]
            means = torch.cat([base, base], dim=2)
            return self._moved(means, directions, masks, log_normalisers, rate=1.0)

    def forward(self, means: Tensor, log_normalisers: Tensor, directions: Tensor) -> Tensor:
        """Posterior of the components at every place: N x K x 4 x h x w float32.

        ``softmax_k(log C_D(kappa_k) + kappa_k mu_k . g)``

        Args:
            means: N x K x 4 x D.
            log_normalisers: 4, from `log_normalisers`.
            directions: N x D x h x w unit vectors g of this frame.
        """
        with _float32(directions):
            return self._log_densities(means, log_normalisers, directions).softmax(dim=2)

    def update(
        self, means: Tensor, log_normalisers: Tensor, directions: Tensor, masks: Tensor
    ) -> Tensor:
        """The means after a frame: base ones untouched, supplementary ones moved by lambda.

        Args:
            means: N x K x 4 x D before the frame.
            log_normalisers: 4, from `log_normalisers`.
            directions: N x D x h x w unit vectors of this frame.
            masks: N x K x h x w soft masks estimated in this frame.
        """
        with _float32(directions):
            return self._moved(means, directions, masks, log_normalisers, self.update_rate)

    def _log_densities(self, means: Tensor, log_normalisers: Tensor, directions: Tensor) -> Tensor:
        kappa = self.log_kappa.float().exp()[: means.shape[2]]
        cosine = means.float() @ directions.float().flatten(2).unsqueeze(1)
        logs = log_normalisers[: means.shape[2], None] + kappa[:, None] * cosine
        return logs.unflatten(-1, directions.shape[-2:])

    @staticmethod
    def _split(masks: Tensor) -> Tensor:
        """Soft assignments N x K x 2 x hw to background and target."""
        target = masks.float().flatten(2)
        return torch.stack([1 - target, target], dim=2)

    @staticmethod
    def _means(directions: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        n, k = weights.shape[:2]
        shared = directions.float().flatten(2).repeat_interleave(k, dim=0)
        means, totals = mean_direction(shared, weights.flatten(0, 1))
        return means.unflatten(0, (n, k)), totals.unflatten(0, (n, k))

    def _moved(
        self,
        means: Tensor,
        directions: Tensor,
        masks: Tensor,
        log_normalisers: Tensor,
        rate: float,
    ) -> Tensor:
        """Fit the supplementary pair to what the base pair gets wrong, and move towards the fit."""
        base, old = means[:, :, :2], means[:, :, 2:]
        explained = self._log_densities(base, log_normalisers, directions).softmax(dim=2)
        residual = F.relu(self._split(masks) - explained.flatten(3))
        fitted, totals = self._means(directions, residual)
        # The average of two unit vectors is shorter than one: back to the sphere.
        moved = F.normalize((1 - rate) * old + rate * fitted, dim=-1, eps=1e-6)
        known = (totals > self.minimum_weight).unsqueeze(-1)
        return torch.cat([base, torch.where(known, moved, old)], dim=2)
