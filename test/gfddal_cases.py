# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small GFDDAL and what it is shown, for the tests of the whole network."""

from __future__ import annotations

import torch
from tiny import CONFIG
from torch import Tensor

from vos_ros.models import build_network
from vos_ros.models.gfddal import Gfddal, GfddalFeatures

H, W = 64, 96
#: each switch, and the beginnings of the names of the parameters that it removes
SWITCHES = {
    "modulation": ("modulation.",),
    "matching": (),  # has no parameters of its own
    "appearance": ("appearance.",),
    "guided_decoder": ("decoder.guide.", "decoder.levels.0.flow.", "decoder.levels.0.aggregation."),
}


def build(**changes) -> Gfddal:
    """A tiny network whose random weights decide: probabilities spread over 0..1."""
    network = build_network("gfddal", CONFIG | changes)
    with torch.no_grad():
        network.decoder.predictor.weight.mul_(40)
        network.coarse.weight.mul_(3)
    return network.eval().requires_grad_(False)


def frames(count: int, height: int = H, width: int = W, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, height, width), generator=generator, dtype=torch.uint8)


def boxes(count: int = 3, height: int = H, width: int = W) -> Tensor:
    """1 x K x H x W: each object a box of its own, soft at one edge."""
    masks = torch.zeros(1, count, height, width)
    for k in range(count):
        left = k * width // (count + 1)
        masks[0, k, 8 + 2 * k : height - 16, left : left + width // 3] = 1
        masks[0, k, 8 + 2 * k, left : left + width // 3] = 0.5
    return masks


def encoded(network: Gfddal, image: Tensor) -> GfddalFeatures:
    return network.encode(network.normalise(image))
