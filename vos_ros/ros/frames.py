# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera's message on its way through the node: kept as it came, read only when needed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from vos_ros.ros.compressed_images import compressed_size
from vos_ros.ros.encodings import find_encoding
from vos_ros.ros.images import compressed_to_rgb, image_to_rgb
from vos_ros.ros.pixels import view_pixels
from vos_ros.ros.requests import nanoseconds

ImageMessage: TypeAlias = Image | CompressedImage


@dataclass(frozen=True, eq=False)
class CameraFrame:
    """One image message.

    Attributes:
        message: as it came; never changed.
        serial: how many came before it since the node was configured, those not counted that were
            rejected as they came. Unlike stamps, it never goes back. -1 for an image that came
            with a request and not from the camera.
        arrived: when it was taken in, in seconds of `time.perf_counter`; NaN for an image that
            came with a request.
    """

    message: ImageMessage
    serial: int = -1
    arrived: float = math.nan

    @property
    def header(self) -> Header:
        """The header every result of this frame carries."""
        return self.message.header

    @property
    def stamp_ns(self) -> int:
        """The header's stamp in nanoseconds."""
        return nanoseconds(self.message.header.stamp)

    @property
    def nbytes(self) -> int:
        """Bytes of image data, which the buffer counts."""
        return len(self.message.data)


def to_rgb(message: ImageMessage) -> np.ndarray:
    """Read a message of either kind as an H x W x 3 uint8 RGB image, which may be a view of it.

    Raises:
        ImageError: the message holds no image that is understood.
    """
    return image_to_rgb(message) if isinstance(message, Image) else compressed_to_rgb(message)


def check_frame(message: ImageMessage) -> tuple[int, int]:
    """Refuse a message that holds no image, without reading its pixels.

    A compressed image is known by its header; what is broken further inside shows only when it
    is decoded.

    Returns:
        Width and height of the image, in pixels.

    Raises:
        ImageError: unknown encoding, no pixels, or data that does not fit the size.
    """
    if not isinstance(message, Image):
        return compressed_size(message)
    view_pixels(message, find_encoding(message.encoding))
    return message.width, message.height
