# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Records what a GPU is given to do as CUDA graphs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor

from vos_ros.runtimes.recorded import Compute

#: PyTorch can only record one thing at a time in a process, whatever the thread and the device
_RECORDING = threading.Lock()

#: so often something is computed before it is recorded: libraries choose their ways and take
#: memory to keep the first times, which they cannot while recording
_REHEARSALS = 3


class CudaRecorder:
    """Records on a device; see `Recorder`.

    Recordings share their scratch memory: no two of them may be replayed at the same time, and
    what one gave has to be copied before the next is.

    Args:
        device: on which all is computed that is to be recorded.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._aside: torch.cuda.Stream | None = None
        self._graphs: WeakSet[torch.cuda.CUDAGraph] = WeakSet()
        self._pool: Any = None

    def __call__(self, compute: Compute) -> tuple[list[Tensor], Callable[[], None]]:
        """See `Recorder`. Waits for the device, and for other recordings."""
        with _RECORDING, torch.cuda.device(self._device):
            # One that fails does not leave its stream by itself: what this thread computes from
            # then on would be out of step with what others do.
            with torch.cuda.stream(torch.cuda.current_stream()):
                return self._recorded(compute)

    def _recorded(self, compute: Compute) -> tuple[list[Tensor], Callable[[], None]]:
        if self._aside is None:
            self._aside = torch.cuda.Stream()
        own = torch.cuda.current_stream()
        self._aside.wait_stream(own)
        with torch.cuda.stream(self._aside):
            for _ in range(_REHEARSALS):
                compute()
        own.wait_stream(self._aside)
        if not self._graphs:  # a pool that no graph holds any more is not to be used again
            self._pool = torch.cuda.graph_pool_handle()
        graph = torch.cuda.CUDAGraph()
        # Only what this thread does has to fit into a recording: others go on meanwhile. The stream
        # is said, for PyTorch's own is of whichever device was recorded first.
        with torch.cuda.graph(
            graph, pool=self._pool, stream=self._aside, capture_error_mode="thread_local"
        ):
            found = compute()
        self._graphs.add(graph)
        return found, graph.replay
