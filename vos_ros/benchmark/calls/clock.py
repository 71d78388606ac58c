# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long a call takes, on a CPU and on a CUDA device."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Duration:
    """Of one call, in milliseconds.

    Attributes:
        ms: until the result was there.
        host_ms: until the call came back; None where that is the same.
    """

    ms: float
    host_ms: float | None = None


Clock = Callable[[Callable[[], object]], Duration]
"""Runs a call and says how long it took."""


def host_clock(call: Callable[[], object]) -> Duration:
    """By the clock of the host: for calls whose result is on the host when they come back."""
    began = time.perf_counter_ns()
    call()
    return Duration((time.perf_counter_ns() - began) / 1e6)


class EventClock:
    """By the clock of a CUDA device: from when it takes up the call to when it is done with it.

    The device is idle before, so that nothing of an earlier call is counted. Where the host hands
    out work more slowly than the device does it, that is in the time, as it is in use.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def __call__(self, call: Callable[[], object]) -> Duration:
        """Time a call."""
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize(self._device)
        stream = torch.cuda.current_stream(self._device)
        begin.record(stream)
        began = time.perf_counter_ns()
        call()
        host_ms = (time.perf_counter_ns() - began) / 1e6
        end.record(stream)
        end.synchronize()
        return Duration(begin.elapsed_time(end), host_ms)


def device_clock(device: torch.device) -> Clock:
    """The clock for calls whose result stays on a device."""
    return EventClock(device) if device.type == "cuda" else host_clock
