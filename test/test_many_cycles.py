# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Five hundred rounds through the lifecycle while a camera streams, and memory that stays flat."""

from __future__ import annotations

import gc
import itertools
import sys
import threading

import pytest
from stage import Stage, header, order, picture

from vos_ros.ros.device_memory import give_back, read_memory
from vos_ros.ros.images import rgb_to_message

CYCLES = 500
SETTLED = 100
ANEW = 25
"""Every so many rounds go down to the unconfigured state and up again."""
#: Python's blocks, one a cycle; bytes, of what DDS and the allocator keep
BLOCKS, BYTES = 400, 30e6


class Streaming:
    """Publishes the stage's images without pause, from a thread, until it is left."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._enough.set()
        self._thread.join()

    def _run(self) -> None:
        messages = [rgb_to_message(picture(n, (1, 2, 3)), header(n)) for n in range(8)]
        for message in itertools.cycle(messages):
            self._stage.camera.publish(message)
            if self._enough.wait(0.005):
                return


def held(stage: Stage) -> tuple[int, float]:
    """Blocks that Python has allocated, and the bytes of the whole process, of an idle node."""
    gc.collect()
    known = stage.node.default_callback_group.entities
    stage.until(lambda: all(reference() is not None for reference in list(known)))
    for kept in (stage.masks, stage.presences, stage.segmenter.seen):  # by the stage
        kept.clear()
    give_back()
    return sys.getallocatedblocks(), read_memory("cpu").own


def follow(stage: Stage) -> None:
    """Have all be followed, once the camera is heard."""
    stage.until(lambda: stage.node.statistics.received, "the first image")
    answer = stage.call(order())
    assert answer.success, answer.message


@pytest.mark.timeout(300)
def test_memory_is_flat_over_five_hundred_cycles_while_a_camera_streams(make_stage):
    stage = make_stage().activate()
    measured = []
    with Streaming(stage):
        follow(stage)
        for number in range(1, CYCLES + 1):
            stage.until(lambda: stage.masks, "a mask")
            assert stage.change("deactivate")
            if number % ANEW == 0:
                assert stage.change("cleanup")
                if number in (SETTLED, CYCLES):
                    measured.append(held(stage))
                assert stage.change("configure")
            assert stage.change("activate")
            if number % ANEW == 0:
                follow(stage)
            stage.masks.clear()
    (blocks, memory), (blocks_then, memory_then) = measured
    assert blocks_then - blocks <= BLOCKS
    assert memory_then - memory <= BYTES
