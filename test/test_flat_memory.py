# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""After two thousand images a segmenter holds what it held after a hundred."""

from __future__ import annotations

import gc
import sys

import pytest
from held_memory import tensor_bytes
from networks import SMALL
from scenes import BLUE, RED, mask_of, scene
from tiny import add_tiny_backbone

from vos_ros.runtimes.shared import SharedRuntime
from vos_ros.segmenter import VideoSegmenter, ready_network

STEPS = 2000
SETTLED = 100
SIZE = (32, 48)
#: so many blocks of Python's own may come on top, less than one for a step: caches fill
SLACK = 500


def images():
    """A few images in turn, without end; the second object is out of sight in one of them."""
    shown = [
        scene((4 + i, 8, 16, RED), *(((28, 4, 10, BLUE),) if i != 3 else ()), size=SIZE, seed=i)
        for i in range(5)
    ]
    while True:
        yield from shown


def check_flat(segmenter: VideoSegmenter) -> None:
    """Fail if memory grows while objects are followed."""
    coming = images()
    segmenter.start(next(coming), mask_of((4, 8, 16, 1), (28, 4, 10, 9), size=SIZE))
    held = []
    for number in range(1, STEPS + 1):
        segmenter.with_confidence = number % 7 == 0
        segmenter.step(next(coming))
        if number in (SETTLED, STEPS):
            segmenter.with_confidence = False
            segmenter.step(next(coming))
            gc.collect()
            held.append((segmenter.state_bytes, tensor_bytes(), sys.getallocatedblocks()))
    (state, tensors, blocks), (state_then, tensors_then, blocks_then) = held
    assert (state_then, tensors_then) == (state, tensors)
    assert blocks_then <= blocks + SLACK


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SMALL)
def test_memory_is_flat_over_two_thousand_steps(name, monkeypatch) -> None:
    add_tiny_backbone(monkeypatch)
    check_flat(VideoSegmenter(SMALL[name](), size=32))


@pytest.mark.timeout(300)
def test_memory_is_flat_on_a_shared_runtime(monkeypatch) -> None:
    add_tiny_backbone(monkeypatch)
    ready = ready_network(SMALL["gfddal"](), "cpu", "fp32", "torch", True)
    shared = SharedRuntime(ready.runtime)
    check_flat(VideoSegmenter(ready.with_runtime(shared.seat(together=True)), size=32))
    assert shared.close(30)


def test_a_leak_would_be_seen(monkeypatch) -> None:
    segmenter = VideoSegmenter(SMALL["colour"](), size=32)
    kept, own = [], segmenter.step
    monkeypatch.setattr(segmenter, "step", lambda image: kept.append(own(image).objects))
    monkeypatch.setattr("test_flat_memory.STEPS", 2 * SETTLED)
    with pytest.raises(AssertionError):
        check_flat(segmenter)
