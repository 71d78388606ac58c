# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small DGMPM, for the tests of the whole network; what it is shown is in `gfddal_cases`."""

from __future__ import annotations

import torch

from vos_ros.models import build_network
from vos_ros.models.dgmpm import Dgmpm

CONFIG = {
    "backbone": "tiny",
    "embedding_channels": 6,
    "embedding_stride": 2,
    "decoder_channels": [32, 16, 8, 8, 8],
    "attention_channels": 4,
    "output_stride": 2,
}
"""Of a small DGMPM, where `tiny.add_tiny_backbone` was called."""

#: what each row of the published ablation is here
ABLATIONS = {
    "-EDM": {"embedding_distance": False},
    "-PM": {"previous_mask": False},
    "-SAB": {"attention": "none"},
    "-SAB+CAB": {"attention": "channel"},
}


def tiny_dgmpm(seed: int = 0, contrast: float = 1.0, **changes) -> Dgmpm:
    """A small DGMPM with random weights; a high contrast makes it decide pixel by pixel."""
    torch.manual_seed(seed)
    network = build_network("dgmpm", CONFIG | changes)
    with torch.no_grad():
        network.decoder.predictor.weight.mul_(contrast)
    return network


def build(**changes) -> Dgmpm:
    """A tiny network whose random weights decide: probabilities spread over 0..1."""
    return tiny_dgmpm(contrast=20, **changes).eval().requires_grad_(False)
