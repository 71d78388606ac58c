# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What of a frame is neither transport nor segmenter: from messages to arrays and back."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from vos_ros.benchmark.calls.clock import host_clock
from vos_ros.benchmark.calls.work import Work
from vos_ros.benchmark.film import make_film
from vos_ros.benchmark.row import Row
from vos_ros.benchmark.settings import Case
from vos_ros.ros.frames import to_rgb
from vos_ros.ros.images import labels_to_message, rgb_to_message


class Conversion:
    """A bgr8 image read as RGB, and labels written into a mask message, as the node does both.

    Attributes:
        image: what was read last.
        mask: what was written last.

    Args:
        message: the image.
        labels: H x W uint8.
    """

    def __init__(self, message: Image, labels: np.ndarray) -> None:
        self._message, self._labels = message, labels
        self.image: np.ndarray | None = None
        self.mask: Image | None = None

    def __call__(self) -> None:
        """Do it once."""
        self.image = to_rgb(self._message)
        self.mask = labels_to_message(self._labels, self._message.header)


def conversion_work(case: Case) -> Work:
    """The work of converting images and masks of a case's size."""
    film = make_film(case.size, objects=1, length=1)
    frame, labels = film.frames[0], film.mask
    message = rgb_to_message(frame, Header(), "bgr8")
    row = Row(case.what, size=str(case.size), variant=case.variant or None)
    # Each byte of both is read once and written once.
    moved = 2 * (frame.nbytes + labels.nbytes)
    return Work(row, Conversion(message, labels), host_clock, moved_bytes=moved)
