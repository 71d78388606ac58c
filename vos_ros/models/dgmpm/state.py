# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What DGMPM computes of a frame, and what it remembers of its objects.

Letters: N images, K objects in each, H x W the padded input, H' x W' the output, C the length of
the embedding vectors.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from vos_ros.models.maps import reframe_maps, resize_maps
from vos_ros.models.state import FrameFeatures, ObjectState


@dataclass(frozen=True)
class DgmpmFeatures(FrameFeatures):
    """What one backbone pass gives for N frames, shared by all their objects.

    Attributes:
        embedding: N x C x H/e x W/e, e the embedding's stride; of no size where it is not used.
        laterals: by stride, the side outputs' share of each level of the decoder.
    """

    embedding: Tensor
    laterals: dict[int, Tensor]


@dataclass(frozen=True)
class DgmpmState(ObjectState):
    """What DGMPM remembers; see `Dgmpm.state_bytes` for its size.

    Attributes:
        anchors: N x K x 2 x C float32, foreground and background of the first frame (equations 3
            and 4); N x K x 0 x C without the embedding distance.
        previous: N x K x H' x W', the mask of the frame before; N x K x 0 x 0 without it.
        output_stride: H / H', pixels.
    """

    renewed: ClassVar[frozenset[str]] = frozenset({"previous"})
    learned: ClassVar[frozenset[str]] = frozenset()

    anchors: Tensor
    previous: Tensor
    output_stride: int

    def resized(self, height: int, width: int) -> DgmpmState:
        """The state fitted to a padded input of height x width pixels.

        Anchors have no place in the image and stay as they are.
        """
        if not self.previous.numel():
            return self
        size = height // self.output_stride, width // self.output_stride
        return dataclasses.replace(self, previous=resize_maps(self.previous, *size))

    def shown(self, masks: Tensor) -> DgmpmState:
        """The state as if the masks N x K x H x W had been found in the frame before."""
        if not self.previous.numel():
            return self
        previous = F.avg_pool2d(masks.to(self.previous.dtype), self.output_stride)
        return dataclasses.replace(self, previous=previous)

    def reframed(self, change: Tensor) -> DgmpmState:
        """The state where the next frames show another part of the scene: see `ObjectState`."""
        if not self.previous.numel():
            return self
        return dataclasses.replace(self, previous=reframe_maps(self.previous, change))
