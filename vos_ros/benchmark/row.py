# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One line of the outcome."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from vos_ros.benchmark.settings import STREAMS


@dataclass(frozen=True)
class Row:
    """One line of the outcome; what does not apply is None.

    Attributes:
        what: ``network``: one frame encoded and stepped, from the padded input on the device to the
            logits and the next state there. ``segmenter``: from the camera image on the host to
            labels and presence on the host. ``conversion``: from an image message to an RGB image,
            and from labels to a mask message. ``node``: from an image's stamp to its mask in the
            hands of a subscriber, each in a process of its own. ``transport``: the same of a
            process that answers every image with a mask at once. ``product``, ``convolution``,
            ``copy``, ``host_copy``: probes of what the machine can do.
        model: name of the weights or the network.
        size: of the camera image, WIDTHxHEIGHT in pixels; of a probe, its own dimensions.
        objects: how many are followed.
        precision: fp32, bf16 or fp16.
        internal_size: wanted short side of the image inside the network, pixels.
        threads: that an operation may use on the CPU.
        runtime: what computes the steps of the network.
        cameras: that one process serves, each with so many objects.
        input: size of the image inside the network with its padding, WIDTHxHEIGHT.
        region: how many times as large as the objects the region is that a segmenter shows the
            network; None where it is the whole image.
        variant: the side of a comparison.
        calls: how many were timed; of a stream, the masks.
        first_ms: the very first call, which none of the figures below contains, nor those of the
            warm-up.
        median_ms, p95_ms, p99_ms: of a call, or from stamp to mask.
        fps: calls in a second, at the median; of a stream, masks that came in a second, those of
            all cameras together.
        host_ms: median time until the host had handed out the work, on a CUDA device.
        ratio: median over the rounds of the time of a turn over that of `ratio_to`.
        ratio_p5, ratio_p95: its spread over the rounds.
        ratio_low, ratio_high: where it lies with 95 % confidence.
        ratio_to: the row compared with.
        operations: additions and multiplications of convolutions and matrix products in a call.
        operations_per_s: achieved, at the median.
        bytes_per_s: read and written at the median, by what moves memory and does not calculate.
        ceiling_ratio: operations a second over the best that a probe achieved in the same precision
            and with as many threads; of what moves memory, bytes a second over those of the copy.
        state_bytes: of device memory for one object, measured.
        state_bytes_formula: the same as the network's formula gives it.
        camera_hz: images that each camera sent in a second.
        sent, received, dropped: timed images of all cameras, masks of them that came back, and
            images of which none did.
        lost: images that the transport says did not reach the node, warm-up included.
        startup_ms: from the start of the node's process to its answer to the first mask given.
        memory_start_mb, memory_end_mb: resident memory of the node's process when the first timed
            image was sent and when the last mask had come, 10^6 bytes.
        memory_slope_mb_per_hour: by least squares in between; None of less than ten seconds.
        transport_ms, wait_ms, convert_ms, upload_ms, step_ms, download_ms, publish_ms: what the
            time is made up of, medians: of a segmenter over the timed calls, of a node what it says
            itself of its last masks.
    """

    what: str
    model: str | None = None
    size: str | None = None
    objects: int | None = None
    precision: str | None = None
    internal_size: int | None = None
    threads: int | None = None
    runtime: str | None = None
    cameras: int | None = None
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
    ratio_low: float | None = None
    ratio_high: float | None = None
    ratio_to: str | None = None
    operations: int | None = None
    operations_per_s: float | None = None
    bytes_per_s: float | None = None
    ceiling_ratio: float | None = None
    state_bytes: int | None = None
    state_bytes_formula: int | None = None
    camera_hz: float | None = None
    sent: int | None = None
    received: int | None = None
    dropped: int | None = None
    lost: int | None = None
    startup_ms: float | None = None
    memory_start_mb: float | None = None
    memory_end_mb: float | None = None
    memory_slope_mb_per_hour: float | None = None
    transport_ms: float | None = None
    wait_ms: float | None = None
    convert_ms: float | None = None
    upload_ms: float | None = None
    step_ms: float | None = None
    download_ms: float | None = None
    publish_ms: float | None = None

    @property
    def is_stream(self) -> bool:
        """Whether a camera streamed to it."""
        return self.what in STREAMS

    @property
    def label(self) -> str:
        """The settings in a few words."""
        objects = None if self.objects is None else f"objects {self.objects}"
        internal = None if self.internal_size is None else f"internal {self.internal_size}"
        cameras = None if self.cameras in (None, 1) else f"cameras {self.cameras}"
        words = (self.what, self.model, self.precision, internal, self.size, objects, cameras,
                 self.variant)  # fmt: skip
        return ", ".join(word for word in words if word)


PARTS_OF_A_FRAME = (
    "transport_ms", "wait_ms", "convert_ms", "upload_ms", "step_ms", "download_ms", "publish_ms",
)  # fmt: skip
"""Columns that say what the time of a frame is made up of, in the order in which it passes."""

COLUMNS = tuple(field.name for field in dataclasses.fields(Row))
