# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth images (REP 118) as metres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vos_ros.ros.encodings import Encoding, ImageError, shorten
from vos_ros.ros.pixels import view_pixels

if TYPE_CHECKING:
    from sensor_msgs.msg import Image

MILLIMETRE = 0.001
_ENCODINGS = {
    "16UC1": Encoding("16UC1", 1, itemsize=2),
    "mono16": Encoding("mono16", 1, itemsize=2),
    "32FC1": Encoding("32FC1", 1, itemsize=4),
}
"""Of depth images, by name."""


def depth_to_metres(message: Image, unit: float = MILLIMETRE) -> np.ndarray:
    """Read a depth image.

    Args:
        message: 16UC1 (or mono16) in units, 0 for what was not measured, or 32FC1 in metres.
        unit: metres in a unit of 16UC1; REP 118 has millimetres.

    Returns:
        H x W float32, in metres; NaN, infinity or 0 for what was not measured. May share memory
        with the message: not to be written to.

    Raises:
        ImageError: another encoding, or a message that does not hold a whole image.
    """
    encoding = _ENCODINGS.get(message.encoding)
    if encoding is None:
        raise ImageError(
            f"The depth image's encoding is {shorten(message.encoding)}; it must be 16UC1 (in"
            " millimetres) or 32FC1 (in metres). A camera's compressed depth is decompressed by"
            " `ros2 run image_transport republish compressedDepth raw`."
        )
    pixels = view_pixels(message, encoding, "depth image")
    return pixels if encoding.itemsize == 4 else pixels * np.float32(unit)
