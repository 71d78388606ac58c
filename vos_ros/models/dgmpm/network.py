# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DGMPM put together.

Liu, Dai, Li and Tang, "Distance-Guided Mask Propagation Model for Efficient Video Object
Segmentation", section III and figure 3.

Letters: N images, K objects in each, B = N K, H x W the padded input, H' x W' the output, C the
length of the embedding vectors, M the guiding maps.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vos_ros.models.aggregation import aggregate, merged_probabilities, only_numbers
from vos_ros.models.arguments import check_channels, check_switches, check_widths
from vos_ros.models.backbones import build_backbone
from vos_ros.models.dgmpm.attention import ATTENTIONS
from vos_ros.models.dgmpm.decoder import LEVEL_STRIDES, FeatureIntegration
from vos_ros.models.dgmpm.embedding_distance import distance_map, mean_anchors
from vos_ros.models.dgmpm.extractor import EmbeddingExtractor
from vos_ros.models.dgmpm.state import DgmpmFeatures, DgmpmState
from vos_ros.models.maps import resize_maps
from vos_ros.models.normalisation import InputNormalisation
from vos_ros.models.state import Prediction, SegmentationNetwork


class Dgmpm(SegmentationNetwork[DgmpmFeatures, DgmpmState]):
    """The whole network.

    Args:
        backbone: ``resnet18``, ``resnet50``, ``resnet101``, ``efficientnet_lite0`` to
            ``efficientnet_lite2``. The paper says ResNet, not which.
        embedding_channels: C.
        embedding_stride: of the embedding and its distance map: 1 (the paper's), 2 or 4.
        decoder_channels: of the levels at strides 32, 16, 8, 4 and 2, multiples of 8; the last
            may be left out, or the last two.
        attention_channels: hidden channels of the spatial attention.
        output_stride: of the prediction: 1 (the paper's), 2 or 4, at most that of the last
            level.
        embedding_distance: with the embedding distance module (EDM in the ablation).
        previous_mask: with the previous mask as a guiding map (PM).
        attention: ``spatial`` (SAB), ``channel`` (CAB) or ``none``.

    Raises:
        ValueError: when a value above is out of range, or nothing would tell the network what to
            follow.
    """

    stride = 32

    def __init__(
        self,
        backbone: str = "resnet50",
        embedding_channels: int = 64,
        embedding_stride: int = 1,
        decoder_channels: Sequence[int] = (128, 128, 128, 128, 128),
        attention_channels: int = 32,
        output_stride: int = 1,
        embedding_distance: bool = True,
        previous_mask: bool = True,
        attention: str = "spatial",
    ) -> None:
        super().__init__()
        _check(decoder_channels, embedding_stride, output_stride, attention)
        check_channels(embedding_channels=embedding_channels, attention_channels=attention_channels)
        check_switches(embedding_distance=embedding_distance, previous_mask=previous_mask)
        if not (embedding_distance or previous_mask):
            raise ValueError(
                "embedding_distance and previous_mask cannot both be switched off: "
                "nothing would tell the network what to follow"
            )
        self._config: dict[str, Any] = {
            "backbone": backbone,
            "embedding_channels": embedding_channels,
            "embedding_stride": embedding_stride,
            "decoder_channels": list(decoder_channels),
            "attention_channels": attention_channels,
            "output_stride": output_stride,
            "embedding_distance": embedding_distance,
            "previous_mask": previous_mask,
            "attention": attention,
        }
        self.needs_background = embedding_distance
        self.embedding_stride, self.output_stride = embedding_stride, output_stride
        self.previous_mask = previous_mask
        self.backbone = build_backbone(backbone)
        self.normalisation = InputNormalisation(self.backbone)
        channels = self.backbone.channels
        self.extractor = (
            EmbeddingExtractor(channels, embedding_channels, embedding_stride)
            if embedding_distance
            else None
        )
        widths = dict(zip(LEVEL_STRIDES, decoder_channels, strict=False))
        self.laterals = nn.ModuleDict(
            {str(s): nn.Conv2d(channels[s], width, 1) for s, width in widths.items()}
        )
        with torch.no_grad():  # as large as what the guiding maps add; side outputs are larger
            for lateral in self.laterals.values():
                assert isinstance(lateral, nn.Conv2d)
                lateral.weight.mul_(0.3)
        self.decoder = FeatureIntegration(
            decoder_channels,
            embedding_distance + previous_mask,
            attention,
            attention_channels,
            output_stride,
        )

    @property
    def config(self) -> dict[str, Any]:
        """See `SegmentationNetwork`."""
        return copy.deepcopy(self._config)

    def project(self, features: dict[int, Tensor]) -> DgmpmFeatures:
        """The part of `encode` after the backbone (apart, so that training can freeze one)."""
        laterals = {int(s): conv(features[int(s)]) for s, conv in self.laterals.items()}
        if self.extractor is None:
            deepest = laterals[LEVEL_STRIDES[0]]
            return DgmpmFeatures(deepest.new_zeros(deepest.shape[0], 0), laterals)
        return DgmpmFeatures(self.extractor(features), laterals)

    def start(self, features: DgmpmFeatures, masks: Tensor) -> DgmpmState:
        """Objects as the first frame shows them.

        Args:
            features: of the first frame, from `encode`.
            masks: N x K x H x W, soft masks in 0..1 at the size of the padded input. Whether one
                is empty cannot be told without waiting for the device: whoever holds the mask on
                the host looks first (see `needs_background`).
        """
        n, k = masks.shape[:2]
        if self.extractor is not None:
            pooled = F.avg_pool2d(masks.float(), self.embedding_stride)
            anchors = mean_anchors(features.embedding, pooled)
        else:
            anchors = masks.new_zeros(n, k, 0, 0)
        dtype = features.laterals[LEVEL_STRIDES[0]].dtype
        previous = masks.new_zeros(n, k, 0, 0, dtype=dtype)
        if self.previous_mask:
            previous = F.avg_pool2d(masks.to(dtype), self.output_stride)
        return DgmpmState(anchors, previous, self.output_stride)

    def step(self, features: DgmpmFeatures, state: DgmpmState) -> tuple[Prediction, DgmpmState]:
        """One frame: guiding maps, feature integration, aggregation, and the state after it."""
        n, k = state.anchors.shape[:2]
        classes = self.decoder(features.laterals, self.guiding_maps(features, state))
        background, target = classes.unbind(dim=1)
        own, sound = (target - background).unflatten(0, (n, k)), None
        if not self.training:  # training has to see what went wrong
            (own,), sound = only_numbers(own)
        logits = aggregate(own)
        if self.previous_mask:
            previous = merged_probabilities(logits).to(state.previous.dtype)
            state = dataclasses.replace(state, previous=previous)
        return Prediction(logits, None, sound), state

    def guiding_maps(self, features: DgmpmFeatures, state: DgmpmState) -> dict[int, Tensor]:
        """Distance map and previous mask, as far as switched on, at every level: B x M x h x w."""
        dtype = features.laterals[LEVEL_STRIDES[0]].dtype
        levels = []
        if self.extractor is not None:
            distances = distance_map(features.embedding, state.anchors).to(dtype)
            levels.append(_pyramid(distances, self.embedding_stride, self.decoder.strides))
        if self.previous_mask:
            levels.append(_pyramid(state.previous, self.output_stride, self.decoder.strides))
        return {
            stride: torch.stack([maps[stride] for maps in levels], dim=2).flatten(0, 1)
            for stride in self.decoder.strides
        }

    def state_bytes(self, height: int, width: int) -> int:
        """Bytes of state per object at a padded input of height x width pixels, by the formula.

        Two anchors of C numbers in float32, and one map at the output stride o,
        (height / o) (width / o) numbers of e bytes, e of the network's type.
        """
        anchors = 2 * self._config["embedding_channels"] * 4 * (self.extractor is not None)
        places = (height // self.output_stride) * (width // self.output_stride)
        return anchors + places * self.decoder.first.weight.element_size() * self.previous_mask


def _pyramid(maps: Tensor, stride: int, wanted: Iterable[int]) -> dict[int, Tensor]:
    """N x K x H/stride x W/stride maps at other strides: averaged down, or bilinear upwards."""
    levels = {}
    current = maps
    for target in sorted(wanted):
        if target < stride:
            size = [side * stride // target for side in maps.shape[-2:]]
            levels[target] = resize_maps(maps, *size)
            continue
        if target > stride:
            current = F.avg_pool2d(current, target // stride)
            stride = target
        levels[target] = current
    return levels


def _check(channels: Sequence[int], embedding: int, output: int, attention: str) -> None:
    """Raise ValueError for what `Dgmpm` cannot be made of."""
    check_widths("decoder_channels", channels, 8)
    if len(channels) not in (3, 4, 5):
        raise ValueError(
            "decoder_channels must be 3 to 5 numbers (strides 32, 16, 8, 4, 2), "
            f"not {len(channels)}"
        )
    if embedding not in (1, 2, 4):
        raise ValueError(f"embedding_stride must be 1, 2 or 4, not {embedding}")
    last = LEVEL_STRIDES[len(channels) - 1]
    if output not in [stride for stride in (1, 2, 4) if stride <= last]:
        raise ValueError(
            f"output_stride must be 1, 2 or 4 and at most that of the last level, {last}, "
            f"not {output}"
        )
    if attention not in ATTENTIONS:
        raise ValueError(f"attention must be one of {', '.join(ATTENTIONS)}, not {attention!r}")
