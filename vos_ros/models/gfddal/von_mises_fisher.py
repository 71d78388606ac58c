# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The von Mises-Fisher density on the unit sphere: its normaliser and its maximum-likelihood mean.

Letters: p the dimension of the vectors, v = p/2 - 1 the order of the Bessel function, kappa the
concentration, R_v(kappa) = I_{v+1}(kappa) / I_v(kappa) the ratio of neighbouring Bessel functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# The uniform asymptotic expansion below is used from this order on; with the five terms kept its
# relative error is 2e-11 at most there, for every argument. Lower orders are reached by recurrence.
_ASYMPTOTIC_ORDER = 64.0


def _log_bessel_and_ratio(order: float, kappa: Tensor) -> tuple[Tensor, Tensor]:
    """Log of I_v(kappa) and the ratio R_v(kappa), float64, elementwise, for v >= 0, kappa > 0.

    Both start from an order high enough for the uniform expansion and come down by the recurrence
    ``R_{u-1} = 1 / (2 u / kappa + R_u)`` (DLMF 10.29.1), which is stable in this direction because
    every term is positive.
    """
    steps = max(0, math.ceil(_ASYMPTOTIC_ORDER - order))
    top = order + steps
    log_top = _log_bessel_asymptotic(top, kappa)
    ratio = torch.exp(_log_bessel_asymptotic(top + 1.0, kappa) - log_top)
    log_value = log_top
    for step in range(steps):
        upper = top - step
        ratio = 1.0 / (2.0 * upper / kappa + ratio)
        log_value = log_value - torch.log(ratio)
    return log_value, ratio


def _log_bessel_asymptotic(order: float, kappa: Tensor) -> Tensor:
    """Log of I_v(kappa) by the expansion uniform in the argument, DLMF 10.41.3 with U_0..U_4."""
    z = kappa / order
    root = torch.sqrt(1.0 + z * z)
    # eta = root + log(z / (1 + root)), kept apart so that small arguments lose no digits.
    eta = root + torch.log(z) - torch.log1p(root)
    t = 1.0 / root
    t2 = t * t
    u1 = t * (3.0 - 5.0 * t2) / 24.0
    u2 = t2 * (81.0 + t2 * (-462.0 + 385.0 * t2)) / 1152.0
    u3 = t * t2 * (30375.0 + t2 * (-369603.0 + t2 * (765765.0 - 425425.0 * t2))) / 414720.0
    u4 = (
        t2
        * t2
        * (
            4465125.0
            + t2 * (-94121676.0 + t2 * (349922430.0 + t2 * (-446185740.0 + 185910725.0 * t2)))
        )
        / 39813120.0
    )
    series = u1 / order + u2 / order**2 + u3 / order**3 + u4 / order**4
    return (
        order * eta
        - 0.5 * math.log(2.0 * math.pi * order)
        - 0.5 * torch.log(root)
        + torch.log1p(series)
    )


class _LogNormaliser(torch.autograd.Function):
    """log C_p(kappa) with its closed-form derivative, -A_p(kappa) = -R_{p/2-1}(kappa)."""

    @staticmethod
    def forward(ctx: Any, kappa: Tensor, dimension: int) -> Tensor:
        order = dimension / 2.0 - 1.0
        exact = kappa.double()
        log_bessel, ratio = _log_bessel_and_ratio(order, exact)
        ctx.save_for_backward(ratio)
        value = order * torch.log(exact) - (order + 1.0) * math.log(2.0 * math.pi) - log_bessel
        return value.to(kappa.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (ratio,) = ctx.saved_tensors
        return (-ratio * grad.double()).to(grad.dtype), None


def log_normaliser(kappa: Tensor, dimension: int) -> Tensor:
    """Log of the normalising constant of the von Mises-Fisher density (paper section 2.3).

    ``log C_p(kappa) = (p/2-1) log kappa - (p/2) log 2 pi - log I_{p/2-1}(kappa)``

    Computed in float64 whatever the type of `kappa`; differentiable once.

    Args:
        kappa: concentrations, any shape, each > 0.
        dimension: p, the length of the unit vectors, at least 2.

    Returns:
        A tensor of the shape and type of `kappa`.

    Raises:
        ValueError: if `dimension` is below 2.
    """
    if dimension < 2:
        raise ValueError(f"the sphere needs vectors of length 2 or more, not {dimension}")
    apply: Callable[..., Tensor] = _LogNormaliser.apply
    return apply(kappa, dimension)


def mean_direction(vectors: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Maximum-likelihood mean directions of weighted unit vectors (paper section 2.3).

    ``mu_k = sum_l a_lk g_l / |sum_l a_lk g_l|``

    Args:
        vectors: B x P x L unit vectors g at L places (or 1 x P x L shared by all B).
        weights: B x K x L soft assignments a >= 0.

    Returns:
        B x K x P unit means (zero where the weights sum to nothing) and B x K total weights.
    """
    resultant = torch.einsum("bkl,bpl->bkp", weights, vectors.expand(weights.shape[0], -1, -1))
    length = resultant.norm(dim=-1, keepdim=True)
    return resultant / length.clamp_min(1e-6), weights.sum(dim=-1)
