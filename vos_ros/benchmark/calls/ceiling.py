# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the machine can do at best: a matrix product, a convolution, a copy of memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch.nn import functional as F

from vos_ros.benchmark.calls.clock import device_clock
from vos_ros.benchmark.calls.work import Work
from vos_ros.benchmark.row import Row
from vos_ros.inference import PRECISIONS


@dataclass(frozen=True)
class ProbeSizes:
    """Large enough to keep a device busy, small enough not to take long.

    Attributes:
        product: n of an n x n by n x n matrix product.
        convolution: images, channels in and out, height, width of a 3x3 convolution.
        copy: bytes, more than any cache holds.
    """

    product: int
    convolution: tuple[int, int, int, int]
    copy: int


SIZES = {
    "cpu": ProbeSizes(1024, (1, 128, 96, 128), 128 << 20),
    "cuda": ProbeSizes(8192, (16, 256, 128, 128), 1 << 30),
}
"""By type of device."""


def probes(device: torch.device, precisions: Sequence[str], threads: Sequence[int]) -> list[Work]:
    """A product and a convolution in every precision with every number of threads, and one copy.

    On a CUDA device memory is copied on the host, too, for what is done there.
    """
    sizes = SIZES[device.type]
    works = []
    for number, precision in product(threads, precisions):
        works.append(_product(sizes.product, device, precision, number))
        works.append(_convolution(sizes.convolution, device, precision, number))
    works.append(_copy("copy", sizes.copy, device, max(threads)))
    if device.type != "cpu":
        host = torch.device("cpu")
        works.append(_copy("host_copy", SIZES["cpu"].copy, host, max(threads)))
    return works


def product_call(n: int, device: torch.device, dtype: torch.dtype) -> Callable[[], object]:
    """Multiplies two n x n matrices into a third: 2 n^3 operations."""
    left, right = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))
    out = torch.empty(n, n, device=device, dtype=dtype)
    return lambda: torch.mm(left, right, out=out)


def convolution_call(
    shape: tuple[int, int, int, int], device: torch.device, dtype: torch.dtype
) -> Callable[[], object]:
    """Convolves N x C x H x W by 3x3 to as many channels: 18 N C^2 H W operations."""
    channels = shape[1]
    images = torch.randn(shape, device=device).to(dtype, memory_format=torch.channels_last)
    kernel = torch.randn(channels, channels, 3, 3, device=device)
    kernel = kernel.to(dtype, memory_format=torch.channels_last)

    @torch.inference_mode()
    def call() -> None:
        F.conv2d(images, kernel, padding=1)

    return call


def _product(n: int, device: torch.device, precision: str, threads: int) -> Work:
    row = Row("product", size=f"{n}x{n}x{n}", precision=precision, threads=threads)
    return Work(row, product_call(n, device, PRECISIONS[precision]), device_clock(device))


def _convolution(
    shape: tuple[int, int, int, int], device: torch.device, precision: str, threads: int
) -> Work:
    size = "x".join(map(str, shape))
    row = Row("convolution", size=size, precision=precision, threads=threads)
    return Work(row, convolution_call(shape, device, PRECISIONS[precision]), device_clock(device))


def _copy(name: str, length: int, device: torch.device, threads: int) -> Work:
    source = torch.zeros(length, dtype=torch.uint8, device=device)
    target = torch.ones_like(source)  # written once, so that its memory is there
    row = Row(name, size=str(length), threads=threads)
    clock = device_clock(device)
    return Work(row, lambda: target.copy_(source), clock, moved_bytes=2 * length)
