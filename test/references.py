# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Layers written out by loops, in float64: what the tests of the networks compare with."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F


def unit_vectors(*shape: int, dim: int = 1, seed: int = 0) -> Tensor:
    """Random float32 vectors of length 1 along a dimension."""
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=generator), dim=dim)


def random(*shape: int, seed: int = 0) -> Tensor:
    """Random float32 numbers in 0..1."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def convolved(x: np.ndarray, layer: nn.Conv2d) -> np.ndarray:
    """C x h x w through a convolution of stride 1 with zeros around, by its definition."""
    weight = layer.weight.detach().double().numpy()
    bias = None if layer.bias is None else layer.bias.detach().double().numpy()
    (up, left), (dy, dx) = layer.padding, layer.dilation
    outputs, _, rows, columns = weight.shape
    _, height, width = x.shape
    result = np.zeros((outputs, height, width))
    for y in range(height):
        for column in range(width):
            for i in range(rows):
                for j in range(columns):
                    source_y, source_x = y - up + i * dy, column - left + j * dx
                    if 0 <= source_y < height and 0 <= source_x < width:
                        result[:, y, column] += weight[:, :, i, j] @ x[:, source_y, source_x]
    return result if bias is None else result + bias[:, None, None]


def group_normalised(x: np.ndarray, layer: nn.GroupNorm) -> np.ndarray:
    """C x h x w through a group norm."""
    result = np.empty_like(x)
    size = x.shape[0] // layer.num_groups
    for start in range(0, x.shape[0], size):
        group = x[start : start + size]
        deviation = np.sqrt(group.var() + layer.eps)
        result[start : start + size] = (group - group.mean()) / deviation
    weight, bias = (v.detach().double().numpy() for v in (layer.weight, layer.bias))
    return result * weight[:, None, None] + bias[:, None, None]


def resized(x: np.ndarray, height: int, width: int) -> np.ndarray:
    """C x h x w to C x height x width, bilinear, pixels standing for areas."""
    rows, columns = _weights(x.shape[1], height), _weights(x.shape[2], width)
    return np.einsum("yh,chw,xw->cyx", rows, x, columns)


def _weights(old: int, new: int) -> np.ndarray:
    """new x old: how much every old place counts in every new one."""
    table = np.zeros((new, old))
    for place in range(new):
        source = max((place + 0.5) * old / new - 0.5, 0.0)
        low = min(int(source), old - 1)
        high = min(low + 1, old - 1)
        table[place, low] += 1 - (source - low)
        table[place, high] += source - low
    return table


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)
