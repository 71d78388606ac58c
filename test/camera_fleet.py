# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes of several cameras in one process, and a client that talks to all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from fake_segmenter import LONG
from lifecycle_msgs.srv import ChangeState
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from sensor_msgs.msg import Image
from stage import CARD, header, order, picture, transition

from vos_msgs.srv import InitMask
from vos_ros.ros import qos
from vos_ros.ros.camera_choice import CameraChoice
from vos_ros.ros.cameras import CameraThread
from vos_ros.ros.images import rgb_to_message


class Signals:
    """Stands for the signals that end a process; none comes but by `came`."""

    came = False


class FakeNetwork:
    """What a camera's node builds its segmenter with, which is the one given.

    Attributes:
        users: how many nodes use it now.
        error: raised by the next `build`.
    """

    def __init__(self, segmenter: Any) -> None:
        self.segmenter = segmenter
        self.users = 0
        self.error: Exception | None = None

    def build(self, settings: Any) -> tuple[Any, Any, str]:
        if self.error is not None:
            raise self.error
        self.users += 1
        return self.segmenter, CARD, "colours"

    def let_go(self) -> None:
        self.users = 0


class Fleet:
    """Cameras that run each on its own thread, in one namespace.

    Args:
        context: a ROS context of its own.
        namespace: of all nodes.
        networks: by the name of each camera.
        parameters: of all nodes.
    """

    def __init__(
        self, context: Context, namespace: str, networks: Mapping[str, Any], **parameters: Any
    ) -> None:
        self.signals = Signals()
        self.threads = {
            name: CameraThread(
                CameraChoice(name, f"{name}/image_raw"),
                network,
                self.signals,
                context=context,
                namespace=namespace,
                parameter_overrides=[Parameter(key, value=v) for key, v in parameters.items()],
            )
            for name, network in networks.items()
        }
        self.client = Node("client", context=context, namespace=namespace)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self.client)
        self.masks: dict[str, list[Image]] = {name: [] for name in networks}
        self._cameras: dict[str, Publisher] = {}
        for name in networks:
            self._cameras[name] = self.client.create_publisher(
                Image, f"{name}/image_raw", qos.camera()
            )
            self.client.create_subscription(
                Image, f"{name}/mask", self.masks[name].append, qos.results()
            )
        for thread in self.threads.values():
            thread.start()

    def close(self) -> None:
        """End all, as a signal would."""
        self.signals.came = True
        ended = [thread.ended(LONG) for thread in self.threads.values()]
        assert all(ended)
        self.client.destroy_node()
        self._executor.shutdown()

    def until(self, condition: Callable[[], Any], what: str) -> None:
        """Run the client's callbacks until something is so."""
        end = time.monotonic() + LONG
        while not condition():
            assert time.monotonic() < end, f"waited in vain for {what}"
            self._executor.spin_once(timeout_sec=0.05)

    def ready(self, *names: str) -> None:
        """Wait until these cameras take images and their masks would be heard."""
        for name in names or self.threads:
            self.until(
                lambda name=name: (
                    self._cameras[name].get_subscription_count()
                    and self.client.count_publishers(f"{name}/mask")
                ),
                f"{name} to be active",
            )

    def call(self, kind: type, service: str, request: Any) -> Any:
        """The answer of a service."""
        client = self.client.create_client(kind, service, qos_profile=qos.requests())
        self.until(client.service_is_ready, service)
        future = client.call_async(request)
        self.until(future.done, f"an answer of {service}")
        self.client.destroy_client(client)
        return future.result()

    def change(self, name: str, label: str) -> bool:
        """Ask a camera's node for a transition; whether it succeeded."""
        return self.call(ChangeState, f"{name}/change_state", transition(label)).success

    def follow(self, name: str, number: int, objects: tuple[int, ...] = (1, 2, 3)) -> None:
        """Have a camera show an image, and its node follow what is in it."""
        self.send(name, number)
        answer = self.call(InitMask, f"{name}/init_mask", order(objects))
        assert answer.success, answer.message

    def send(self, name: str, number: int) -> None:
        """Send a camera's image of this number, and wait until its node has it."""
        self.send_message(name, rgb_to_message(picture(number), header(number)))

    def send_message(self, name: str, message: Image) -> None:
        """Send any message as a camera's, and wait until its node has it."""
        node = self.threads[name].node
        before = node.statistics.received
        self._cameras[name].publish(message)
        self.until(lambda: node.statistics.received > before, f"{name} to receive an image")

    def mask_of(self, name: str, number: int) -> np.ndarray:
        """Wait for a camera's mask of an image, and return its labels."""

        def found() -> Image | None:
            return next((m for m in self.masks[name] if m.header == header(number)), None)

        self.until(found, f"the mask of image {number} of {name}")
        message = found()
        assert message is not None
        return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width)
