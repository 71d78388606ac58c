# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Folding batch norms into the convolutions before them, for faster inference."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

from vos_ros.models.backbones.base import Backbone

M = TypeVar("M", bound=nn.Module)


def fold_batch_norms(module: M) -> M:
    """Copy a module with the batch norms of its backbones folded into their convolutions.

    In evaluation mode a batch norm is a scale and a shift for each channel, which the convolution
    before it can take over: w' = w * g / sqrt(var + eps), b' = (b - mean) * g / sqrt(var + eps)
    + shift. An `nn.Identity` takes the place of the norm. Layers outside backbones are left as
    they are.

    Args:
        module: a backbone or a network with backbones in it; it is not changed.

    Returns:
        The copy, which gives the same features up to rounding. It is for inference: its folded
        weights do not require gradients.
    """
    folded = copy.deepcopy(module)
    for part in folded.modules():
        if isinstance(part, Backbone):
            for owner in part.modules():
                _fold_children(owner)
    return folded


def _fold_children(owner: nn.Module) -> None:
    """Fold where a convolution is directly followed by a norm: in backbones that is data flow."""
    children = list(owner.named_children())
    for (_, conv), (name, norm) in zip(children, children[1:], strict=False):
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            _fold(conv, norm)
            setattr(owner, name, nn.Identity())


@torch.no_grad()
def _fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    """Give a convolution the scale and shift of its norm, computed in float64."""
    assert norm.running_mean is not None and norm.running_var is not None  # kept by all of ours
    scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    bias = torch.zeros_like(scale) if conv.bias is None else conv.bias.double()
    # Output channels come first in the weight, with groups too.
    weight = conv.weight.double() * scale[:, None, None, None]
    shift = (bias - norm.running_mean.double()) * scale + norm.bias.double()
    dtype = conv.weight.dtype
    conv.weight = nn.Parameter(weight.to(dtype), requires_grad=False)
    conv.bias = nn.Parameter(shift.to(dtype), requires_grad=False)
