# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What computes a step: PyTorch, or a library that compiles the network for the processor."""

from __future__ import annotations

import importlib.util
from typing import Any

import torch

from vos_ros.models.state import SegmentationNetwork
from vos_ros.runtimes.base import Runtime
from vos_ros.runtimes.cuda_graphs import CudaRecorder
from vos_ros.runtimes.eager import EagerRuntime
from vos_ros.runtimes.recorded import RecordedRuntime

__all__ = ["RUNTIMES", "Runtime", "RuntimeMissingError", "build_runtime", "choose_runtime"]

#: the runtimes by the name a user gives
RUNTIMES = ("torch", "openvino", "cudagraphs")

#: what OpenVINO computes in on a CPU
_COMPILED_PRECISIONS = ("fp32", "bf16")


class RuntimeMissingError(ValueError):
    """The runtime asked for is not to be had; the message says why and what is."""


def choose_runtime(wanted: str, device: torch.device, precision: str) -> str:
    """The name of a runtime that can be had.

    Args:
        wanted: a name of `RUNTIMES`, or ``auto`` for the fastest.
        device: where the network computes.
        precision: in what.

    Raises:
        RuntimeMissingError: when the one wanted is not installed, or does not compute there or in
            that.
        ValueError: when none has that name.
    """
    if wanted not in ("auto", *RUNTIMES):
        raise ValueError(f"no runtime is called {wanted!r}: auto, {', '.join(RUNTIMES)}")
    against = _against_openvino(device, precision)
    if wanted == "openvino" and against:
        raise RuntimeMissingError(f"the runtime 'openvino' {against}; use 'torch' or 'auto'")
    if wanted == "cudagraphs" and device.type != "cuda":
        raise RuntimeMissingError(
            f"the runtime 'cudagraphs' computes on CUDA devices only, not on {device}; "
            "use 'torch' or 'auto'"
        )
    if wanted == "auto":
        return "torch" if against else "openvino"
    return wanted


def build_runtime(
    name: str, network: SegmentationNetwork[Any, Any], precision: str, waits: bool = True
) -> Runtime:
    """A runtime for a prepared network.

    Args:
        name: of `RUNTIMES`, from `choose_runtime`.
        network: as `prepare` made it.
        precision: that it was prepared for.
        waits: whether a step waits for what has to be compiled; see `CompiledRuntime`.
    """
    if name == "torch":
        return EagerRuntime(network)
    if name == "cudagraphs":
        device = next(network.parameters()).device
        return RecordedRuntime(network, CudaRecorder(device))
    # Imported here: it takes a moment, and is not installed everywhere.
    from vos_ros.runtimes.compiled import CompiledRuntime

    return CompiledRuntime(network, precision, waits)


def _against_openvino(device: torch.device, precision: str) -> str:
    """Why OpenVINO cannot compute it; empty when it can."""
    if device.type != "cpu":
        return f"computes on the CPU only, not on {device}"
    if precision not in _COMPILED_PRECISIONS:
        return f"computes in {' or '.join(_COMPILED_PRECISIONS)}, not in {precision}"
    if importlib.util.find_spec("openvino") is None:
        return "is not installed (pip install openvino)"
    return ""
