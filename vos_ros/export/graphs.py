# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The two functions that are exported: from bytes of images and tensors to tensors alone.

Letters: K objects, H x W the images, H' x W' the network's output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vos_ros.models.state import ObjectState, SegmentationNetwork
from vos_ros.runtimes.flat_step import RESULTS, FlatStep, blank_state

#: what the names of renewed tensors end in, to tell them from those that go in
AFTER = "_after"

#: an example of so many objects leaves their number open; of one it would not
_OPEN = 2


class ExportGraph(nn.Module):
    """A function of tensors, with all that an exporter has to know of it.

    Attributes:
        inputs: names of the arguments.
        outputs: names of what is returned.
        example: arguments; the second and all later ones are 1 x K x ...
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    example: tuple[Tensor, ...]

    def nested(self, each: Sequence[object]) -> tuple[object, ...]:
        """One thing for each argument, as PyTorch takes them: nested like those of `forward`."""
        return tuple(each)


class StartGraph(ExportGraph):
    """From the first image and the masks of its objects to the tensors of the state.

    Args:
        network: prepared for inference.
        like: a state of it, of as many objects as the example is to have.
        height: H.
        width: W.
    """

    def __init__(
        self, network: SegmentationNetwork[Any, Any], like: ObjectState, height: int, width: int
    ) -> None:
        super().__init__()
        self.network = network
        self.inputs = ("images", "masks")
        self.outputs = tuple(held(like))
        masks = torch.rand(1, like.count, height, width)
        self.example = (torch.zeros(1, 3, height, width), masks)

    def forward(self, images: Tensor, masks: Tensor) -> tuple[Tensor, ...]:
        """The state of new objects.

        Args:
            images: 1 x 3 x H x W RGB in 0..255.
            masks: 1 x K x H x W in 0..1.
        """
        features = self.network.encode(self.network.normalise(images))
        return tuple(held(self.network.start(features, masks)).values())


class StepGraph(ExportGraph):
    """From the next image and the tensors of the state to where its objects are.

    Args: as for `StartGraph`.
    """

    def __init__(
        self, network: SegmentationNetwork[Any, Any], like: ObjectState, height: int, width: int
    ) -> None:
        super().__init__()
        images = torch.zeros(1, 3, height, width)
        self.step = FlatStep(network, like, images)
        given = held(like)
        # What has no size is no input: it is made again of the shape it has for one object.
        self._empty = {
            name: value[:, :1].clone()
            for name, value in like.tensors().items()
            if name not in given
        }
        self._kept = [name not in self._empty for name in self.step.renewed]
        self.inputs = ("images", *given)
        renewed = [name for name in self.step.renewed if name in given]
        self.outputs = (*RESULTS, *(name + AFTER for name in renewed))
        self.example = (images, *(value.clone() for value in given.values()))

    def forward(self, images: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """One step.

        Args:
            images: 1 x 3 x H x W RGB in 0..255.
            state: tensors 1 x K x ... by the names of `inputs`.

        Returns:
            Logits 1 x (1 + K) x H' x W', 1 x K booleans, and the tensors that the step renews.
        """
        count = state[0].shape[1]
        known = dict(zip(self.inputs[1:], state, strict=True))
        for name, value in self._empty.items():
            known[name] = value.new_zeros(1, count, *value.shape[2:])
        before = [known[name] for name in self.step.given]
        found = self.step(self.step.network.normalise(images), *before)
        results, renewed = found[: len(RESULTS)], found[len(RESULTS) :]
        kept = (value for value, keep in zip(renewed, self._kept, strict=True) if keep)
        return (*results, *kept)

    def nested(self, each: Sequence[object]) -> tuple[object, ...]:
        """See `ExportGraph`; the state is one argument of `forward`."""
        return each[0], tuple(each[1:])


def held(state: ObjectState) -> dict[str, Tensor]:
    """The tensors of a state that hold numbers: those of parts that are switched off hold none."""
    return {name: value for name, value in state.tensors().items() if value.numel()}


def graphs_of(
    network: SegmentationNetwork[Any, Any], height: int, width: int, objects: int | None
) -> tuple[StartGraph, StepGraph]:
    """Both functions of a network.

    Args:
        network: prepared for inference on the CPU, in float32.
        height: H.
        width: W.
        objects: K; None for examples that leave it open.
    """
    like = blank_state(network, height, width).select([0] * (objects or _OPEN))
    return StartGraph(network, like, height, width), StepGraph(network, like, height, width)
