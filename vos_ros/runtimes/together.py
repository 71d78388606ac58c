# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Steps of images that have nothing to do with one another, computed in one pass where they can be.

Letters: N images, K objects in each.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vos_ros.models.state import ObjectState, Prediction
from vos_ros.runtimes.base import Runtime

Outcome = tuple[Prediction, ObjectState]
"""What `Runtime.advance` gives."""


@dataclass(frozen=True)
class Turn:
    """One image that waits for the network, and the objects to be found in it.

    Attributes:
        image: 1 x 3 x H x W, the normalised and padded input of the network.
        state: of K objects in one image.
    """

    image: Tensor
    state: ObjectState

    @property
    def form(self) -> Hashable:
        """Equal for turns that one pass can take: the same kinds, types and sizes throughout."""
        tensors = [self.image, *self.state.tensors().values()]
        kinds = tuple((tuple(value.shape), value.dtype, value.device) for value in tensors)
        return type(self.state), kinds


def alike(turns: Iterable[Turn]) -> list[list[int]]:
    """The numbers of the turns that one pass can take, group by group, each in the order given."""
    groups: dict[Hashable, list[int]] = {}
    for number, turn in enumerate(turns):
        groups.setdefault(turn.form, []).append(number)
    return list(groups.values())


def advance_together(runtime: Runtime, turns: Sequence[Turn]) -> list[Outcome]:
    """What `Runtime.advance` gives for each of several turns of one form, computed in one pass.

    Each state is memory of its own and no more of it than a turn by itself would have made: none
    keeps the others' alive.
    """
    if len(turns) == 1:
        return [runtime.advance(turns[0].image, turns[0].state)]
    images = torch.cat([turn.image for turn in turns])
    images = images.contiguous(memory_format=torch.channels_last)
    before = ObjectState.stacked([turn.state for turn in turns])
    prediction, after = runtime.advance(images, before)
    return [
        (_of_image(prediction, number), _own_state(after, turn.state, number))
        for number, turn in enumerate(turns)
    ]


def _of_image(prediction: Prediction, number: int) -> Prediction:
    """What was said of one image: views, for it is read and then forgotten."""

    def part(value: Tensor | None) -> Tensor | None:
        return None if value is None else value[number : number + 1]

    return Prediction(
        part(prediction.logits), part(prediction.coarse_logits), part(prediction.sound)
    )


def _own_state(after: ObjectState, before: ObjectState, number: int) -> ObjectState:
    """The state of one image's objects, with what no step renews as it was before."""
    own = after.image(number).tensors()
    return dataclasses.replace(before, **{name: own[name].clone() for name in before.renewed})
