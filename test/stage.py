# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node, a camera and a client of it in one process, driven by one executor."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from fake_segmenter import LONG, ColourSegmenter
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Bool, Header
from std_srvs.srv import Trigger

from vos_msgs.msg import ObjectPresenceArray
from vos_msgs.srv import InitMask, LoadTargets, RemoveObject, SaveTargets
from vos_ros.ros import qos
from vos_ros.ros.images import labels_to_message, rgb_to_compressed, rgb_to_message
from vos_ros.ros.node import VosNode
from vos_ros.weights import ModelCard

CARD = ModelCard("colours", {}, sha256="c0104125" * 8)
"""Of the weights that the stage's segmenter might have had."""
WIDTH, HEIGHT = 64, 48
RED, GREEN, BLUE = (200, 30, 30), (30, 200, 30), (30, 30, 200)
PLACES = {1: (RED, 4), 2: (GREEN, 20), 3: (BLUE, 36)}
"""Each object's colour and the left edge of its 10 x 10 square, 20 pixels from the top."""


def stamp(number: int) -> Time:
    """The stamp of the camera's image of this number: ten a second, from 100 s on."""
    nanoseconds = 100 * 10**9 + number * 10**8
    return Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def picture(number: int, objects: tuple[int, ...] = (1, 2, 3)) -> np.ndarray:
    """An image with its number, or what is left of it by 256, in one pixel, and some squares."""
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for object_id in objects:
        colour, left = PLACES[object_id]
        image[20:30, left : left + 10] = colour
    image[0, 0] = number % 256
    return image


def truth(objects: tuple[int, ...] = (1, 2, 3)) -> np.ndarray:
    """The labels of `picture`."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for object_id in objects:
        left = PLACES[object_id][1]
        labels[20:30, left : left + 10] = object_id
    return labels


def header(number: int) -> Header:
    """The header of the camera's image of this number."""
    return Header(stamp=stamp(number), frame_id=f"camera_{number}")


