# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node that follows colours, in a thread of its own, for what has its own loop in a test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from stage import LONG, Stage, header, order, picture

from vos_ros.ros.images import rgb_to_message


class Spinning:
    """Runs a stage until it is closed.

    Args:
        stage: active.
        playing: objects that a camera shows meanwhile and that are followed; nobody plays without.
        names: of these objects.
    """

    def __init__(
        self, stage: Stage, playing: tuple[int, ...] = (), names: tuple[str, ...] = ()
    ) -> None:
        self.name = stage.node.get_fully_qualified_name()
        self.image = f"{stage.node.get_namespace()}/image"
        self._stage, self._playing = stage, playing
        if playing:
            stage.send(0, playing)
            assert stage.call(order(playing, 0, names=list(names))).success
        self._number = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    def _spin(self) -> None:
        due = time.monotonic()
        while not self._ended.is_set():
            self._stage.executor.spin_once(timeout_sec=0.02)
            if self._playing and time.monotonic() >= due:
                due = time.monotonic() + 0.05
                self._number += 1
                image = picture(self._number % 256, self._playing)
                self._stage.camera.publish(rgb_to_message(image, header(self._number)))

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for something outside of the stage."""
        end = time.monotonic() + LONG
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            self._ended.wait(0.02)

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join()
