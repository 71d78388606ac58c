# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A runtime that keeps what the last step read and gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from vos_ros.explain.taps import Call, Taps
from vos_ros.models.state import FrameFeatures, ObjectState, Prediction, SegmentationNetwork
from vos_ros.runtimes.eager import EagerRuntime


@dataclass(frozen=True)
class Step:
    """One step of a network, as it was computed.

    Attributes:
        features: of the frame.
        state: before it.
        heard: the calls of the parts that were listened to.
        prediction: for the frame.
        after: the state after it.
    """

    features: FrameFeatures
    state: ObjectState
    heard: Mapping[str, Call]
    prediction: Prediction
    after: ObjectState


class WatchingRuntime(EagerRuntime):
    """Computes steps as PyTorch does, to the bit, and keeps the last one.

    Args:
        network: prepared for inference.
        parts: modules of it to listen to, by name.
    """

    def __init__(
        self, network: SegmentationNetwork[Any, Any], parts: Mapping[str, nn.Module]
    ) -> None:
        super().__init__(network)
        self._parts = dict(parts)
        self._last: Step | None = None

    @property
    def last(self) -> Step:
        """The last step.

        Raises:
            LookupError: before the first.
        """
        if self._last is None:
            raise LookupError("no step was computed yet")
        return self._last

    def advance(self, images: Tensor, state: ObjectState) -> tuple[Prediction, ObjectState]:
        """See `Runtime`."""
        features = self._network.encode(images)
        with Taps(self._parts) as heard:
            prediction, after = self._network.advance_features(features, state)
        self._last = Step(features, state, heard, prediction, after)
        return prediction, after
