# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the terminal to `~/init_mask`: the ROS side of `init_box` and `init_mask`."""

from __future__ import annotations

import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from vos_msgs.srv import InitMask
from vos_ros.apps.mask_options import ABSENT, FOLLOWED, REFUSED, WRONG
from vos_ros.ros import qos
from vos_ros.ros.environment import keep_large_blocks
from vos_ros.ros.frame_buffer import format_stamp
from vos_ros.ros.frames import ImageMessage, to_rgb
from vos_ros.ros.images import ImageError
from vos_ros.ros.requests import nanoseconds, sentence
from vos_ros.ros.vos_client import VosClient, init_request, with_image
from vos_ros.strokes import StrokeError

MakeLabels = Callable[[np.ndarray], np.ndarray]
"""From an image, H x W x 3 uint8 RGB, to the labels of what is in it."""


class AbsentError(RuntimeError):
    """What was waited for did not come; the message says what would help."""


def order(
    given: Namespace,
    arguments: Sequence[str],
    make_labels: MakeLabels,
    *,
    ids: Sequence[int] = (),
    names: Sequence[str] = (),
    picture: np.ndarray | None = None,
) -> int:
    """Have the node follow something, print what it answers, and return the exit status.

    Args:
        given: the options of `mask_options.new_parser`.
        arguments: the whole command line, for the ROS arguments in it.
        make_labels: makes the mask; StrokeError, with a sentence, when it cannot.
        ids, names: as in the request.
        picture: H x W x 3 uint8 RGB to begin with instead of an image of the camera.
    """
    keep_large_blocks()
    context = Context()
    rclpy.init(
        args=list(arguments), context=context, signal_handler_options=SignalHandlerOptions.NO
    )
    try:
        with_node = _Terminal(context, given)
        try:
            answer = with_node.order(make_labels, ids, names, picture)
        finally:
            with_node.close()
    except (StrokeError, ImageError) as error:
        return _complain(str(error), WRONG)
    except AbsentError as error:
        return _complain(str(error), ABSENT)
    except (KeyboardInterrupt, ExternalShutdownException):
        return 130
    finally:
        rclpy.try_shutdown(context=context)
    if not answer.success:
        return _complain(answer.message, REFUSED)
    print(answer.message)
    return FOLLOWED


def _complain(text: str, status: int) -> int:
    print(sentence(RuntimeError(text)), file=sys.stderr)
    return status


class _Terminal:
    """The command's own node."""

    def __init__(self, context: Context, given: Namespace) -> None:
        self._given = given
        # Its name tells two of them apart that are started at the same time.
        self._node = Node(f"vos_terminal_{os.getpid()}", context=context)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self._node)
        self._client = VosClient(self._node, given.node)
        self._image: ImageMessage | None = None

    def close(self) -> None:
        """Leave ROS."""
        self._executor.shutdown()
        self._node.destroy_node()

    def order(
        self,
        make_labels: MakeLabels,
        ids: Sequence[int],
        names: Sequence[str],
        picture: np.ndarray | None,
    ) -> InitMask.Response:
        """Ask the node, and return its answer."""
        self._wait(
            lambda: self._client.is_ready,
            lambda: (
                f"There is no node {self._client.node_name} in ROS domain"
                f" {os.environ.get('ROS_DOMAIN_ID') or 0}: its service init_mask was not there"
                f" within {self._given.timeout:g} s. Start it, or name another with --node."
            ),
        )
        keep = self._given.keep
        if picture is not None:
            stamp = self._given.stamp or 0
            labels = make_labels(picture)
            request = init_request(labels, _header(stamp), names=names, ids=ids, keep_existing=keep)
            return self._ask(with_image(request, _message(picture, stamp)))
        image = self._wait_for_image()
        labels = make_labels(to_rgb(image))
        request = init_request(labels, image.header, names, ids=ids, keep_existing=keep)
        answer = self._ask(request)
        if answer.success:
            return answer
        # The image may have been lost on its way to the node, or it holds it no more.
        return self._ask(with_image(request, image))

    def _wait_for_image(self) -> ImageMessage:
        """The newest image, or the one with the stamp that was asked for."""
        compressed, topic = self._given.compressed, self._given.image
        kind = CompressedImage if compressed else Image
        topic = f"{topic}/compressed" if compressed else topic
        self._node.create_subscription(kind, topic, self._take, qos.camera())
        self._wait(self._has_image, lambda: self._no_image(topic))
        assert self._image is not None
        wanted, came = self._given.stamp, nanoseconds(self._image.header.stamp)
        if wanted is not None and came != wanted:
            raise AbsentError(
                f"The image stamped {format_stamp(wanted)} did not come; the camera is at"
                f" {format_stamp(came)} already. Only images that are still to come can be waited"
                " for here."
            )
        return self._image

    def _take(self, message: ImageMessage) -> None:
        self._image = message

    def _has_image(self) -> bool:
        if self._image is None:
            return False
        return nanoseconds(self._image.header.stamp) >= (self._given.stamp or 0)

    def _no_image(self, topic: str) -> str:
        """Say what images there are instead."""
        name = self._node.resolve_topic_name(topic)
        waited = f"within {self._given.timeout:g} s"
        if self._image is not None:
            newest = format_stamp(nanoseconds(self._image.header.stamp))
            return (
                f"The image stamped {format_stamp(self._given.stamp)} did not come {waited}; the"
                f" newest on {name} is of {newest}."
            )
        if self._node.count_publishers(name):
            return (
                f"No image came on {name} {waited}, although somebody publishes there: is the"
                " camera running, and with the Fast DDS profile (see the README)?"
            )
        own = f"{self._client.node_name}/"
        kinds = {"sensor_msgs/msg/Image": "", "sensor_msgs/msg/CompressedImage": " (compressed)"}
        there = [
            other + kinds[kind]
            for other, found in self._node.get_topic_names_and_types()
            for kind in found
            if kind in kinds and not other.startswith(own) and self._node.count_publishers(other)
        ]
        listed = f"there are images on {', '.join(sorted(there))}" if there else "there are none"
        return (
            f"No image came on {name} {waited}, and nobody publishes there; {listed}. Name the"
            " camera's topic with --image, and give --compressed for compressed images."
        )

    def _ask(self, request: InitMask.Request) -> InitMask.Response:
        future = self._client.ask(request)
        self._wait(
            future.done,
            lambda: f"{self._client.node_name} did not answer within {self._given.timeout:g} s.",
        )
        return future.result()

    def _wait(self, condition: Callable[[], Any], complaint: Callable[[], str]) -> None:
        end = time.monotonic() + self._given.timeout
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                raise AbsentError(complaint())
            self._executor.spin_once(timeout_sec=min(0.1, left))


def _header(stamp_ns: int) -> Header:
    sec, nanosec = divmod(stamp_ns, 10**9)
    return Header(stamp=Time(sec=sec, nanosec=nanosec))


def _message(picture: np.ndarray, stamp_ns: int) -> Image:
    from vos_ros.ros.images import rgb_to_message

    return rgb_to_message(picture, _header(stamp_ns))
