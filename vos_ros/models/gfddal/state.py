# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What GFDDAL computes of a frame, and what it remembers of its objects.

Letters: N images, K objects in each, H x W the padded input, h x w = H/16 x W/16, H' x W' the
output, L the places of the first frame, D the length of the directions, C a number of channels.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from vos_ros.models.gfddal.memory import Remembered
from vos_ros.models.maps import reframe_maps, resize_maps
from vos_ros.models.state import FrameFeatures, ObjectState

#: matching and appearance work at this stride, in pixels
COARSE_STRIDE = 16


@dataclass(frozen=True)
class GfddalFeatures(FrameFeatures):
    """What one backbone pass gives for N frames, shared by all their objects.

    Attributes:
        directions: N x D x h x w unit vectors, for matching and appearance.
        context: N x C x h x w normalised features, for modulation.
        laterals: by stride 8, 4 and the output stride, shallow features for the decoder.
    """

    directions: Tensor
    context: Tensor
    laterals: dict[int, Tensor]


@dataclass(frozen=True)
class GfddalState(ObjectState):
    """What GFDDAL remembers; see `Gfddal.state_bytes` for its size.

    Attributes:
        means: N x K x 4 x D float32, the appearance components, base ones first.
        log_normalisers: N x K x 4 float32, log C_D(kappa): constant, kept here so that no step
            evaluates a Bessel function.
        target_kernels: N x K x L x D of the first frame (equation 1), L its places.
        background_kernels: N x K x L x D.
        guided_first: N x K x C x h x w, the frame-1 half of the modulation.
        coarse: N x K x h x w, the coarse mask of the previous frame.
        first: N x K x H' x W', the first mask at the output stride.
        previous: N x K x H' x W', the previous mask at the output stride.
        memory_keys: N x K x M x hw x D, places of M remembered frames; M is 0 without a memory.
        memory_values: N x K x M x hw x D, what stood there.
        memory_age: N x K float32, see `Remembered`; N x K x 0 without a memory.
    """

    renewed: ClassVar[frozenset[str]] = frozenset(
        {"means", "coarse", "previous", "memory_keys", "memory_values", "memory_age"}
    )
    learned: ClassVar[frozenset[str]] = renewed - {"coarse", "previous"}

    means: Tensor
    log_normalisers: Tensor
    target_kernels: Tensor
    background_kernels: Tensor
    guided_first: Tensor
    coarse: Tensor
    first: Tensor
    previous: Tensor
    memory_keys: Tensor
    memory_values: Tensor
    memory_age: Tensor

    @property
    def remembered(self) -> Remembered:
        """The memory as its module takes it."""
        return Remembered(self.memory_keys, self.memory_values, self.memory_age)

    def remembering(self, memory: Remembered) -> GfddalState:
        """The state with another memory."""
        return dataclasses.replace(
            self, memory_keys=memory.keys, memory_values=memory.values, memory_age=memory.age
        )

    def resized(self, height: int, width: int) -> GfddalState:
        """The state fitted to a padded input of height x width pixels.

        Kernels and means have no place in the image and stay as they are; maps are resized, and so
        are remembered frames, whose places must be as many as those of the frames to come.
        """
        before = (self.coarse.shape[-2], self.coarse.shape[-1])
        h, w = height // COARSE_STRIDE, width // COARSE_STRIDE
        scale = self.first.shape[-2] // self.coarse.shape[-2]
        return dataclasses.replace(
            self,
            guided_first=resize_maps(self.guided_first, h, w),
            coarse=resize_maps(self.coarse, h, w),
            first=resize_maps(self.first, h * scale, w * scale),
            previous=resize_maps(self.previous, h * scale, w * scale),
            memory_keys=F.normalize(_resized_places(self.memory_keys, before, (h, w)), dim=-1),
            memory_values=_resized_places(self.memory_values, before, (h, w)),
        )

    def shown(self, masks: Tensor) -> GfddalState:
        """The state as if the masks N x K x H x W had been found in the frame before."""
        masks = masks.to(self.coarse.dtype)
        scale = self.previous.shape[-2] // self.coarse.shape[-2]
        return dataclasses.replace(
            self,
            coarse=F.avg_pool2d(masks, COARSE_STRIDE),
            previous=F.avg_pool2d(masks, COARSE_STRIDE // scale),
        )

    def reframed(self, change: Tensor) -> GfddalState:
        """The state where the next frames show another part of the scene: see `ObjectState`."""
        return dataclasses.replace(
            self,
            coarse=reframe_maps(self.coarse, change),
            previous=reframe_maps(self.previous, change),
        )

    def exchanged(self, one: int, other: int) -> GfddalState:
        """See `ObjectState`; the base components and the first remembered frame stay, too."""
        after = super().exchanged(one, other)

        def with_first(now: Tensor, before: Tensor, axis: int, count: int) -> Tensor:
            rest = now.narrow(axis, count, now.shape[axis] - count)
            return torch.cat([before.narrow(axis, 0, count), rest], dim=axis)

        means, keys, values = after.means, after.memory_keys, after.memory_values
        if means.shape[2]:
            means = with_first(means, self.means, 2, 2)
        if keys.shape[2]:
            keys = with_first(keys, self.memory_keys, 2, 1)
            values = with_first(values, self.memory_values, 2, 1)
        return dataclasses.replace(after, means=means, memory_keys=keys, memory_values=values)

    def joined(self, other: GfddalState) -> GfddalState:
        """This state with the objects of `other` in further slots at the end.

        The objects may have begun at different resolutions, and so with different numbers of
        kernels L; the larger number is that of the result.
        """
        length = max(self.target_kernels.shape[2], other.target_kernels.shape[2])
        return ObjectState.joined(self._with_kernels(length), other._with_kernels(length))

    def _with_kernels(self, length: int) -> GfddalState:
        """The state with its first kernel repeated: the maximum over kernels is the same."""
        missing = length - self.target_kernels.shape[2]
        if not missing:
            return self

        def lengthened(kernels: Tensor) -> Tensor:
            return torch.cat([kernels, kernels[:, :, :1].expand(-1, -1, missing, -1)], dim=2)

        return dataclasses.replace(
            self,
            target_kernels=lengthened(self.target_kernels),
            background_kernels=lengthened(self.background_kernels),
        )


def _resized_places(places: Tensor, before: tuple[int, int], now: tuple[int, int]) -> Tensor:
    """N x K x M x L x D vectors of places h x w as those of another number of places."""
    if not places.numel():
        return places.new_zeros(*places.shape[:3], now[0] * now[1], places.shape[-1])
    maps = places.transpose(-1, -2).unflatten(-1, before)
    return resize_maps(maps, *now).flatten(-2).transpose(-1, -2)
