# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Networks small enough that a step takes a millisecond: what tests of the core run on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vos_ros.models import build_network
from vos_ros.models.aggregation import aggregate, merged_probabilities
from vos_ros.models.backbones import BACKBONES
from vos_ros.models.backbones.base import STRIDES, Backbone
from vos_ros.models.gfddal import Gfddal
from vos_ros.models.maps import reframe_maps, resize_maps
from vos_ros.models.state import FrameFeatures, ObjectState, Prediction, SegmentationNetwork

CONFIG = {
    "backbone": "tiny",
    "direction_channels": 8,
    "guided_channels": 8,
    "fused_channels": 16,
    "decoder_channels": [16, 8, 8, 8],
}
"""Of a small GFDDAL, where `add_tiny_backbone` was called."""


class TinyBackbone(Backbone):
    """Five layers, each a convolution of stride 2, a batch norm and a ReLU."""

    mean: ClassVar[tuple[float, float, float]] = (0.5, 0.4, 0.45)
    std: ClassVar[tuple[float, float, float]] = (0.25, 0.2, 0.22)

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 6, 8, 8, 12, 16)
        self.channels = dict(zip(STRIDES, widths[1:], strict=True))
        for index, stride in enumerate(STRIDES):
            layers = (
                nn.Conv2d(widths[index], widths[index + 1], 3, 2, 1, bias=False),
                nn.BatchNorm2d(widths[index + 1]),
                nn.ReLU(),
            )
            setattr(self, f"layer{stride}", nn.Sequential(*layers))
        for module in self.modules():  # else folding the norms would change nothing
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.running_mean, 0, 0.1)
                nn.init.uniform_(module.running_var, 0.5, 2)
        self.train(self.training)

    def forward(self, images: Tensor) -> dict[int, Tensor]:
        features = {}
        for stride in STRIDES:
            images = getattr(self, f"layer{stride}")(images)
            features[stride] = images
        return features

    @staticmethod
    def checkpoint_key(key: str) -> str | None:
        return key

    def stages(self) -> dict[int, tuple[str, ...]]:
        return {stride: (f"layer{stride}",) for stride in STRIDES}


def add_tiny_backbone(monkeypatch) -> None:
    """Make `tiny` the name of a backbone until the test is over."""
    monkeypatch.setitem(BACKBONES, "tiny", TinyBackbone)


def tiny_gfddal(seed: int = 0, contrast: float = 1.0) -> Gfddal:
    """A small GFDDAL with random weights; a high contrast makes it decide pixel by pixel."""
    torch.manual_seed(seed)
    network = build_network("gfddal", CONFIG)
    with torch.no_grad():
        network.decoder.predictor.weight.mul_(contrast)
        network.coarse.weight.mul_(contrast)
    return network


@dataclass(frozen=True)
class ColourFeatures(FrameFeatures):
    """N x 3 x H/4 x W/4 colours, 0..1."""

    colours: Tensor


@dataclass(frozen=True)
class ColourState(ObjectState):
    """Colours N x K x 3, steps gone through N x K x 1, and the mask before N x K x H/4 x W/4."""

    renewed: ClassVar[frozenset[str]] = frozenset({"colours", "steps", "previous"})
    learned: ClassVar[frozenset[str]] = frozenset({"colours", "steps"})

    colours: Tensor
    steps: Tensor
    previous: Tensor

    def resized(self, height: int, width: int) -> ColourState:
        maps = resize_maps(self.previous, height // 4, width // 4)
        return ColourState(self.colours, self.steps, maps)

    def shown(self, masks: Tensor) -> ColourState:
        maps = F.avg_pool2d(masks.to(self.previous.dtype), 4)
        return ColourState(self.colours, self.steps, maps)

    def reframed(self, change: Tensor) -> ColourState:
        return ColourState(self.colours, self.steps, reframe_maps(self.previous, change))


class ColourNetwork(SegmentationNetwork[ColourFeatures, ColourState]):
    """Finds an object by the mean colour it had under its mask: its answers can be foretold.

    The colour follows what is found, slowly, so that what a step gives depends on all before it.
    """

    stride = 32

    def __init__(self, follow: float = 0.1) -> None:
        super().__init__()
        self.follow = follow
        self.sharpness = nn.Parameter(torch.tensor(20.0))

    @property
    def config(self) -> dict:
        return {"follow": self.follow}

    def normalise(self, images: Tensor) -> Tensor:
        return images.to(self.sharpness.dtype) / 255

    def encode(self, images: Tensor) -> ColourFeatures:
        return self.project({4: F.avg_pool2d(images, 4)})

    def project(self, features: dict[int, Tensor]) -> ColourFeatures:
        return ColourFeatures(features[4])

    def start(self, features: ColourFeatures, masks: Tensor) -> ColourState:
        masks = F.avg_pool2d(masks.to(features.colours.dtype), 4)
        steps = masks.new_zeros(*masks.shape[:2], 1)
        return ColourState(self._mean(features, masks), steps, masks)

    def step(self, features: ColourFeatures, state: ColourState) -> tuple[Prediction, ColourState]:
        apart = (features.colours.unsqueeze(1) - state.colours[..., None, None]).norm(dim=2)
        # What was there before counts a little, too.
        logits = aggregate(self.sharpness * (0.28 - apart) + state.previous - 0.5)
        previous = merged_probabilities(logits).to(apart.dtype)
        cells = previous.flatten(2).sum(dim=2, keepdim=True)
        rate = self.follow * cells / (cells + 4)  # a glimpse teaches little
        colours = state.colours + rate * (self._mean(features, previous) - state.colours)
        return Prediction(logits, None), ColourState(colours, state.steps + 1, previous)

    @staticmethod
    def _mean(features: ColourFeatures, masks: Tensor) -> Tensor:
        weights = masks.flatten(2)
        sums = weights @ features.colours.flatten(2).transpose(1, 2)
        return sums / weights.sum(dim=2, keepdim=True).clamp_min(1e-3)
