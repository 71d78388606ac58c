# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The encodings of `sensor_msgs/Image` that are understood, each with its layout and meaning.

The names are those of sensor_msgs/image_encodings.hpp, with `nv12` added, which drivers send
although that file lacks it. Where cv_bridge gives an encoding a meaning, it is the one here:

- 16-bit values are scaled to 8 bits by 255/65535 and rounded.
- `bayer_rggb8` says that the first row begins red, green; OpenCV names the same pattern after the
  second pixel of the second row, so its code is `BayerBG`. And so on for the other three.
- `yuv422` is UYVY and `yuv422_yuy2` is YUYV; their newer names `uyvy` and `yuyv` are taken too.

cv_bridge refuses to turn the bare types (`8UC3`, ...) into colours, for they do not say what the
channels are. A camera node that sends one has got it from OpenCV, as cv_bridge's own `passthrough`
does, so here they mean what OpenCV holds: `8UC1` grey, `8UC3` BGR, `8UC4` BGRA, `16UC1` grey.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2

MAX_SIDE = 16384
"""The widest and the highest image that is taken, in pixels."""


class ImageError(ValueError):
    """An image message that cannot be used; its text says what is wrong and what would be right."""


@dataclass(frozen=True)
class Encoding:
    """How the pixels of one encoding lie in the data, and how they become RGB.

    Attributes:
        name: as in `Image.encoding`.
        channels: values per pixel; of the first plane where there are two planes (`planar`).
        itemsize: bytes per value: 1, 2, or 4 for a fraction.
        code: OpenCV's conversion to RGB; None where the channels are red, green and blue already.
        bayer: one value per pixel behind a colour filter: neighbours must be mixed at full depth.
        planar: a plane of brightness followed by one of colour at half the size (4:2:0).
        even_width: two neighbouring pixels share their colour.
        bridged: cv_bridge converts this encoding to rgb8.
    """

    name: str
    channels: int
    itemsize: int = 1
    code: int | None = None
    bayer: bool = False
    planar: bool = False
    even_width: bool = False
    bridged: bool = True


def find_encoding(name: str) -> Encoding:
    """Look an encoding up by its name.

    Raises:
        ImageError: the name is not known.
    """
    encoding = ENCODINGS.get(name)
    if encoding is None:
        raise ImageError(
            f"The image's encoding is {shorten(name)}, which is not known here; it must be one"
            f" of {', '.join(ENCODINGS)}."
        )
    return encoding


def shorten(text: str, length: int = 40) -> str:
    """Quote a text that came from elsewhere for a message, cut to `length` characters."""
    return repr(text if len(text) <= length else text[:length] + "...")


def _make_table() -> dict[str, Encoding]:
    colour = {
        "rgb": (3, None),
        "bgr": (3, cv2.COLOR_BGR2RGB),
        "rgba": (4, cv2.COLOR_RGBA2RGB),
        "bgra": (4, cv2.COLOR_BGRA2RGB),
        "mono": (1, cv2.COLOR_GRAY2RGB),
    }
    bayer = {
        "bayer_rggb": cv2.COLOR_BayerBG2RGB,
        "bayer_bggr": cv2.COLOR_BayerRG2RGB,
        "bayer_gbrg": cv2.COLOR_BayerGR2RGB,
        "bayer_grbg": cv2.COLOR_BayerGB2RGB,
    }
    table: list[Encoding] = []
    for bits, itemsize in ((8, 1), (16, 2)):
        table += [Encoding(f"{n}{bits}", c, itemsize, code) for n, (c, code) in colour.items()]
        table += [Encoding(f"{n}{bits}", 1, itemsize, c, bayer=True) for n, c in bayer.items()]
    table += [
        Encoding("8UC1", 1, 1, cv2.COLOR_GRAY2RGB, bridged=False),
        Encoding("8UC3", 3, 1, cv2.COLOR_BGR2RGB, bridged=False),
        Encoding("8UC4", 4, 1, cv2.COLOR_BGRA2RGB, bridged=False),
        Encoding("16UC1", 1, 2, cv2.COLOR_GRAY2RGB, bridged=False),
    ]
    uyvy, yuyv = cv2.COLOR_YUV2RGB_UYVY, cv2.COLOR_YUV2RGB_YUY2
    for name, code, bridged in (
        ("yuv422", uyvy, True),
        ("uyvy", uyvy, False),
        ("yuv422_yuy2", yuyv, True),
        ("yuyv", yuyv, False),
    ):
        table.append(Encoding(name, 2, code=code, even_width=True, bridged=bridged))
    for name, code in (("nv12", cv2.COLOR_YUV2RGB_NV12), ("nv21", cv2.COLOR_YUV2RGB_NV21)):
        table.append(Encoding(name, 1, code=code, planar=True, even_width=True, bridged=False))
    return {encoding.name: encoding for encoding in table}


ENCODINGS: dict[str, Encoding] = _make_table()
"""Every encoding that is understood, by name."""
