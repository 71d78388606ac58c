# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Memory of a few frames (ours, beyond the paper): what places of them that look alike were.

GFDDAL reads of the first frame how well a place agrees with the object and with the background.
This part reads what stood there as well: a value for every place of the first frame, of the frame
before, and of a few between, made of what the place looks like and of how the mask runs through it.
Places are compared by the directions that matching uses, and values are averaged by likeness, as in
attention. The number of frames is fixed, and so is the size of the state.

Letters: N images, K objects in each, B = N K, M remembered frames, h x w places at stride 16 and
L = h w of them, D the length of directions and of values, H' x W' the output.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vos_ros.models.objects import add_to_objects

#: a frame in which no place reaches this probability does not show the object: not worth keeping
_SEEN = 0.5

#: the convolution that the cues go through together, what was read last
_JOINING = "merge.first.weight"


def check_memory(frames: int, interval: int) -> None:
    """Raise ValueError unless these are numbers of frames that a memory can have."""
    for name, value in (("memory", frames), ("memory_interval", interval)):
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{name} must be a whole number of frames, not {value!r}")
    if frames not in (0, *range(2, 65)):
        raise ValueError(
            "memory must be 0 (none) or 2 to 64 frames (the first and the last among them), "
            f"not {frames}"
        )
    if interval < 1:
        raise ValueError(f"memory_interval must be 1 frame or more, not {interval}")


@dataclass(frozen=True)
class Remembered:
    """What is known of the remembered frames: the first, those between, the last.

    Attributes:
        keys: N x K x M x L x D unit vectors.
        values: N x K x M x L x D.
        age: N x K float32, frames gone through since one between was last replaced.
    """

    keys: Tensor
    values: Tensor
    age: Tensor


class FrameMemory(nn.Module):
    """Writes frames into the memory, and reads it.

    Args:
        frames: M, 2 (the first and the last) or more.
        interval: so many frames lie between those that are kept beside the first and the last.
        dimension: D.
        context_channels: of the features that values are made of.
        patch: side of the part of the mask, at the output stride, that belongs to one place.
        sharpness: where the trainable factor on the cosines starts, > 0.
    """

    def __init__(
        self,
        frames: int,
        interval: int,
        dimension: int,
        context_channels: int,
        patch: int,
        sharpness: float = 25.0,
    ) -> None:
        super().__init__()
        self.frames, self.interval = frames, interval
        self.context = nn.Conv2d(context_channels, dimension, 1)
        self.mask = nn.Conv2d(1, dimension, patch, stride=patch)
        self.value = nn.Conv2d(dimension, dimension, 3, padding=1)
        # The logarithm is trained, which keeps the factor positive without a bound.
        self.log_sharpness = nn.Parameter(torch.tensor(math.log(sharpness)))

    def start(self, directions: Tensor, context: Tensor, masks: Tensor) -> Remembered:
        """A memory in which every frame is the first.

        Args:
            directions: N x D x h x w unit vectors.
            context: N x C x h x w features.
            masks: N x K x H' x W' soft first masks.
        """
        keys, values = self._written(directions, context, masks)
        age = torch.zeros(masks.shape[:2], device=masks.device)
        shape = (-1, -1, self.frames, -1, -1)
        return Remembered(keys.expand(shape), values.expand(shape), age)

    def forward(self, memory: Remembered, directions: Tensor) -> Tensor:
        """What the memory says of every place of a frame: B x D x h x w.

        Args:
            memory: of the objects.
            directions: N x D x h x w unit vectors.
        """
        n, k = memory.age.shape
        queries = directions.flatten(2).transpose(1, 2) * self.log_sharpness.exp()
        queries = queries.to(directions.dtype).repeat_interleave(k, dim=0)
        keys, values = (x.flatten(0, 1).flatten(1, 2) for x in (memory.keys, memory.values))
        read = F.scaled_dot_product_attention(
            queries.unsqueeze(1), keys.unsqueeze(1), values.unsqueeze(1), scale=1.0
        )
        return read.squeeze(1).transpose(1, 2).unflatten(-1, directions.shape[-2:])

    def update(
        self, memory: Remembered, directions: Tensor, context: Tensor, masks: Tensor
    ) -> Remembered:
        """The memory after a frame, unless the frame does not show the object.

        Args:
            memory: before the frame.
            directions: N x D x h x w unit vectors.
            context: N x C x h x w features.
            masks: N x K x H' x W' soft masks estimated in the frame.
        """
        keys, values = self._written(directions, context, masks)
        age = memory.age + 1
        seen = masks.flatten(2).amax(dim=2) >= _SEEN
        due = age >= self.interval
        kept = torch.where(seen & due, 0.0, age)
        return Remembered(
            self._moved(memory.keys, keys, seen, due),
            self._moved(memory.values, values, seen, due),
            torch.where(seen, kept, memory.age),
        )

    def _moved(self, old: Tensor, new: Tensor, seen: Tensor, due: Tensor) -> Tensor:
        """First, between, last: the frame becomes the last and, when it is time, one between.

        Of those between, the oldest goes.
        """
        first, between, last = old[:, :, :1], old[:, :, 1:-1], old[:, :, -1:]
        new = new.to(old.dtype)
        last = torch.where(_wide(seen), new, last)
        if self.frames > 2:
            shifted = torch.cat([between[:, :, 1:], new], dim=2)
            between = torch.where(_wide(seen & due), shifted, between)
        return torch.cat([first, between, last], dim=2)

    def _written(self, directions: Tensor, context: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of one frame, N x K x 1 x L x D each."""
        n, k = masks.shape[:2]
        keys = directions.flatten(2).transpose(1, 2)[:, None, None]
        drawn = self.mask(masks.flatten(0, 1).unsqueeze(1))
        mixed = F.relu(add_to_objects(drawn, self.context(context)))
        values = self.value(mixed).flatten(2).transpose(1, 2).unflatten(0, (n, k))
        return keys.expand(-1, k, -1, -1, -1), values.unsqueeze(2)


def with_unread_memory(weights: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a network without a memory as those of one that has it and ignores it yet.

    Args:
        weights: of the network without, by name.
        own: of the network with, from which it gets what the memory adds.

    Returns:
        Weights with which the second network does what the first does: where what was read joins
        the other cues, it counts for nothing until training makes it count.
    """
    added = {name: value for name, value in own.items() if name.startswith("memory.")}
    joining = torch.zeros_like(own[_JOINING])
    known = weights[_JOINING]
    joining[:, : known.shape[1]] = known
    return {**weights, **added, _JOINING: joining}


def _wide(flags: Tensor) -> Tensor:
    """N x K booleans, to be held against N x K x M x L x D."""
    return flags[:, :, None, None, None]
