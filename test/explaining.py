# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small clip, and what one network makes of it, for the tests of `explain`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from dgmpm_cases import tiny_dgmpm
from tiny import CONFIG
from torch import nn

from vos_ros.explain import dgmpm, gfddal
from vos_ros.explain.scene import Scene, Viewing, scenes
from vos_ros.models import build_network
from vos_ros.models.gfddal import Gfddal
from vos_ros.models.state import SegmentationNetwork
from vos_ros.runtimes.ready import ReadyNetwork
from vos_ros.segmenter import ready_network

#: of the images: multiples of 32, so that with SIZE the network sees them as they are
HEIGHT, WIDTH, SIZE = 64, 96, 64
START = 5
IDS = (2, 7)
#: frames that are looked at
WANTED = (7, 10)


def clip(count: int = 6) -> list[tuple[int, np.ndarray]]:
    """Numbered frames from `START` on: two textured squares that move over noise."""
    random = np.random.default_rng(3)
    ground = random.integers(0, 160, (HEIGHT, WIDTH, 3), np.uint8)
    things = random.integers(120, 256, (2, 28, 28, 3), np.uint8)
    frames = []
    for index in range(count):
        image = ground.copy()
        image[4:32, 4 + 3 * index : 32 + 3 * index] = things[0]
        image[34:62, 60 - 3 * index : 88 - 3 * index] = things[1]
        frames.append((START + index, image))
    return frames


def first_mask() -> np.ndarray:
    """Of the first frame of `clip`."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[4:32, 4:32], mask[34:62, 60:88] = IDS
    return mask


def viewing(**changes) -> Viewing:
    """The second object, the whole image, frames `WANTED`."""
    given = {"wanted": WANTED, "object_id": IDS[1], "size": SIZE, "region": None, "names": {}}
    return Viewing(**given | changes)


def remembering_gfddal(**changes) -> Gfddal:
    """A small GFDDAL with a memory of three frames; `tiny.add_tiny_backbone` was called.

    Its weights are random, but such that it is sure enough of both objects to remember them.
    """
    torch.manual_seed(6)
    config = CONFIG | {"memory": 3, "memory_interval": 2, "update_rate": 0.3} | changes
    network = build_network("gfddal", config)
    with torch.no_grad():
        network.decoder.predictor.weight.mul_(40)
        network.coarse.weight.mul_(10)
    return network


#: one small network of either kind
NETWORKS = {"gfddal": remembering_gfddal, "dgmpm": lambda: tiny_dgmpm(seed=2, contrast=40)}


def watched(
    network: SegmentationNetwork, more: Mapping[str, str] | None = None, **changes
) -> tuple[ReadyNetwork, list[Scene]]:
    """The prepared network, and the wanted scenes of `clip`.

    Args:
        network: a GFDDAL or a DGMPM.
        more: names of further modules to listen to, by the names under which they are heard.
        changes: of `viewing`.
    """
    ready = ready_network(network, "cpu", "fp32", "torch", True)
    explainer = gfddal if isinstance(ready.network, Gfddal) else dgmpm
    parts: dict[str, nn.Module] = dict(explainer.listened(ready.network))
    for name, path in (more or {}).items():
        parts[name] = ready.network.get_submodule(path)
    return ready, list(scenes(ready, parts, clip(), first_mask(), viewing(**changes)))
