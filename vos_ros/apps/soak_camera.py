# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The camera of a soak, which can do everything wrong that cameras do."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from vos_ros.ros import qos
from vos_ros.soak.ledger import Ledger
from vos_ros.soak.pixels import encode
from vos_ros.soak.scene import Scene


class SoakCamera:
    """Publishes the images of a scene, by a timer of its node, and notes them in the ledger.

    Attributes:
        number: of the next image.
        size: width and height, even.
        encoding: one of `vos_ros.soak.pixels.ENCODERS`.
        rewound: nanoseconds by which the stamps lie behind the clock.
        stamping: from the stamp that is due, in nanoseconds, to the one that is given.
        spoil: breaks a message; None while all is well.
        silent: whether no image is sent.
        timed: whether the time until the mask counts.

    Args:
        node: publishes.
        scene: what there is to see.
        ledger: told of every image.
        rate: images a second.
    """

    def __init__(self, node: Node, scene: Scene, ledger: Ledger, rate: float) -> None:
        self.scene, self.number = scene, 0
        self.size, self.encoding = (320, 240), "rgb8"
        self.rewound = 0
        self.silent = self.timed = False
        self._ledger, self._rate = ledger, rate
        self._publisher = node.create_publisher(Image, "image", qos.camera())
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(1 / rate, self._tick, clock=steady)
        self.behave()

    def behave(self) -> None:
        """Send good images at the right rate from now on. Size, encoding and clock stay."""
        self.stamping: Callable[[int], int] = lambda stamp: stamp
        self.spoil: Callable[[Image], None] | None = None
        self.silent = False
        self.set_rate(self._rate)

    def set_rate(self, rate: float) -> None:
        """Send so many images a second from now on, or as many as the machine can."""
        self._timer.timer_period_ns = round(1e9 / rate)
        self._timer.reset()

    def listeners(self) -> int:
        """How many subscribe to the images."""
        return self._publisher.get_subscription_count()

    def message(self, number: int, stamp: int) -> Image:
        """A good image of this number, with a stamp in nanoseconds."""
        width, height = self.size
        data, step = encode(self.scene.image(number, width, height), self.encoding)
        message = Image(header=header(stamp), width=width, height=height, step=step)
        message.encoding = self.encoding
        message.data.frombytes(data)
        return message

    def _tick(self) -> None:
        if self.silent:
            return
        stamp = self.stamping(time.time_ns() - self.rewound)
        message, number = self.message(self.number, stamp), self.number
        self.number += 1
        size: tuple[int, int] | None = self.size
        if self.spoil is not None:
            self.spoil(message)
            size = None
        now = time.monotonic()
        self._ledger.send(stamp, number, size, timed=self.timed, now=now)
        self._publisher.publish(message)


def header(stamp: int) -> Header:
    """A header with a stamp in nanoseconds."""
    seconds, rest = divmod(stamp, 10**9)
    return Header(stamp=Time(sec=seconds, nanosec=rest), frame_id="soak")


def mono8(labels: np.ndarray, stamp: int) -> Image:
    """A mask message of labels, height x width uint8, with a stamp in nanoseconds."""
    height, width = labels.shape
    message = Image(header=header(stamp), width=width, height=height, step=width, encoding="mono8")
    message.data = array("B", np.ascontiguousarray(labels, np.uint8).tobytes())
    return message
