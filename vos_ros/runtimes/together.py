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
    def image_form(self) -> Hashable:
        """Equal for images that the backbone can take at once."""
        return _form(self.image)

    @property
    def state_form(self) -> Hashable:
        """Equal for states that can be stepped at once: as many objects, the same sizes."""
        return type(self.state), *(_form(value) for value in self.state.tensors().values())


def _form(value: Tensor) -> Hashable:
    return tuple(value.shape), value.dtype, value.device


def alike(turns: Iterable[Turn]) -> list[list[int]]:
    """The numbers of the turns that one pass can take, group by group, each in the order given."""
    return _groups(turn.image_form for turn in turns)


def _groups(forms: Iterable[Hashable]) -> list[list[int]]:
    """The numbers of the equal ones, in the order in which they come."""
    groups: dict[Hashable, list[int]] = {}
    for number, form in enumerate(forms):
        groups.setdefault(form, []).append(number)
    return list(groups.values())


def advance_together(runtime: Runtime, turns: Sequence[Turn]) -> list[Outcome]:
    """What `Runtime.advance` gives for each of several turns whose images are alike.

    The backbone sees all images at once; states of one form are stepped at once. Each state is
    memory of its own and no more of it than a turn by itself would have made: none keeps the
    others' alive.
    """
    if len(turns) == 1:
        return [runtime.advance(turns[0].image, turns[0].state)]
    forms = [turn.state_form for turn in turns]
    # In the same order whoever came first: what is kept for a pass would be kept for each order.
    groups = sorted(_groups(forms), key=lambda group: repr(forms[group[0]]))
    ordered = [number for group in groups for number in group]
    images = torch.cat([turns[number].image for number in ordered])
    images = images.contiguous(memory_format=torch.channels_last)
    before = [ObjectState.stacked([turns[number].state for number in group]) for group in groups]
    outcomes: dict[int, Outcome] = {}
    for group, (prediction, after) in zip(
        groups, runtime.advance_groups(images, before), strict=True
    ):
        for place, number in enumerate(group):
            own = _own_state(after, turns[number].state, place)
            outcomes[number] = _of_image(prediction, place), own
    return [outcomes[number] for number in range(len(turns))]


def _of_image(prediction: Prediction, number: int) -> Prediction:
    """What was said of one image: views, for it is read and then forgotten."""

    def part(value: Tensor | None) -> Tensor | None:
        return None if value is None else value[number : number + 1]

    logits = prediction.logits[number : number + 1]
    return Prediction(logits, part(prediction.coarse_logits), part(prediction.sound))


def _own_state(after: ObjectState, before: ObjectState, number: int) -> ObjectState:
    """The state of one image's objects, with what no step renews as it was before."""
    own = after.image(number).tensors()
    return dataclasses.replace(before, **{name: own[name].clone() for name in before.renewed})
