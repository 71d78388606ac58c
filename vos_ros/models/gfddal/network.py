# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""GFDDAL put together.

Fiaz, Mahmood and Jung, "Video Object Segmentation using Guided Feature and Directional Deep
Appearance Learning", DAVIS Challenge 2020, section 2 and figure 1.

Letters: N images, K objects in each, B = N K, H x W the padded input, h x w = H/16 x W/16,
D the length of the directions, C a number of channels.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vos_ros.models.aggregation import aggregate, merged_probabilities, only_numbers
from vos_ros.models.backbones import build_backbone
from vos_ros.models.gfddal.appearance import COMPONENTS, DirectionalAppearance
from vos_ros.models.gfddal.arguments import checked_arguments
from vos_ros.models.gfddal.coarse import CoarsePredictor, Merge
from vos_ros.models.gfddal.decoder import GuidedPooledDecoder
from vos_ros.models.gfddal.matching import directional_kernels, match
from vos_ros.models.gfddal.memory import FrameMemory, Remembered, with_unread_memory
from vos_ros.models.gfddal.modulation import GuidedFeatureModulation, normalise_features
from vos_ros.models.gfddal.projection import Projection
from vos_ros.models.gfddal.state import COARSE_STRIDE, GfddalFeatures, GfddalState
from vos_ros.models.normalisation import InputNormalisation
from vos_ros.models.state import Prediction, SegmentationNetwork


