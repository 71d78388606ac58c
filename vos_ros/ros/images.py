# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image messages to arrays and back: H x W x 3 uint8 RGB for images, H x W integers for masks.

Arrays that come out may share their memory with the message (rgb8 images and masks do): they are
to be read, not written. Compressed images are in `compressed_images`, under the same names here.

Reading needs no ROS: a message is anything with the fields of one, as what comes out of a bag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from vos_ros.ros.bridge import bridge_is_used, convert_by_bridge
from vos_ros.ros.compressed_images import compressed_to_rgb, rgb_to_compressed
from vos_ros.ros.encodings import ENCODINGS, Encoding, ImageError, find_encoding, shorten
from vos_ros.ros.pixels import view_pixels
from vos_ros.ros.scaling import check_rgb, scale_to_8_bits

if TYPE_CHECKING:
    from sensor_msgs.msg import Image
    from std_msgs.msg import Header

__all__ = [
    "MASK_ENCODINGS",
    "ImageError",
    "bridge_is_used",
    "compressed_to_rgb",
    "image_to_rgb",
    "labels_to_message",
    "mask_to_labels",
    "rgb_to_compressed",
    "rgb_to_message",
]

MASK_ENCODINGS = ("mono8", "8UC1", "mono16", "16UC1")
"""The encodings of a label mask: one integer per pixel."""

_FROM_RGB = {"bgr8": cv2.COLOR_RGB2BGR, "rgb8": None}


def image_to_rgb(msg: Image) -> np.ndarray:
    """Turn an image message into RGB.

    By cv_bridge where that is installed and does it, by the same OpenCV functions otherwise; the
    bytes are the same. rgb8 needs neither and is a view of the message's data.

    Args:
        msg: an image in any of `ENCODINGS`. Padding, byte order and step are respected.

    Returns:
        H x W x 3 uint8, red first. May share memory with the message: not to be written to.

    Raises:
        ImageError: the encoding is unknown, or the message's size, step and data do not fit.
    """
    encoding = find_encoding(msg.encoding)
    pixels = view_pixels(msg, encoding)
    if encoding.code is None and encoding.itemsize == 1:
        return pixels
    rgb = convert_by_bridge(msg, encoding)
    return _convert(pixels, encoding) if rgb is None else rgb


def mask_to_labels(msg: Image) -> np.ndarray:
    """Turn a mask message into its labels, unscaled.

    Args:
        msg: a mask in one of `MASK_ENCODINGS`; 0 is background.

    Returns:
        H x W, uint8 or uint16 in the machine's byte order. Shares memory with the message unless
        bytes had to be swapped: not to be written to.

    Raises:
        ImageError: another encoding, or the message's size, step and data do not fit.
    """
    if msg.encoding not in MASK_ENCODINGS:
        raise ImageError(
            f"The mask's encoding is {shorten(msg.encoding)}; a mask holds one object id per pixel"
            f" and must be {', '.join(MASK_ENCODINGS[:-1])} or {MASK_ENCODINGS[-1]}."
        )
    return view_pixels(msg, ENCODINGS[msg.encoding], "mask")


def labels_to_message(labels: np.ndarray, header: Header) -> Image:
    """Make a mono8 message of labels.

    Args:
        labels: H x W, any integer type with values 0..255.
        header: becomes the message's own, untouched.

    Raises:
        ImageError: not a picture of integers, or a label that mono8 cannot hold.
    """
    if labels.ndim != 2 or labels.size == 0 or labels.dtype.kind not in "bui":
        raise ImageError(
            f"The labels are {labels.dtype} of shape {labels.shape}; they must be integers of"
            " shape (height, width)."
        )
    if labels.dtype != np.uint8:
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high > 255:
            raise ImageError(f"The labels go from {low} to {high}; mono8 holds 0 to 255.")
        labels = labels.astype(np.uint8)
    return _to_message(labels, header, "mono8")


def confidence_to_message(confidence: np.ndarray, header: Header) -> Image:
    """Make a 32FC1 message of H x W float32 values; the header becomes its own, untouched."""
    return _to_message(confidence, header, "32FC1")


def rgb_to_message(image: np.ndarray, header: Header, encoding: str = "bgr8") -> Image:
    """Make an image message of an RGB image.

    Args:
        image: H x W x 3 uint8, red first.
        header: becomes the message's own, untouched.
        encoding: bgr8 or rgb8.

    Raises:
        ImageError: another array than that, or another encoding.
    """
    check_rgb(image)
    if encoding not in _FROM_RGB:
        raise ImageError(
            f"An image cannot be sent as {shorten(encoding)}; it must be {' or '.join(_FROM_RGB)}."
        )
    code = _FROM_RGB[encoding]
    return _to_message(image if code is None else cv2.cvtColor(image, code), header, encoding)


def _convert(pixels: np.ndarray, encoding: Encoding) -> np.ndarray:
    # Scaling commutes with everything but the mixing of neighbours, and costs least done first.
    if not encoding.bayer:
        pixels = scale_to_8_bits(pixels)
    if encoding.code is not None:
        pixels = cv2.cvtColor(pixels, encoding.code)
    return scale_to_8_bits(pixels)


def _to_message(pixels: np.ndarray, header: Header, encoding: str) -> Image:
    from sensor_msgs.msg import Image

    height, width = pixels.shape[:2]
    msg = Image(header=header, height=height, width=width, encoding=encoding)
    msg.step = width * (pixels.shape[2] if pixels.ndim == 3 else 1) * pixels.itemsize
    # Assigning an array would visit every byte in Python; this is one copy.
    msg.data.frombytes(np.ascontiguousarray(pixels).reshape(-1).view(np.uint8).data)
    return msg
