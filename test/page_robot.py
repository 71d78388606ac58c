# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera and a node without ROS, for the page's server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from scene import Scene

from vos_ros.web.robot import Answer, SeenObject, Status, View


class SceneRobot:
    """Shows a scene, and "follows" by showing the truth of what it was given a mask of.

    Attributes:
        number: of the frame that is shown.
        given: every mask that came: the number of its frame, its labels, the name.
        asked: every other request: its name and what came with it.
        answer: what is answered to requests.
    """

    def __init__(self, scene: Scene | None = None) -> None:
        self.scene = scene or Scene()
        self.number = 0
        self.watchers = 0
        self.given: list[tuple[int, np.ndarray, str]] = []
        self.asked: list[tuple[str, object]] = []
        self.answer = Answer(True, "Done.")
        self.objects: dict[int, SeenObject] = {}
        self.node_there = True
        self._serial = 1
        self._moved = asyncio.Event()

    def go_on(self) -> None:
        """Show the next frame."""
        self.number += 1
        self._serial += 1
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        self.watchers += 1
        try:
            yield
        finally:
            self.watchers -= 1

    async def newer_than(self, serial: int) -> View:
        while self._serial <= serial:
            await self._moved.wait()
        return self.view()

    def view(self) -> View:
        number = self.number
        labels = None
        if self.objects:
            labels = self.scene.truth(number) * np.uint8(max(self.objects))
        seen = tuple(self.objects.values())
        return View(self._serial, number * 10**9, lambda: self.scene.frame(number), labels, seen)

    def status(self) -> Status:
        return Status(
            node="/vos", node_there=self.node_there, topic="/camera", image_age=0.1,
            image_rate=24.9, mask_rate=12.3, latency=0.0456, dropped=7,
            problems=("Out of sight: 2.",), objects=tuple(self.objects.values()),
        )  # fmt: skip

    async def follow(self, view: View, labels: np.ndarray, name: str) -> Answer:
        self.given.append((view.stamp_ns // 10**9, labels, name))
        if self.answer.success:
            object_id = int(labels.max())
            self.objects[object_id] = SeenObject(object_id, name, True, 0.94)
            self.go_on()
        return self.answer

    async def remove(self, object_id: int) -> Answer:
        self.objects.pop(object_id, None)
        return self._asked("remove", object_id)

    async def reset(self) -> Answer:
        self.objects.clear()
        return self._asked("reset", None)

    async def save(self, name: str) -> Answer:
        return self._asked("save", name)

    async def load(self, name: str, keep_existing: bool) -> Answer:
        return self._asked("load", (name, keep_existing))

    def _asked(self, name: str, what: object) -> Answer:
        self.asked.append((name, what))
        return self.answer
