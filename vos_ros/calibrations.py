# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The calibrations that a camera sends beside its images, and which of them an image has.

No ROS here: a calibration is anything with the fields of a `sensor_msgs/CameraInfo`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from vos_ros.pinhole import image_size

HELD = 60
"""Calibrations that are kept: two seconds of a camera, which no mask is late by."""


class Calibrations:
    """The newest ones by their stamps; any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[int, Any] = OrderedDict()

    def push(self, stamp_ns: int, calibration: Any) -> None:
        """Take in the newest, with its stamp in nanoseconds; never changed."""
        with self._lock:
            self._held.pop(stamp_ns, None)  # so that it is the last
            self._held[stamp_ns] = calibration
            if len(self._held) > HELD:
                self._held.popitem(last=False)

    def of_image(self, stamp_ns: int, width: int, height: int) -> Any | None:
        """The calibration of an image, by the image's stamp in nanoseconds and size in pixels.

        It is the one with the same stamp; else, for drivers that give the two different ones, the
        newest for images of this size. None when there is none for this size.
        """
        with self._lock:
            same = self._held.get(stamp_ns)
            newest_first = list(reversed(self._held.values()))
        for calibration in newest_first if same is None else [same, *newest_first]:
            if image_size(calibration) == (width, height):
                return calibration
        return None

    @property
    def newest(self) -> Any | None:
        """The one that came last; None before any."""
        with self._lock:
            return next(reversed(self._held.values()), None)

    def clear(self) -> None:
        """Let go of all."""
        with self._lock:
            self._held.clear()


def camera_info_topic(image_topic: str) -> str:
    """Where a camera's calibration is by custom: beside its images, raw or compressed."""
    return f"{image_topic.removesuffix('/compressed').rpartition('/')[0]}/camera_info"
