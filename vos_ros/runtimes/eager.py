# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network as PyTorch computes it, operation by operation."""

from __future__ import annotations

from torch import Tensor

from vos_ros.models.state import ObjectState, Prediction, SegmentationNetwork


class EagerRuntime:
    """Computes steps on any device and in any precision.

    Args:
        network: prepared for inference.
    """

    def __init__(self, network: SegmentationNetwork) -> None:
        self._network = network

    def advance(self, images: Tensor, state: ObjectState) -> tuple[Prediction, ObjectState]:
        """See `Runtime`; nothing waits for the host."""
        return self._network.advance(images, state)

    def serve(self, segmenters: int) -> None:
        """Nothing is kept for them."""

    def ready(self, images: tuple[int, ...], state: ObjectState) -> None:
        """Nothing has to be done beforehand."""
