# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One thing to time, and the row that its figures go into."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from vos_ros.benchmark.clock import Clock


@dataclass(frozen=True)
class Row:
    """One line of the outcome; what does not apply is None.

    Attributes:
        what: ``network``: one frame encoded and stepped, from the padded input on the device to the
            logits and the next state there. ``segmenter``: from the camera image on the host to
            labels and presence on the host. ``product``, ``convolution``, ``copy``: probes of what
            the machine can do.
        model: name of the weights or the network.
        size: of the camera image, WIDTHxHEIGHT in pixels; of a probe, its own dimensions.
        objects: how many are followed.
        precision: fp32, bf16 or fp16.
        internal_size: wanted short side of the image inside the network, pixels.
        input: size of that image with its padding, WIDTHxHEIGHT.
        region: how many times as large as the objects the region is that a segmenter shows the
            network; None where it is the whole image.
        variant: the side of a comparison.
        calls: how many were timed.
        first_ms: the very first call, which none of the figures below contains, nor those of the
            warm-up.
        median_ms, p95_ms, p99_ms: of a call.
        fps: calls in a second, at the median.
        host_ms: median time until the host had handed out the work, on a CUDA device.
        ratio: median over the rounds of the time of a turn over that of `ratio_to`.
        ratio_p5, ratio_p95: its spread over the rounds.
        ratio_to: the row compared with.
        operations: additions and multiplications of convolutions and matrix products in a call.
        operations_per_s: achieved, at the median.
        ceiling_ratio: that over the best that a probe achieved in the same precision.
        bytes_per_s: read and written by the probe of memory.
        state_bytes: of device memory for one object, measured.
        state_bytes_formula: the same as the network's formula gives it.
    """

    what: str
    model: str | None = None
    size: str | None = None
    objects: int | None = None
    precision: str | None = None
    internal_size: int | None = None
    input: str | None = None
    region: float | None = None
    variant: str | None = None
    calls: int = 0
    first_ms: float | None = None
    median_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    fps: float | None = None
    host_ms: float | None = None
    ratio: float | None = None
    ratio_p5: float | None = None
    ratio_p95: float | None = None
    ratio_to: str | None = None
    operations: int | None = None
    operations_per_s: float | None = None
    ceiling_ratio: float | None = None
    bytes_per_s: float | None = None
    state_bytes: int | None = None
    state_bytes_formula: int | None = None

    @property
    def label(self) -> str:
        """The settings in a few words."""
        objects = None if self.objects is None else f"objects {self.objects}"
        internal = None if self.internal_size is None else f"internal {self.internal_size}"
        words = (self.what, self.model, self.precision, internal, self.size, objects, self.variant)
        return ", ".join(word for word in words if word)


COLUMNS = tuple(field.name for field in dataclasses.fields(Row))


@dataclass(frozen=True)
class Work:
    """One thing to time.

    Attributes:
        row: what is known of it beforehand.
        call: does it once.
        clock: times one call.
        moved_bytes: read and written in one call, for a probe of memory.
    """

    row: Row
    call: Callable[[], object]
    clock: Clock
    moved_bytes: int | None = None
