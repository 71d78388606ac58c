# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small networks to export, and what PyTorch makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from dgmpm_cases import CONFIG as DGMPM
from tiny import CONFIG as GFDDAL

from vos_ros.apps.export import main
from vos_ros.inference import prepare
from vos_ros.models import build_network
from vos_ros.weights import ModelCard, save_network

HEIGHT, WIDTH = 64, 96
LICENCE = "for tests only"

KINDS = {
    "gfddal": GFDDAL | {"direction_channels": 128, "memory": 3, "memory_interval": 2},
    "dgmpm": DGMPM,
}
"""Arguments of each network, where `tiny.add_tiny_backbone` was called."""


def saved(folder: Path, kind: str, seed: int = 2) -> Path:
    """A weight file of a small network whose random weights decide pixel by pixel."""
    torch.manual_seed(seed)
    network = build_network(kind, KINDS[kind])
    with torch.no_grad():
        network.decoder.predictor.weight.mul_(40)
    path = folder / f"{kind}_{seed}.safetensors"
    save_network(path, network, ModelCard(kind, network.config, licence=LICENCE))
    return path


def export(weights: Path, out: Path, *options: str, size: str = f"{HEIGHT}x{WIDTH}") -> int:
    return main(["--weights", str(weights), "--out", str(out), "--size", size, *options])


def masks_of(objects: int) -> np.ndarray:
    """So many bars side by side: 1 x K x H x W."""
    masks = np.zeros((1, objects, HEIGHT, WIDTH), np.float32)
    width = WIDTH // (objects + 1)
    for number in range(objects):
        masks[:, number, 8:50, number * width : (number + 1) * width] = 1
    return masks


def reference(network, images, masks):
    """Logits and soundness of each later image, as PyTorch has them."""
    network = prepare(network, torch.device("cpu"), "fp32")
    found = []
    with torch.inference_mode():
        first, *later = (network.normalise(torch.from_numpy(image)) for image in images)
        state = network.start(network.encode(first), torch.from_numpy(masks))
        for image in later:
            prediction, state = network.advance(image, state)
            found.append((prediction.logits, prediction.sound))
    return found