class Gfddal(SegmentationNetwork[GfddalFeatures, GfddalState]):
    """The whole network.

    Args:
        backbone: ``resnet18``, ``resnet50``, ``resnet101`` (the paper's), ``efficientnet_lite0``
            to ``efficientnet_lite2``.
        direction_channels: D.
        guided_channels: channels of the guided features.
        fused_channels: channels after the merge module, a multiple of 8.
        decoder_channels: channels at strides 16, 8, 4 (the paper's decoder) and, with a fourth
            number, of our fine level at stride 2; the first three are multiples of 8.
        deepest: add the stride-32 features, upsampled, to those of stride 16 (ours; the paper
            reads stride 16 alone).
        update_rate: lambda of the appearance update (section 2.3), 0..1.
        modulation: with guided feature modulation (GFM in the ablation).
        matching: with global directional matching (GDM).
        appearance: with the directional appearance model (DAM).
        guided_decoder: with the guided pooled decoder (GPD), else a plain one.
        memory: frames remembered with what stood in them (ours): 2, the first and the last, or
            more; 0 is the paper's network.
        memory_interval: frames that lie between those kept beside the first and the last.

    Raises:
        ValueError: when a value above is out of range, or nothing would tell the network what to
            follow.
    """

    stride = 32

    def __init__(
        self,
        backbone: str = "resnet101",
        direction_channels: int = 128,
        guided_channels: int = 64,
        fused_channels: int = 96,
        decoder_channels: Sequence[int] = (96, 64, 32, 16),
        deepest: bool = True,
        update_rate: float = 0.1,
        modulation: bool = True,
        matching: bool = True,
        appearance: bool = True,
        guided_decoder: bool = True,
        memory: int = 0,
        memory_interval: int = 5,
    ) -> None:
        super().__init__()
        self._config = checked_arguments(
            backbone=backbone,
            direction_channels=direction_channels,
            guided_channels=guided_channels,
            fused_channels=fused_channels,
            decoder_channels=decoder_channels,
            deepest=deepest,
            update_rate=update_rate,
            modulation=modulation,
            matching=matching,
            appearance=appearance,
            guided_decoder=guided_decoder,
            memory=memory,
            memory_interval=memory_interval,
        )
        self.output_stride = 2 if len(decoder_channels) > 3 else 4
        self.backbone = build_backbone(backbone)
        self.normalisation = InputNormalisation(self.backbone)
        channels = self.backbone.channels
        self.directions = Projection(channels, direction_channels, deepest)
        self.context = Projection(channels, guided_channels, deepest)
        lateral_widths = dict(zip((8, 4, 2), decoder_channels[1:], strict=False))
        self.laterals = nn.ModuleDict(
            {str(s): nn.Conv2d(channels[s], width, 1) for s, width in lateral_widths.items()}
        )
        self.modulation = GuidedFeatureModulation(guided_channels) if modulation else None
        self.use_matching = matching
        self.appearance = (
            DirectionalAppearance(direction_channels, update_rate) if appearance else None
        )
        self.memory = (
            FrameMemory(
                memory,
                memory_interval,
                direction_channels,
                guided_channels,
                COARSE_STRIDE // self.output_stride,
            )
            if memory
            else None
        )
        cues = guided_channels * modulation + 2 * matching + COMPONENTS * appearance
        cues += direction_channels * bool(memory)
        self.merge = Merge(cues, fused_channels)
        self.coarse = CoarsePredictor(fused_channels)
        self.decoder = GuidedPooledDecoder(fused_channels, decoder_channels, guided_decoder)

    @property
    def config(self) -> dict[str, Any]:
        """See `SegmentationNetwork`."""
        return copy.deepcopy(self._config)

    def take_over(self, start: SegmentationNetwork[Any, Any]) -> None:
        """The weights of another; one without a memory may start one that has it."""
        weights = start.state_dict()
        if self.memory is not None and not start.config.get("memory", 0):
            weights = with_unread_memory(weights, self.state_dict())
        self.load_state_dict(weights)

    def project(self, features: dict[int, Tensor]) -> GfddalFeatures:
        """The part of `encode` after the backbone (apart, so that training can freeze one)."""
        return GfddalFeatures(
            directions=F.normalize(self.directions(features), dim=1, eps=1e-4),
            context=normalise_features(self.context(features)),
            laterals={int(s): conv(features[int(s)]) for s, conv in self.laterals.items()},
        )

    def start(self, features: GfddalFeatures, masks: Tensor) -> GfddalState:
        """Objects as the first frame shows them.

        Args:
            features: of the first frame, from `encode`.
            masks: N x K x H x W, soft masks in 0..1 at the size of the padded input.
        """
        dtype = features.context.dtype
        masks = masks.to(dtype)
        coarse = F.avg_pool2d(masks, COARSE_STRIDE)
        fine = F.avg_pool2d(masks, self.output_stride)
        n, k, h, w = coarse.shape
        d = features.directions.shape[1]
        if self.use_matching:
            target, background = directional_kernels(features.directions, coarse)
        else:
            target = background = features.directions.new_zeros(n, k, 0, d)
        if self.appearance is not None:
            normalisers = self.appearance.log_normalisers()
            means = self.appearance.start(normalisers, features.directions, coarse)
            log_normalisers = normalisers.expand(n, k, -1)
        else:
            means = features.directions.new_zeros(n, k, 0, d)
            log_normalisers = features.directions.new_zeros(n, k, 0)
        if self.modulation is not None:
            guided_first = self.modulation.start(features.context, coarse)
        else:
            guided_first = features.context.new_zeros(n, k, 0, h, w)
        if self.memory is not None:
            memory = self.memory.start(features.directions, features.context, fine)
        else:
            nothing = features.directions.new_zeros(n, k, 0, h * w, d)
            memory = Remembered(nothing, nothing, coarse.new_zeros(n, k, 0))
        return GfddalState(
            means=means,
            log_normalisers=log_normalisers,
            target_kernels=target,
            background_kernels=background,
            guided_first=guided_first,
            coarse=coarse,
            first=fine,
            previous=fine,
            memory_keys=memory.keys,
            memory_values=memory.values,
            memory_age=memory.age,
        )

    def step(self, features: GfddalFeatures, state: GfddalState) -> tuple[Prediction, GfddalState]:
        """One frame: cues, merge, coarse mask, decoder, aggregation, and the state after it."""
        n, k = state.coarse.shape[:2]
        fused = self.merge(self._cues(features, state))
        background, target = self.coarse(fused).unbind(dim=1)
        coarse = (target - background).unflatten(0, (n, k))
        fine = self.decoder(fused, features.laterals, self._foreground_maps(state))
        fine, sound = fine.squeeze(1).unflatten(0, (n, k)), None
        if not self.training:  # training has to see what went wrong
            (coarse, fine), sound = only_numbers(coarse, fine)
        prediction = Prediction(aggregate(fine), aggregate(coarse), sound)
        return prediction, self._next(features, state, prediction)

    def _cues(self, features: GfddalFeatures, state: GfddalState) -> Tensor:
        """B x cues x h x w: guided features, p and q, and the posterior, as far as switched on."""
        dtype = features.context.dtype
        cues = []
        if self.modulation is not None:
            cues.append(self.modulation(state.guided_first, features.context, state.coarse))
        if self.use_matching:
            matched = match(state.target_kernels, state.background_kernels, features.directions)
            cues.append(matched.flatten(0, 1).to(dtype))
        if self.appearance is not None:
            posterior = self.appearance(
                state.means, state.log_normalisers[0, 0], features.directions
            )
            cues.append(posterior.flatten(0, 1).to(dtype))
        if self.memory is not None:
            cues.append(self.memory(state.remembered, features.directions).to(dtype))
        return torch.cat(cues, dim=1)

    def _foreground_maps(self, state: GfddalState) -> dict[int, Tensor]:
        """The first and the previous foreground map at every level of the decoder, B x 2 each."""
        maps = torch.stack([state.first, state.previous], dim=2).flatten(0, 1)
        levels = {self.output_stride: maps}
        for stride in (4, 8, 16):
            if stride not in levels:
                levels[stride] = F.avg_pool2d(levels[stride // 2], 2)
        return levels

    def _next(
        self, features: GfddalFeatures, state: GfddalState, prediction: Prediction
    ) -> GfddalState:
        dtype = state.coarse.dtype
        assert prediction.coarse_logits is not None  # for it comes from `step`
        coarse = merged_probabilities(prediction.coarse_logits).to(dtype)
        means = state.means
        if self.appearance is not None:
            means = self.appearance.update(
                means, state.log_normalisers[0, 0], features.directions, coarse
            )
        previous = merged_probabilities(prediction.logits).to(dtype)
        after = dataclasses.replace(state, means=means, coarse=coarse, previous=previous)
        if self.memory is None:
            return after
        return after.remembering(
            self.memory.update(state.remembered, features.directions, features.context, previous)
        )

    def state_bytes(self, height: int, width: int) -> int:
        """Bytes of state per object at a padded input of height x width pixels, by the formula.

        With P = (height / 16) (width / 16) places, e bytes per element of the network's type:
        kernels 2 P D e, guided half P C e, coarse map P e, two maps at the output stride, M frames
        of memory 2 M P D e, and four means and normalisers and the memory's age in float32.
        """
        size = self.coarse.weight.element_size()
        d, c = self._config["direction_channels"], self._config["guided_channels"]
        places = (height // COARSE_STRIDE) * (width // COARSE_STRIDE)
        fine = (height // self.output_stride) * (width // self.output_stride)
        total = (places + 2 * fine) * size
        total += 2 * places * d * size * bool(self.use_matching)
        total += places * c * size * (self.modulation is not None)
        total += (COMPONENTS * d + COMPONENTS) * 4 * (self.appearance is not None)
        total += 2 * self._config["memory"] * places * d * size + 4 * (self.memory is not None)
        return total
