# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image messages made by hand, byte by byte, and what they should become, pixel by pixel.

Nothing here uses the package or OpenCV, so it can be held against both.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from sensor_msgs.msg import Image
from std_msgs.msg import Header

# How long an example takes says something about the machine only.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Channels in the order they lie in the data; for grey the one value is all three colours.
ORDERS = {
    "rgb8": "rgb",
    "bgr8": "bgr",
    "rgba8": "rgba",
    "bgra8": "bgra",
    "mono8": "g",
    "8UC1": "g",
    "8UC3": "bgr",
    "8UC4": "bgra",
    "rgb16": "rgb",
    "bgr16": "bgr",
    "rgba16": "rgba",
    "bgra16": "bgra",
    "mono16": "g",
    "16UC1": "g",
}
FILTERS = ("rggb", "bggr", "gbrg", "grbg")
BAYER = tuple(f"bayer_{order}{bits}" for order in FILTERS for bits in (8, 16))
PACKED_YUV = {"yuv422": "uyvy", "uyvy": "uyvy", "yuv422_yuy2": "yuyv", "yuyv": "yuyv"}
PLANAR_YUV = {"nv12": "uv", "nv21": "vu"}
ALL_ENCODINGS = (*ORDERS, *BAYER, *PACKED_YUV, *PLANAR_YUV)


@dataclass(frozen=True)
class Layout:
    """Values per row and pixel, and the bytes of one value, of an encoding."""

    per_pixel: int
    itemsize: int


def layout_of(encoding: str) -> Layout:
    """Tell how an encoding lies in the data; of nv12 and nv21, how their first plane does."""
    itemsize = 2 if "16" in encoding else 1
    if encoding in ORDERS:
        return Layout(len(ORDERS[encoding]), itemsize)
    return Layout(2 if encoding in PACKED_YUV else 1, itemsize)


def make_message(
    encoding: str,
    rows: list[list[int]],
    *,
    width: int,
    height: int | None = None,
    padding: int = 0,
    big: bool = False,
) -> Image:
    """Write values into a message with struct; padding bytes are 0xEE so that they would show."""
    itemsize = layout_of(encoding).itemsize
    code = {1: "B", 2: "H"}[itemsize]
    order = ">" if big else "<"
    data = b"".join(
        struct.pack(f"{order}{len(row)}{code}", *row) + b"\xee" * padding for row in rows
    )
    msg = Image(header=Header(frame_id="camera"), encoding=encoding, is_bigendian=int(big))
    msg.width, msg.height = width, len(rows) if height is None else height
    msg.step = len(rows[0]) * itemsize + padding
    msg.data.frombytes(data)
    return msg


def to_8_bits(value: int, itemsize: int) -> int:
    """Scale by 255/65535 and round, exactly; a value halfway does not exist."""
    return value if itemsize == 1 else round(Fraction(value, 257))


def expected_rgb(encoding: str, rows: list[list[int]], width: int) -> np.ndarray:
    """Compute the H x W x 3 RGB image of an encoding in `ORDERS`, one pixel after another."""
    order, layout = ORDERS[encoding], layout_of(encoding)
    places = [0, 0, 0] if order == "g" else [order.index(colour) for colour in "rgb"]
    image = np.zeros((len(rows), width, 3), np.uint8)
    for y, row in enumerate(rows):
        for x in range(width):
            pixel = row[x * layout.per_pixel : (x + 1) * layout.per_pixel]
            image[y, x] = [to_8_bits(pixel[place], layout.itemsize) for place in places]
    return image


def yuv_pixel(y: int, u: int, v: int) -> np.ndarray:
    """Convert by ITU-R BT.601 with limited range, in real numbers; below 16 all is black."""
    luma, blue, red = 255 / 219 * max(y - 16, 0), u - 128, v - 128
    kr, kb = 0.299, 0.114
    scale = 255 / 112
    r = luma + (1 - kr) * scale * red
    b = luma + (1 - kb) * scale * blue
    g = luma - kr / (1 - kr - kb) * (1 - kr) * scale * red
    g -= kb / (1 - kr - kb) * (1 - kb) * scale * blue
    return np.clip([r, g, b], 0, 255)


@st.composite
def messages(draw: st.DrawFn, encodings: tuple[str, ...], most: int = 9) -> tuple[Image, list, int]:
    """A valid message with random size, padding, byte order and values: (message, rows, width)."""
    encoding = draw(st.sampled_from(encodings))
    layout = layout_of(encoding)
    even = encoding in PACKED_YUV or encoding in PLANAR_YUV
    side = st.integers(1, most).map(lambda n: 2 * n if even else n)
    width, height = draw(side), draw(side)
    lines = height * 3 // 2 if encoding in PLANAR_YUV else height
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.integers(0, 256**layout.itemsize, (lines, width * layout.per_pixel))
    rows = values.tolist()
    msg = make_message(
        encoding,
        rows,
        width=width,
        height=height,
        padding=draw(st.integers(0, 7)),
        big=draw(st.booleans()),
    )
    return msg, rows, width


@st.composite
def hostile_messages(draw: st.DrawFn, encodings: tuple[str, ...]) -> Image:
    """A message whose fields are true, nearly true or absurd, each on its own."""
    number = st.one_of(st.integers(0, 40), st.integers(0, 2**32 - 1))
    name = st.one_of(st.sampled_from(encodings), st.text(max_size=60))
    msg = Image(encoding=draw(name), is_bigendian=draw(st.integers(0, 255)))
    msg.width, msg.height, msg.step = draw(number), draw(number), draw(number)
    length = draw(st.one_of(st.integers(0, 600), st.just(msg.height * msg.step)))
    msg.data.frombytes(bytes(min(length, 4000)))
    return msg
