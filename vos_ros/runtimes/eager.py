# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network as PyTorch computes it, operation by operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from vos_ros.models.state import ObjectState, Prediction, SegmentationNetwork
from vos_ros.runtimes.base import portions


class EagerRuntime:
    """Computes steps on any device and in any precision.

    Args:
        network: prepared for inference.
    """

    def __init__(self, network: SegmentationNetwork[Any, Any]) -> None:
        self._network = network

    @property
    def trouble(self) -> str:
        """Never any."""
        return ""

    @property
    def threads_beside(self) -> None:
        """As many as there are: they are the same."""
        return None

    def advance(self, images: Tensor, state: ObjectState) -> tuple[Prediction, ObjectState]:
        """See `Runtime`; nothing waits for the host."""
        return self._network.advance(images, state)

    def advance_groups(
        self, images: Tensor, states: Sequence[ObjectState]
    ) -> list[tuple[Prediction, ObjectState]]:
        """See `Runtime`: the backbone once for all images, the rest for each state."""
        features = self._network.encode(images)
        return [
            self._network.advance_features(features.slice(begin, end), state)
            for (begin, end), state in zip(portions(states), states, strict=True)
        ]

    def serve(self, segmenters: int) -> None:
        """Nothing is kept for them."""

    def ready(self, images: tuple[int, ...], state: ObjectState) -> None:
        """Nothing has to be done beforehand."""
