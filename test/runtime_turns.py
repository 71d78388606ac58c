# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Turns of small networks, and a runtime that waits to be let through: for tests of sharing one."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import torch

from vos_ros.inference import prepare
from vos_ros.models.state import ObjectState, Prediction, SegmentationNetwork
from vos_ros.runtimes.eager import EagerRuntime
from vos_ros.runtimes.together import Turn

LONG = 30.0
"""Seconds to wait for something that must happen; never waited out when all is well."""
CPU = torch.device("cpu")


def prepared(network: SegmentationNetwork, precision: str = "fp32") -> SegmentationNetwork:
    """The network ready to run on the CPU."""
    return prepare(network, CPU, precision)


@torch.inference_mode()
def turn_of(
    network: SegmentationNetwork, objects: int = 1, seed: int = 0, size: tuple[int, int] = (64, 96)
) -> Turn:
    """A turn of a prepared network, different for each seed: objects side by side, in noise."""
    generator = torch.Generator().manual_seed(seed)
    first, second = (torch.rand(1, 3, *size, generator=generator) * 255 for _ in range(2))
    masks = torch.zeros(1, objects, *size)
    width = size[1] // (objects + 1)
    for number in range(objects):
        masks[:, number, 8 + seed % 8 : size[0] - 8, number * width : (number + 1) * width] = 1
    state = network.start(network.encode(_input(network, first)), masks)
    return Turn(_input(network, second), state)


def _input(network: SegmentationNetwork, images: torch.Tensor) -> torch.Tensor:
    return network.normalise(images).contiguous(memory_format=torch.channels_last)


class GatedRuntime(EagerRuntime):
    """Computes a pass only when it is let through, and tells of each how many images it had.

    Attributes:
        passes: numbers of images, pass by pass.
        refuse: told of every pass, it raises what the pass is to fail with.
    """

    def __init__(self, network: SegmentationNetwork) -> None:
        super().__init__(network)
        self.passes: list[int] = []
        self.refuse = lambda images, state: None
        self.entered = threading.Semaphore(0)
        self._through = threading.Semaphore(0)

    def let_through(self, passes: int = 1) -> None:
        """Let so many passes happen."""
        self._through.release(passes)

    def advance(self, images: torch.Tensor, state: ObjectState) -> tuple[Prediction, ObjectState]:
        self._wait(images, [state])
        return super().advance(images, state)

    def advance_groups(
        self, images: torch.Tensor, states: Sequence[ObjectState]
    ) -> list[tuple[Prediction, ObjectState]]:
        self._wait(images, states)
        return super().advance_groups(images, states)

    def _wait(self, images: torch.Tensor, states: Sequence[ObjectState]) -> None:
        self.passes.append(len(images))
        self.entered.release()
        assert self._through.acquire(timeout=LONG)
        self.refuse(images, states[0])
