# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long the parts of a step take, on any device, without waiting for it on that account.

Each part is a span of PyTorch's profiler too, which costs next to nothing while none runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.profiler import record_function

#: of a step, one after the other; spans of the profiler are called "vos: upload" and so on
PARTS = ("upload", "network", "download")


@dataclass(frozen=True)
class StepTimes:
    """When the parts of a step ended, in seconds of `time.perf_counter`.

    Attributes:
        began: the image was there, in RGB.
        uploaded: the part of it that the network sees was on the device, scaled.
        computed: the device had labels and scores.
        ended: the host had them, laid out and judged.
    """

    began: float
    uploaded: float
    computed: float
    ended: float

    @property
    def upload(self) -> float:
        """Seconds until the image was on the device."""
        return self.uploaded - self.began

    @property
    def network(self) -> float:
        """Seconds from there until labels and scores were."""
        return self.computed - self.uploaded

    @property
    def download(self) -> float:
        """Seconds from there until the host had made a result of them."""
        return self.ended - self.computed


class Event(Protocol):
    """The part of `torch.cuda.Event` that is used here."""

    def record(self, stream: Any, /) -> None:
        """Note the moment at which the stream comes to this place."""

    def elapsed_time(self, end: Any, /) -> float:
        """Milliseconds from this moment to another, both of which have come."""


class StepClock:
    """Times the parts of the steps of one segmenter.

    A CUDA device works behind the host's back, so that there the device itself notes the moments
    between its parts, in the order of its work. They are read when the download has ended, for
    which the host has to wait anyway: all that is before it has happened by then.

    Attributes:
        last: the times of the last step that succeeded; None before one.

    Args:
        device: where the network runs.
        make_event: makes what notes a moment of the device; by default a CUDA event on a CUDA
            device. On any other the host's clock is read, which is exact where the device and the
            host are one.
    """

    def __init__(self, device: torch.device, make_event: Callable[[], Event] | None = None) -> None:
        if make_event is None and device.type == "cuda":
            make_event = lambda: torch.cuda.Event(enable_timing=True)  # noqa: E731
        self._device = device
        self._make_event = make_event
        self._events: list[Event] = []
        self._moments: list[float] = []
        self._span = ExitStack()
        self.last: StepTimes | None = None

    @contextmanager
    def timing(self) -> Iterator[None]:
        """Time a step, which begins with the upload; `next` is to be called twice in it."""
        self._moments.clear()
        self.next()
        try:
            yield
            self.last = self._read(time.perf_counter())
        finally:
            self._span.close()

    def next(self) -> None:
        """The next of `PARTS` begins; whatever the one before left to the device counts to it."""
        self._span.close()
        number = len(self._moments)
        self._moments.append(time.perf_counter())
        if self._make_event is not None:
            if number == len(self._events):
                self._events.append(self._make_event())
            self._events[number].record(self._stream())
        self._span.enter_context(record_function(f"vos: {PARTS[number]}"))

    def _stream(self) -> object:
        return torch.cuda.current_stream(self._device) if self._device.type == "cuda" else None

    def _read(self, ended: float) -> StepTimes:
        began, uploaded, computed = self._moments
        if self._events:
            first, *later = self._events
            uploaded, computed = (
                min(began + first.elapsed_time(event) / 1e3, ended) for event in later
            )
        return StepTimes(began, uploaded, computed, ended)
