# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera that shows a scene by itself, and keeps the masks that come back."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from scene import Scene
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from vos_ros.ros import qos
from vos_ros.ros.images import rgb_to_message
from vos_ros.ros.requests import nanoseconds


class SceneCamera:
    """Plays on a thread of its own, from its making to `close`.

    Args:
        context: of its node.
        scene: what it shows.
        rate: images a second.
        namespace: of the camera's topic `image`, and of the node `vos` whose masks are kept.
    """

    def __init__(self, context: Context, scene: Scene, rate: float, namespace: str = "") -> None:
        self._scene = scene
        self._node = Node("camera", context=context, namespace=namespace)
        self._images = self._node.create_publisher(Image, "image", qos.camera())
        self._node.create_subscription(Image, "vos/mask", self._take, qos.results())
        self._node.create_timer(1.0 / rate, self._show)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self._node)
        self._changed = threading.Condition()
        self._numbers: dict[int, int] = {}
        self._masks: list[tuple[int, np.ndarray]] = []
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._ended = True
        self._thread.join()
        self._executor.shutdown()
        self._node.destroy_node()

    def truth(self, stamp_ns: int) -> np.ndarray:
        """The true mask of the image with this stamp."""
        with self._changed:
            return self._scene.truth(self._numbers[stamp_ns])

    def masks(self, enough: Callable[[list[tuple[int, np.ndarray]]], bool], seconds: float):
        """The masks that have come, by stamp (nanoseconds), once they are enough."""
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self._masks), seconds), "no masks come"
            return list(self._masks)

    def _show(self) -> None:
        stamp = self._node.get_clock().now()
        with self._changed:
            number = len(self._numbers)
            self._numbers[stamp.nanoseconds] = number
        header = Header(stamp=stamp.to_msg(), frame_id="camera")
        self._images.publish(rgb_to_message(self._scene.frame(number), header))

    def _take(self, message: Image) -> None:
        labels = np.frombuffer(message.data, np.uint8).reshape(message.height, message.width)
        with self._changed:
            self._masks.append((nanoseconds(message.header.stamp), labels))
            self._changed.notify_all()

    def _run(self) -> None:
        while not self._ended:
            try:
                self._executor.spin_once(timeout_sec=0.1)
            except ExternalShutdownException:
                return
