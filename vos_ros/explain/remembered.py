# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which frames of a clip a network's memory holds, and what they showed.

GFDDAL remembers directions and values, not images; a frame is known again by its directions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vos_ros.explain.watching import Step
from vos_ros.models.gfddal.state import GfddalFeatures, GfddalState
from vos_ros.models.state import ObjectState


@dataclass(frozen=True)
class RememberedFrame:
    """A frame in the memory.

    Attributes:
        number: of the frame in the clip.
        view: what the network saw of it, H1 x W1 x 3 uint8 RGB.
        keys: L x D directions of its places.
        masks: K x h x w, how much of each place the objects took.
    """

    number: int
    view: np.ndarray
    keys: Tensor
    masks: Tensor


class RememberedFrames:
    """Holds the frames that are in the memory, and lets go of those that have left it."""

    def __init__(self) -> None:
        self._first: tuple[int, np.ndarray] | None = None
        self._frames: list[RememberedFrame] = []

    def begin(self, number: int, view: np.ndarray) -> None:
        """The frame that the mask was given for."""
        self._first, self._frames = (number, view), []

    def add(self, number: int, view: np.ndarray, step: Step) -> None:
        """A frame that the network has gone through."""
        state, after = step.state, step.after
        if not isinstance(state, GfddalState) or not isinstance(after, GfddalState):
            return
        if not state.memory_keys.shape[2]:
            return
        if self._first is not None:  # at the first step every remembered frame is the first one
            self._frames = [RememberedFrame(*self._first, state.memory_keys[0, 0, 0],
                                            _on_places(state.first, state))]  # fmt: skip
            self._first = None
        assert isinstance(step.features, GfddalFeatures)
        keys = step.features.directions[0].flatten(1).T
        masks = _on_places(after.previous, after)
        self._frames.append(RememberedFrame(number, view, keys, masks))
        self._frames = [frame for frame in self._frames
                        if _holds(state, frame) or _holds(after, frame)]  # fmt: skip

    def of(self, state: ObjectState, slot: int) -> tuple[RememberedFrame, ...]:
        """The frames that the memory of one object holds, in its order."""
        if not isinstance(state, GfddalState):
            return ()
        order = state.memory_keys[0, slot]
        found = ([f for f in self._frames if torch.equal(f.keys, keys)] for keys in order)
        return tuple(frames[0] for frames in found)


def _holds(state: GfddalState, frame: RememberedFrame) -> bool:
    return any(torch.equal(frame.keys, keys) for keys in state.memory_keys[0].flatten(0, 1))


def _on_places(masks: Tensor, state: GfddalState) -> Tensor:
    """1 x K x H' x W' masks, averaged over the places of the coarse map: K x h x w."""
    return F.avg_pool2d(masks, masks.shape[-2] // state.coarse.shape[-2])[0]
