# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node that looks on at the camera and at what a vos node makes of its images."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from vos_msgs.msg import ObjectPresenceArray
from vos_ros.ros import qos
from vos_ros.ros.requests import nanoseconds
from vos_ros.ros.sights import Sight, Sights
from vos_ros.ros.vos_client import VosClient

_TICK = 0.2  # s
_STALE = 5.0  # s after which diagnostics are no news


class Onlooker(Node):
    """Takes in images and results while somebody wants to see them.

    Everything but `wanted`, `sight` and `sees` belongs to the executor's thread.

    Attributes:
        client: of the vos node.
        sight: the newest, or None. From any thread.
        wanted: whether to take in images. Set from any thread.

    Args:
        vos: name of the vos node.
        topic: of the camera's images.
        compressed: whether they are CompressedImage on TOPIC/compressed.
        on_sight: called with each new sight, on the executor's thread.
        rest: as for any node.
    """

    def __init__(
        self,
        vos: str,
        topic: str,
        compressed: bool,
        on_sight: Callable[[Sight], None],
        **rest: Any,
    ) -> None:
        super().__init__("vos_select", **rest)
        self.client = VosClient(self, vos)
        self.sight: Sight | None = None
        self.wanted = False
        self._on_sight = on_sight
        self._sights = Sights(self._show)
        self._lock = threading.Lock()
        self._statuses: dict[str, tuple[float, DiagnosticStatus]] = {}
        self._image = (
            (CompressedImage, f"{topic}/compressed", self._take_image)
            if compressed
            else (Image, topic, self._take_image)
        )
        self.topic = self.resolve_topic_name(self._image[1])
        self._open: list[Any] = []
        self.create_timer(_TICK, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def sees(self) -> dict[str, Any]:
        """What is known now, by the names of `vos_ros.web.robot.Status`. From any thread."""
        now = time.monotonic()
        with self._lock:
            sights, statuses = self._sights, dict(self._statuses)
            known = {
                "image_age": sights.image_age(now),
                "image_rate": sights.image_rate(now),
                "mask_rate": sights.mask_rate(now),
                "latency": sights.latency(now),
                "presence": sights.presence,
            }
        fresh = {name: s for name, (came, s) in statuses.items() if now - came < _STALE}
        masks = fresh.get("masks")
        values = {item.key: item.value for item in masks.values} if masks else {}
        dropped = values.get("dropped", "")
        return {
            **known,
            "node": self.client.node_name,
            "node_there": self.client.is_ready,
            "topic": self.topic,
            "dropped": int(dropped) if dropped.isdigit() else None,
            "problems": tuple(s.message for s in fresh.values() if s.level > DiagnosticStatus.OK),
        }

    def _tick(self) -> None:
        """Subscribe while somebody wants to see, and not longer."""
        if self.wanted and not self._open:
            name = self.client.node_name
            for kind, topic, callback, quality in (
                (*self._image, qos.camera()),
                (Image, f"{name}/mask", self._take_mask, qos.results()),
                (ObjectPresenceArray, f"{name}/presence", self._take_presence, qos.results()),
                (DiagnosticArray, "/diagnostics", self._take_diagnostics, 10),
            ):
                self._open.append(self.create_subscription(kind, topic, callback, quality))
        elif self._open and not self.wanted:
            while self._open:
                self.destroy_subscription(self._open.pop())
            with self._lock:
                self._sights.clear()

    def _take_image(self, message: Image | CompressedImage) -> None:
        with self._lock:
            self._sights.take_image(message, time.monotonic())

    def _take_mask(self, message: Image) -> None:
        late = self.get_clock().now().nanoseconds - nanoseconds(message.header.stamp)
        with self._lock:
            self._sights.take_mask(message, time.monotonic(), late / 1e9)

    def _take_presence(self, message: ObjectPresenceArray) -> None:
        with self._lock:
            self._sights.take_presence(message)

    def _take_diagnostics(self, message: DiagnosticArray) -> None:
        own = self.client.node_name
        short = own.rpartition("/")[2]
        with self._lock:
            for status in message.status:
                name, colon, part = status.name.rpartition(": ")
                ours = status.hardware_id == own and name.rpartition("/")[2] == short
                if colon and ours:
                    self._statuses[part] = time.monotonic(), status

    def _show(self, sight: Sight) -> None:
        self.sight = sight
        self._on_sight(sight)
