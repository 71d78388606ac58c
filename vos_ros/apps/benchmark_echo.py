# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A process that answers every image with an empty mask at once: what the transport alone costs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from rclpy.task import Future
from sensor_msgs.msg import Image

from vos_ros.apps.benchmark_camera import EndingNode, spin
from vos_ros.ros import qos
from vos_ros.ros.images import labels_to_message


class Echo(EndingNode):
    """Takes images as the node does, and sends masks as it does.

    Attributes:
        done: never fulfilled.
    """

    def __init__(self) -> None:
        super().__init__("vos")
        self.done = Future()
        self._mask = Image()
        self._publisher = self.create_publisher(Image, "~/mask", qos.results())
        self.create_subscription(Image, "image", self._take, qos.camera())

    def _take(self, image: Image) -> None:
        if (self._mask.height, self._mask.width) != (image.height, image.width):
            labels = np.zeros((image.height, image.width), np.uint8)
            self._mask = labels_to_message(labels, image.header)
        self._mask.header = image.header
        self._publisher.publish(self._mask)


def main(argv: Sequence[str] | None = None) -> int:
    """Answer until told to end."""
    spin(Echo)
    return 0


if __name__ == "__main__":
    sys.exit(main())
