# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every runtime promises."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from vos_ros.models.state import ObjectState, Prediction


class Runtime(Protocol):
    """Computes the steps of one network."""

    def advance(self, images: Tensor, state: ObjectState) -> tuple[Prediction, ObjectState]:
        """The objects in the next frames, and the state after them.

        Args:
            images: N x 3 x H x W, the normalised and padded input of the network.
            state: of K objects in each of the N images.

        Returns:
            A prediction, of which `sound` says of every object whether all that was computed of it,
            the state included, is numbers; and the state after the frame.
        """

    def serve(self, segmenters: int) -> None:
        """Know that so many segmenters take turns, each with sizes and objects of its own."""

    def ready(self, images: tuple[int, ...], state: ObjectState) -> None:
        """Do beforehand whatever the first such step would wait for.

        Args:
            images: shape of the input, N, 3, H, W.
            state: of as many objects.
        """
