# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pixels of an image message as an array, without a copy where that is possible.

Everything a message claims is checked here against the data it carries, before anything is
allocated: an array can never reach past the data, nor be larger than it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vos_ros.ros.encodings import MAX_SIDE, Encoding, ImageError

if TYPE_CHECKING:
    from sensor_msgs.msg import Image


def view_pixels(msg: Image, encoding: Encoding, what: str = "image") -> np.ndarray:
    """View the message's pixels, padding at the end of rows left out.

    Args:
        msg: the image; its data is shared with the result, which must not be written to.
        encoding: the layout to read the data in, of the message's own encoding.
        what: what a refusal calls the message: image or mask.

    Returns:
        H x W (one channel) or H x W x C, uint8, uint16 or float32 in the machine's byte order; for
        a planar encoding H*3/2 x W. A view of the data unless values of several bytes must be
        swapped or moved.

    Raises:
        ImageError: size, step and length of the data do not fit one another or the encoding.
    """
    check_size(msg.width, msg.height, what)
    _check_even(msg, encoding, what)
    rows = msg.height * 3 // 2 if encoding.planar else msg.height
    step = _check_length(msg, encoding, rows, what)
    shape: tuple[int, ...] = (rows, msg.width)
    strides: tuple[int, ...] = (step, encoding.channels * encoding.itemsize)
    if encoding.channels > 1:
        shape, strides = (*shape, encoding.channels), (*strides, encoding.itemsize)
    if encoding.itemsize == 1:
        return np.ndarray(shape, np.uint8, msg.data, strides=strides)
    native = np.dtype(np.uint16 if encoding.itemsize == 2 else np.float32)
    order = native.newbyteorder(">" if msg.is_bigendian else "<")
    pixels = np.ndarray(shape, order, msg.data, strides=strides).astype(native, copy=False)
    # An odd step puts every other row on odd addresses, which OpenCV and PyTorch do not take.
    return pixels if pixels.flags.aligned else pixels.copy()


def check_size(width: int, height: int, what: str = "image") -> None:
    """Refuse an image (or `what` it is called) without pixels or of an absurd size, in pixels.

    Raises:
        ImageError: a side is 0 or above `MAX_SIDE`.
    """
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ImageError(
            f"The {what} is {width} x {height} pixels (width x height); each must be 1 to"
            f" {MAX_SIDE}."
        )


def _check_even(msg: Image, encoding: Encoding, what: str) -> None:
    if encoding.even_width and msg.width % 2:
        raise ImageError(
            f"The {what} is {msg.width} pixels wide, but in {encoding.name} two neighbouring pixels"
            " share their colour; the width must be even."
        )
    if encoding.planar and msg.height % 2:
        raise ImageError(
            f"The {what} is {msg.height} pixels high, but in {encoding.name} two rows share their"
            " colour; the height must be even."
        )


def _check_length(msg: Image, encoding: Encoding, rows: int, what: str) -> int:
    """Return the bytes from one row to the next, once the data is known to hold all rows."""
    row_bytes = msg.width * encoding.channels * encoding.itemsize
    if msg.step < row_bytes:
        raise ImageError(
            f"The {what}'s step is {msg.step} bytes, but a row of {msg.width} pixels takes"
            f" {row_bytes} bytes in {encoding.name}; step must be at least that."
        )
    held = len(msg.data)
    if (
        encoding.planar
        and held == rows * row_bytes
        and 2 * msg.step in (3 * row_bytes, 4 * row_bytes)
    ):
        # Nothing is padded. Drivers disagree about what step is then: the bytes of a row of the
        # first plane, or, as here, the bytes of a row of all planes, or of two samples a pixel.
        return row_bytes
    if held < rows * msg.step:
        raise ImageError(
            f"The {what} carries {held} bytes, but {rows} rows of {msg.step} bytes"
            f"{' (two planes)' if encoding.planar else ''} make {rows * msg.step}; the data must"
            f" hold the whole {what}."
        )
    return msg.step
