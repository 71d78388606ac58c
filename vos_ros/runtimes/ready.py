# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A network that is ready to run, with all that segmenters have to know of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch

from vos_ros.models.state import SegmentationNetwork
from vos_ros.runtimes.base import Runtime


@dataclass(frozen=True)
class ReadyNetwork:
    """A network prepared for a device and a precision, and what computes its steps.

    Attributes:
        network: prepared; encodes images and starts objects.
        runtime: computes steps.
        runtime_name: of `RUNTIMES`.
        device: where it lives.
        precision: in what it computes.
    """

    network: SegmentationNetwork[Any, Any]
    runtime: Runtime
    runtime_name: str
    device: torch.device
    precision: str

    @property
    def weight_bytes(self) -> int:
        """Bytes of device memory that the network's parameters and buffers take."""
        tensors = [*self.network.parameters(), *self.network.buffers()]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    def with_runtime(self, runtime: Runtime) -> ReadyNetwork:
        """The same network, its steps computed by way of another runtime."""
        return dataclasses.replace(self, runtime=runtime)
