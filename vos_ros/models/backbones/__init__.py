# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image backbones: built by name, with ImageNet weights from a file."""

from __future__ import annotations

from collections.abc import Callable

from vos_ros.models.backbones.base import STRIDES, Backbone
from vos_ros.models.backbones.checkpoint import (
    CheckpointError,
    find_registry_checkpoint,
    load_imagenet_weights,
)
from vos_ros.models.backbones.efficientnet_lite import EfficientNetLite
from vos_ros.models.backbones.folding import fold_batch_norms
from vos_ros.models.backbones.resnet import ResNet

__all__ = [
    "BACKBONES",
    "STRIDES",
    "Backbone",
    "CheckpointError",
    "build_backbone",
    "find_registry_checkpoint",
    "fold_batch_norms",
    "load_imagenet_weights",
]

BACKBONES: dict[str, Callable[[], Backbone]] = {
    "resnet18": lambda: ResNet(18),
    "resnet50": lambda: ResNet(50),
    "resnet101": lambda: ResNet(101),
    "efficientnet_lite0": lambda: EfficientNetLite(0),
    "efficientnet_lite1": lambda: EfficientNetLite(1),
    "efficientnet_lite2": lambda: EfficientNetLite(2),
}


def build_backbone(name: str) -> Backbone:
    """Make a backbone with random weights.

    Args:
        name: a key of `BACKBONES`.

    Raises:
        ValueError: when there is no backbone of that name.
    """
    if name not in BACKBONES:
        raise ValueError(f"no backbone is called {name!r}: choose one of {', '.join(BACKBONES)}")
    return BACKBONES[name]()
