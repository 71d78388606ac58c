# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Public object ids, and the private slots of the tensors behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from vos_ros.models.state import ObjectState

S = TypeVar("S", bound=ObjectState)


@dataclass(frozen=True)
class Targets(Generic[S]):
    """The objects that are followed, and their state.

    An id is public: whoever gave the mask chose it, it never changes, and it is what label images
    carry. A slot is private: the place of the object in the tensors, which moves when another
    object is removed. This class is the only one that knows both.

    Nothing is changed in place: every method returns new targets, so that a call that fails half
    way leaves what was followed as it was.

    Attributes:
        slots: the id in each slot.
        state: of the objects, slot by slot (N = 1 image).
    """

    slots: tuple[int, ...]
    state: S

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids, ascending."""
        return tuple(sorted(self.slots))

    def with_state(self, state: S) -> Targets[S]:
        """The same objects after a frame."""
        return Targets(self.slots, state)

    def without(self, ids: Sequence[int]) -> Targets[S] | None:
        """The targets less some ids (those not followed are ignored), None when nothing is left."""
        kept = [slot for slot, object_id in enumerate(self.slots) if object_id not in ids]
        if len(kept) == len(self.slots):
            return self
        if not kept:
            return None
        return Targets(tuple(self.slots[slot] for slot in kept), self.state.select(kept))

    def joined(self, other: Targets[S]) -> Targets[S]:
        """Both; an object of `other` replaces the one with the same id."""
        mine = self.without(other.slots)
        if mine is None:
            return other
        return Targets(mine.slots + other.slots, mine.state.joined(other.state))
