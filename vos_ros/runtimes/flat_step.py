# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A step of a network as a function of tensors alone, as compilers and exporters take it."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor, nn

from vos_ros.models.state import ObjectState, SegmentationNetwork

#: names of what a step gives beside the state, in this order; see `Prediction`
RESULTS = ("logits", "sound")

#: an example of so many objects leaves their number open; of one it would not
_EXAMPLE_OBJECTS = 2


class FlatStep(nn.Module):
    """From an image and the tensors of a state to logits, soundness and the tensors renewed.

    Args:
        network: whose step it is.
        like: a state of that network, for an example; its fields that are no tensors are taken as
            they are.
        images: N x 3 x H x W, for an example, too.

    Attributes:
        given: names of the state's tensors, in the order of the arguments.
        renewed: names of those that the step renews, in the order of what is returned.
        example: arguments of `forward`.
    """

    def __init__(
        self, network: SegmentationNetwork[Any, Any], like: ObjectState, images: Tensor
    ) -> None:
        super().__init__()
        tensors = like.tensors()
        self.network = network
        self.given = tuple(tensors)
        self.renewed = tuple(name for name in self.given if name in like.renewed)
        self.example = (images, *(value.clone() for value in tensors.values()))
        self._like = like

    @classmethod
    def of(cls, network: SegmentationNetwork[Any, Any], height: int, width: int) -> FlatStep:
        """A step with an example of two objects in a grey image.

        Args:
            network: whose step it is.
            height: of the padded input, pixels.
            width: likewise.
        """
        return cls(network, blank_state(network, height, width), _grey(network, height, width))

    def forward(self, images: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """One step.

        Args:
            images: N x 3 x H x W, normalised.
            state: tensors N x K x ... by the names of `given`.

        Returns:
            Logits N x (1 + K) x H' x W', N x K booleans, and the tensors by the names of `renewed`.
        """
        before = dataclasses.replace(self._like, **dict(zip(self.given, state, strict=True)))
        prediction, after = self.network.advance(images, before)
        tensors = after.tensors()
        return (prediction.logits, prediction.sound, *(tensors[name] for name in self.renewed))


@torch.no_grad()
def blank_state(network: SegmentationNetwork[Any, Any], height: int, width: int) -> ObjectState:
    """A state of two objects, each a part of a grey image."""
    masks = torch.zeros(1, _EXAMPLE_OBJECTS, height, width)
    masks[:, 0, : height // 2] = 1
    masks[:, 1, height // 2 :, : width // 2] = 1
    return network.start(network.encode(_grey(network, height, width)), masks)


def _grey(network: SegmentationNetwork[Any, Any], height: int, width: int) -> Tensor:
    return torch.zeros(1, 3, height, width, dtype=network.dtype)
