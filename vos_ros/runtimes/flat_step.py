# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A step of a network as a function of tensors alone, as compilers and exporters take it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from vos_ros.models.state import ObjectState, SegmentationNetwork

#: names of what a step gives beside the state, in this order; see `Prediction`
RESULTS = ("logits", "sound")

#: an example of so many objects leaves their number open; of one it would not
_EXAMPLE_OBJECTS = 2

#: ids are bytes, and 0 is the background
_MOST_OBJECTS = 255


class FlatStep(nn.Module):
    """From an image and the tensors of a state to logits, soundness and the tensors renewed.

    Args:
        network: whose step it is.
        like: a state of that network; its fields that are no tensors are taken as they are.

    Attributes:
        given: names of the state's tensors, in the order of the arguments.
        renewed: names of those that the step renews, in the order of what is returned.
    """

    def __init__(self, network: SegmentationNetwork, like: ObjectState) -> None:
        super().__init__()
        self.network = network
        self.given = tuple(like.tensors())
        self.renewed = tuple(name for name in self.given if name in like.renewed)
        self._like = like.select([])  # holds no pixels, only what is constant

    def forward(self, images: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, ...]:
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

    def exported(self, height: int, width: int) -> ExportedProgram:
        """The step's graph for one image of any number of objects.

        Args:
            height: of the padded input, pixels.
            width: likewise.
        """
        example = blank_state(self.network, height, width)
        objects = Dim("objects", min=1, max=_MOST_OBJECTS)
        dimensions = {"images": None, "state": [{1: objects} for _ in self.given]}
        state = [example[name] for name in self.given]
        with torch.no_grad():
            images = torch.zeros(1, 3, height, width, dtype=self.network.dtype)
            return torch.export.export(self, (images, state), dynamic_shapes=dimensions)


def blank_state(network: SegmentationNetwork, height: int, width: int) -> dict[str, Tensor]:
    """The tensors of a state of two objects, each half of a grey image, by name."""
    with torch.no_grad():
        masks = torch.zeros(1, _EXAMPLE_OBJECTS, height, width)
        masks[:, 0, : height // 2] = 1
        masks[:, 1, height // 2 :, : width // 2] = 1
        images = torch.zeros(1, 3, height, width, dtype=network.dtype)
        state = network.start(network.encode(images), masks)
    return {name: value.clone() for name, value in state.tensors().items()}
