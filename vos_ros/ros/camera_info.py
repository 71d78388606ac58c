# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The camera's calibration once more, beside each mask, for whoever works with mask and depth."""

from __future__ import annotations

import copy
import time
from contextlib import ExitStack

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from vos_ros.calibrations import Calibrations, camera_info_topic
from vos_ros.pinhole import image_size
from vos_ros.ros import qos
from vos_ros.ros.qos_events import result_events
from vos_ros.ros.requests import nanoseconds
from vos_ros.ros.surviving import SurvivingNode
from vos_ros.ros.troubles import Troubles

PATIENCE = 2.0
"""Seconds in which a calibration should have come."""
_OWN = "camera_info"


class CameraInfoRelay:
    """Takes in `camera_info` and publishes `~/camera_info`, both only while somebody subscribes.

    What is published belongs to a mask: it has the mask's header and is for images of its size.
    Where there is no such calibration nothing is published, and that is said once.

    `publish` belongs to the worker's thread, all else to the node's executor.

    Attributes:
        topic: where the calibration comes from. It is beside the images, or what `camera_info` is
            remapped to.

    Args:
        node: whose topics these are.
        images: full name of the images' topic.
        troubles: told of masks without a calibration.
    """

    def __init__(self, node: SurvivingNode, images: str, troubles: Troubles) -> None:
        self._node = node
        self._troubles = troubles
        self.topic = _source(node, images)
        self._known = Calibrations()
        self._open = self._subscribed = False
        self._asked = time.monotonic()
        self._said: set[str] = set()
        self._subscription = ExitStack()
        offered = qos.results()
        events = result_events(node, f"~/{_OWN}", offered)
        events.matched = lambda _: self._sync()
        self._publisher = node.create_lifecycle_publisher(
            CameraInfo, f"~/{_OWN}", offered, event_callbacks=events
        )

    def open(self) -> None:
        """Take in calibrations from now on, while somebody wants them."""
        self._open = True
        self._said.clear()
        self._sync()

    def close(self) -> None:
        """Take in no more, and forget those held. Safe to call twice."""
        self._open = False
        self._sync()

    def destroy(self) -> None:
        """Close, and destroy the topic."""
        self.close()
        self._node.destroy_lifecycle_publisher(self._publisher)

    def publish(self, header: Header, width: int, height: int) -> None:
        """Publish the calibration of a mask with this header and size, in pixels."""
        if not self._publisher.get_subscription_count():
            return
        found = self._known.of_image(nanoseconds(header.stamp), width, height)
        if found is None:
            self._say_missing(width, height)
            return
        info = copy.copy(found)
        info.header = header
        self._publisher.publish(info)

    def _sync(self) -> None:
        """Subscribe while there is somebody to do it for, and not longer."""
        wanted = self._open and self._publisher.get_subscription_count() > 0
        if wanted == self._subscribed:
            return
        if not wanted:
            self._subscribed = False
            self._subscription.close()
            return
        self._asked = time.monotonic()
        with ExitStack() as undo:
            undo.callback(self._known.clear)
            made = self._node.create_subscription(CameraInfo, self.topic, self._take, qos.camera())
            undo.callback(self._node.destroy_subscription, made)
            self._subscription = undo.pop_all()
        self._subscribed = True

    def _take(self, message: CameraInfo) -> None:
        self._known.push(nanoseconds(message.header.stamp), message)

    def _say_missing(self, width: int, height: int) -> None:
        newest = self._known.newest
        if newest is None:
            if not self._subscribed or time.monotonic() - self._asked < PATIENCE:
                return  # it may still come
            self._once(
                "none",
                f"No calibration has come on {self.topic}, so that ~/{_OWN} has none to send. Is"
                f" `{_OWN}` to be remapped to the camera's?",
            )
            return
        there = " x ".join(str(side) for side in image_size(newest))
        self._once(
            "size",
            f"The calibration on {self.topic} is for images of {there} pixels and the camera's are"
            f" {width} x {height}: ~/{_OWN} sends none, for it would be wrong. Have the camera"
            " calibrated at this size, or remap `camera_info` to the calibration of these images.",
        )

    def _once(self, kind: str, text: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            self._troubles.note(text, serious=False)
            self._node.get_logger().warning(text)


def _source(node: Node, images: str) -> str:
    remapped = node.resolve_topic_name(_OWN)
    if remapped != node.resolve_topic_name(_OWN, only_expand=True):
        return remapped
    return node.resolve_topic_name(camera_info_topic(images))
