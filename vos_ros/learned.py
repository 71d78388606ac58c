# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a network has learned of some objects, as plain data on the host.

Apart from where the objects were: that is known of one scene only, and what was learned may be
taken up in another. `recall.py` makes a network's state of it again.

Letters: K objects, H x W the padded input of the network, in pixels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vos_ros.inference import PRECISIONS
from vos_ros.masks import MAX_ID, SegmentationError
from vos_ros.models.state import ObjectState

#: no state has tensors of more dimensions
_MAX_SIDES = 8


@dataclass(frozen=True, eq=False)
class Learned:
    """What was learned of K objects.

    Attributes:
        ids: of the objects, in the order of the tensors.
        tensors: by field of the network's state, 1 x K x ..., on the CPU.
        padded: H and W of the input that the maps among the tensors belong to.
        size: short side asked for of the image that the network saw, pixels.
        precision: of the network they were learned with: ``fp32``, ``bf16`` or ``fp16``.
    """

    ids: tuple[int, ...]
    tensors: Mapping[str, Tensor]
    padded: tuple[int, int]
    size: int
    precision: str

    def check(self) -> None:
        """Look at what can be told without a network.

        Raises:
            SegmentationError: when ids are out of range or repeated, or the tensors are not of as
                many objects, or hold what is no number.
        """
        if not self.ids or len(set(self.ids)) < len(self.ids):
            raise SegmentationError(
                "what was learned must be of one or more objects, each with an id of its own; "
                f"it is of {len(self.ids)}, the ids being {_listed(self.ids)}"
            )
        wrong = [i for i in self.ids if not 1 <= i <= MAX_ID]
        if wrong:
            raise SegmentationError(f"ids must be within 1..{MAX_ID}, not {_listed(wrong)}")
        if self.precision not in PRECISIONS:
            raise SegmentationError(
                f"the precision must be one of {', '.join(PRECISIONS)}, not {self.precision[:40]!r}"
            )
        for name, value in self.tensors.items():
            if not 2 <= value.dim() <= _MAX_SIDES or value.shape[:2] != (1, len(self.ids)):
                raise SegmentationError(
                    f"{name} has the shape {list(value.shape[:_MAX_SIDES])}, which is not that of "
                    f"{len(self.ids)} objects: it must begin with [1, {len(self.ids)}]"
                )
            if value.is_floating_point() and not torch.isfinite(value).all():
                raise SegmentationError(f"{name} holds values that are not numbers, or infinite")


def learned_of(
    ids: tuple[int, ...], state: ObjectState, padded: tuple[int, int], size: int, precision: str
) -> Learned:
    """What a state holds, copied to the CPU, without what it says of places in the last image."""
    fields = lasting(state, padded)
    copies = {name: value.detach().to("cpu", copy=True) for name, value in fields.items()}
    tensors = {name: value.contiguous() for name, value in copies.items()}
    return Learned(ids, tensors, padded, size, precision)


def unseen(state: ObjectState, padded: tuple[int, int]) -> ObjectState:
    """The state as if no object had been found in the frame before."""
    example = next(iter(_tensors(state).values()))
    nothing = torch.zeros(1, state.count, *padded, device=example.device)
    return state.shown(nothing)


def lasting(state: ObjectState, padded: tuple[int, int]) -> dict[str, Tensor]:
    """The fields that say something else than where the objects were found last."""
    hidden = _tensors(unseen(state, padded))
    return {name: value for name, value in _tensors(state).items() if hidden[name] is value}


def _tensors(state: ObjectState) -> dict[str, Tensor]:
    values = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    return {name: value for name, value in values.items() if isinstance(value, Tensor)}


def _listed(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids[:12])) + (" ..." if len(ids) > 12 else "") or "none"
