# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the conversions of raw and of compressed images share."""

from __future__ import annotations

import cv2
import numpy as np

from vos_ros.ros.encodings import ImageError


def scale_to_8_bits(pixels: np.ndarray) -> np.ndarray:
    """Scale 0..65535 to 0..255 and round, as cv_bridge does; uint8 is returned as it is."""
    if pixels.dtype == np.uint8:
        return pixels
    return cv2.convertScaleAbs(pixels, alpha=255 / 65535)


def check_rgb(image: np.ndarray) -> None:
    """Refuse what is not an H x W x 3 uint8 image with at least one pixel.

    Raises:
        ImageError: it is not.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0 or image.dtype != np.uint8:
        raise ImageError(
            f"The image is {image.dtype} of shape {image.shape}; it must be uint8 of shape"
            " (height, width, 3), red first."
        )