class Stage:
    """A node with a colour segmenter, and everything that talks to it.

    Args:
        context: a ROS context of its own.
        namespace: of the node; distinct for each stage, so that stages do not hear one another.
        parameters: of the node; it is not started by itself unless they say so.
    """

    def __init__(self, context: Context, namespace: str, **parameters: Any) -> None:
        self.segmenter = ColourSegmenter()
        self.make_error: Exception | None = None
        self.masks: list[Image] = []
        self.presences: list[ObjectPresenceArray] = []
        self.overlays: list[Image] = []
        overrides = {"autostart": False, **parameters}
        self.node = VosNode(
            self._make_segmenter,
            context=context,
            namespace=namespace,
            parameter_overrides=[Parameter(name, value=v) for name, v in overrides.items()],
        )
        self.client = Node("client", context=context, namespace=namespace)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)
        self.executor.add_node(self.client)
        self._clients = {
            kind: self.client.create_client(kind, f"vos/{name}", qos_profile=qos.requests())
            for kind, name in (
                (InitMask, "init_mask"),
                (RemoveObject, "remove_object"),
                (Trigger, "reset"),
                (SaveTargets, "save_targets"),
                (LoadTargets, "load_targets"),
                (ChangeState, "change_state"),
                (GetState, "get_state"),
            )
        }
        for kind, topic, box in (
            (Image, "vos/mask", self.masks),
            (ObjectPresenceArray, "vos/presence", self.presences),
        ):
            self.client.create_subscription(kind, topic, box.append, qos.results())
        self.camera = self.client.create_publisher(Image, "image", qos.camera())
        self.compressed = self.client.create_publisher(
            CompressedImage, "image/compressed", qos.camera()
        )
        self.sent = 0

    def close(self) -> None:
        """Destroy the nodes."""
        self.segmenter.let_go()
        self.node.destroy_node()
        self.client.destroy_node()
        self.executor.shutdown()

    def until(self, condition: Callable[[], Any], what: str = "") -> None:
        """Run callbacks until something is so."""
        end = time.monotonic() + LONG
        while not condition():
            assert time.monotonic() < end, f"waited in vain for {what or condition}"
            self.executor.spin_once(timeout_sec=0.05)

    def ask(self, request: Any) -> Future:
        """Send a request to the service of its kind."""
        client = next(c for kind, c in self._clients.items() if isinstance(request, kind.Request))
        self.until(client.service_is_ready, client.srv_name)
        return client.call_async(request)

    def call(self, request: Any) -> Any:
        """Send a request and return the answer."""
        future = self.ask(request)
        self.until(future.done, f"an answer to {type(request)}")
        return future.result()

    def change(self, label: str) -> bool:
        """Ask for a transition; return whether it succeeded."""
        return self.call(transition(label)).success

    @property
    def state(self) -> str:
        """The label of the node's state."""
        return self.call(GetState.Request()).current_state.label

    def activate(self) -> Stage:
        """Configure and activate, and wait until camera and results are connected."""
        assert self.change("configure")
        assert self.change("activate")
        self.until(
            lambda: self.camera.get_subscription_count() + self.compressed.get_subscription_count()
        )
        self.until(lambda: all(self.client.count_publishers(f"vos/{t}") for t in RESULTS))
        return self

    def send(self, number: int, objects: tuple[int, ...] = (1, 2, 3)) -> None:
        """Send the camera's image of this number and wait until the node has it."""
        self.send_message(rgb_to_message(picture(number, objects), header(number)))

    def send_compressed(self, number: int, objects: tuple[int, ...] = (1, 2, 3)) -> None:
        """As `send`, as PNG."""
        self.send_message(rgb_to_compressed(picture(number, objects), header(number), "png"))

    def send_message(self, message: Image | CompressedImage) -> None:
        """Send any message as the camera's and wait until the node has it."""
        before = self.node.statistics.received
        camera = self.camera if isinstance(message, Image) else self.compressed
        camera.publish(message)
        self.sent += 1
        self.until(lambda: self.node.statistics.received > before, "the node to receive an image")

    def mask_of(self, number: int) -> np.ndarray:
        """Wait for the mask of an image and return its labels."""

        def found() -> Image | None:
            return next((m for m in reversed(self.masks) if m.header == header(number)), None)

        self.until(found, f"the mask of image {number}")
        message = found()
        assert message is not None
        assert message.encoding == "mono8"
        return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width)

    def follow_all(self, number: int = 0) -> None:
        """Send an image and have all three squares followed from it on."""
        self.send(number)
        answer = self.call(order())
        assert answer.success, answer.message
        assert list(answer.ids) == [1, 2, 3]
        self.mask_of(number)

    def latched(self, object_id: int) -> list[bool]:
        """Begin to listen to an object's presence topic; the list grows as values come."""
        values: list[bool] = []
        self.client.create_subscription(
            Bool,
            f"vos/presence/object_{object_id}",
            lambda message: values.append(message.data),
            qos.latched(),
        )
        return values

    def presence_topics(self) -> set[int]:
        """The ids that have a presence topic."""
        base = f"{self.node.get_namespace()}/vos/presence/object_"
        own = self.node.get_publisher_names_and_types_by_node("vos", self.node.get_namespace())
        return {int(name[len(base) :]) for name, _ in own if name.startswith(base)}

    def _make_segmenter(self, settings: Any) -> tuple[ColourSegmenter, ModelCard, str]:
        if self.make_error is not None:
            raise self.make_error
        self.segmenter.max_objects = settings.max_objects
        return self.segmenter, CARD, "colours"


RESULTS = ("mask", "presence", "overlay")


def order(
    objects: tuple[int, ...] = (1, 2, 3), number: int | None = None, **rest: Any
) -> InitMask.Request:
    """A request to follow some of the squares, from an image of the camera or the newest."""
    mask = labels_to_message(truth(objects), header(number) if number is not None else Header())
    return InitMask.Request(mask=mask, **rest)


def transition(label: str) -> ChangeState.Request:
    """A request for a transition of the node's life."""
    request = ChangeState.Request()
    request.transition.label = label
    return request


def new_context() -> Context:
    """A ROS context, to be closed with `rclpy.try_shutdown`."""
    context = Context()
    rclpy.init(context=context)
    return context
