# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every runtime promises."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol

from torch import Tensor

from vos_ros.models.state import ObjectState, Prediction


class Runtime(Protocol):
    """Computes the steps of one network."""

    @property
    def trouble(self) -> str:
        """Why some step is computed in another way than was meant; empty while none is.

        From any thread.
        """

    @property
    def threads_beside(self) -> int | None:
        """With how many threads PyTorch should do what there is to do before and after a step.

        None: with as many as it has.
        """

    def advance(self, images: Tensor, state: ObjectState) -> tuple[Prediction, ObjectState]:
        """The objects in the next frames, and the state after them.

        Args:
            images: N x 3 x H x W, the normalised and padded input of the network.
            state: of K objects in each of the N images.

        Returns:
            A prediction, of which `sound` says of every object whether all that was computed of it,
            the state included, is numbers; and the state after the frame.
        """

    def advance_groups(
        self, images: Tensor, states: Sequence[ObjectState]
    ) -> list[tuple[Prediction, ObjectState]]:
        """`advance` of images in which different numbers of objects are followed.

        Args:
            images: N x 3 x H x W.
            states: of the first N1 images, of the next N2 and so on, N in all.

        Returns:
            What `advance` returns, for each of the states.
        """

    def serve(self, segmenters: int) -> None:
        """Know that so many segmenters take turns, each with sizes and objects of its own."""

    def ready(self, images: tuple[int, ...], state: ObjectState) -> None:
        """Do beforehand whatever the first such step would wait for.

        Args:
            images: shape of the input, N, 3, H, W.
            state: of as many objects.
        """


def portions(states: Sequence[ObjectState]) -> list[tuple[int, int]]:
    """For each state, the number of its first image among those of all, and one past the last."""
    counts = (next(iter(state.tensors().values())).shape[0] for state in states)
    ends = list(accumulate(counts))
    return list(zip([0, *ends], ends, strict=False))
