# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera's message on its way through the node: kept as it came, read only when needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from vos_ros.ros.encodings import find_encoding
from vos_ros.ros.images import ImageError
from vos_ros.ros.pixels import view_pixels
from vos_ros.ros.requests import nanoseconds

ImageMessage = Image | CompressedImage
ToRgb = Callable[[ImageMessage], np.ndarray]


@dataclass(frozen=True, eq=False)
class CameraFrame:
    """One image message.

    Attributes:
        message: as it came; never changed.
        serial: how many came before it since activation. Unlike stamps, it never goes back. -1
            for an image that came with a request and not from the camera.
    """

    message: ImageMessage
    serial: int = -1

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


def check_frame(message: ImageMessage) -> None:
    """Refuse a message that holds no image, without reading its pixels.

    What a compressed message holds shows only when it is decoded.

    Raises:
        ImageError: unknown encoding, no pixels, or data that does not fit the size.
    """
    if isinstance(message, Image):
        view_pixels(message, find_encoding(message.encoding))
    elif not len(message.data):
        raise ImageError("The compressed image is empty; it must be a JPEG or PNG image.")
