# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""JPEG and PNG images in `sensor_msgs/CompressedImage`.

What the data is, the data says; the format string is asked only for what the data cannot tell.
It is either a plain "jpeg" or "png", or as image_transport writes it, "ENCODING; jpeg compressed
ORDER": ENCODING is what the camera sent, ORDER the order in which its channels were handed to the
encoder as if they were blue, green, red. So "rgb8; jpeg compressed bgr8" is an ordinary JPEG, and
"rgb8; jpeg compressed rgb8" one with red and blue exchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vos_ros.ros.encodings import ImageError, shorten
from vos_ros.ros.pixels import check_size
from vos_ros.ros.scaling import check_rgb, scale_to_8_bits

if TYPE_CHECKING:
    from sensor_msgs.msg import CompressedImage
    from std_msgs.msg import Header

_JPEG_START, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}

# The most a byte can unfold to. JPEG: a flat block of 64 pixels takes at least one bit for each
# component. Deflate: 258 bytes for two bits, a little over 1032 in all.
_JPEG_PIXELS_PER_BYTE = 512
_DEFLATE_RATIO = 1040

# The most chunks of a PNG: encoders write 8 kB or more into each but a few.
_MOST_CHUNKS = 50_000

# The most marks looked at for a JPEG's frame header; a colour profile may take 255 segments.
_MOST_MARKS = 4096

_TO_RGB = {
    1: (cv2.COLOR_GRAY2RGB, cv2.COLOR_GRAY2RGB),
    3: (cv2.COLOR_BGR2RGB, None),
    4: (cv2.COLOR_BGRA2RGB, cv2.COLOR_RGBA2RGB),
}
_QUALITY = {"jpeg": cv2.IMWRITE_JPEG_QUALITY, "png": cv2.IMWRITE_PNG_COMPRESSION}


def compressed_to_rgb(msg: CompressedImage) -> np.ndarray:
    """Decode a JPEG or PNG message to RGB.

    Grey becomes three equal channels, 16 bits are scaled to 8 as in raw images, transparency is
    dropped, and the camera's orientation tag is left alone: pixels stay where the camera info
    has them.

    Returns:
        H x W x 3 uint8, red first.

    Raises:
        ImageError: depth data, another format, a size the data cannot hold, or broken data.
    """
    data = bytes(msg.data)
    kind, _, _ = _check_file(data, msg.format)
    # The tag is never applied with this flag, and it keeps 16 bits, which are scaled exactly.
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        pixels = None
    channels = 0 if pixels is None else pixels.size // (pixels.shape[0] * pixels.shape[1])
    if pixels is None or channels not in _TO_RGB or pixels.dtype not in (np.uint8, np.uint16):
        raise ImageError(
            f"The compressed image's {len(data)} bytes begin like {kind} but cannot be decoded;"
            f" each message must hold one whole {kind} image of 8 bits a channel"
            f"{' (or 16)' if kind == 'PNG' else ''}."
        )
    code = _TO_RGB[channels]["compressed rgb" in msg.format.lower()]
    pixels = scale_to_8_bits(pixels)
    return pixels if code is None else cv2.cvtColor(pixels, code)


def compressed_size(msg: CompressedImage) -> tuple[int, int]:
    """Read width and height, in pixels, from the header of a JPEG or PNG message.

    This takes no decoding, so an image that is broken further inside passes.

    Raises:
        ImageError: depth data, another format, a size the data cannot hold, or data cut off.
    """
    _, width, height = _check_file(bytes(msg.data), msg.format)
    return width, height


def rgb_to_compressed(
    image: np.ndarray, header: Header, format: str = "jpeg", quality: int | None = None
) -> CompressedImage:
    """Compress an RGB image.

    Args:
        image: H x W x 3 uint8, red first.
        header: becomes the message's own, untouched.
        format: jpeg or png.
        quality: for jpeg 0..100 (95 if None), for png the effort 0..9 (1 if None).

    Returns:
        The message, its format written as image_transport writes that of a bgr8 image.

    Raises:
        ImageError: another array or format than that.
    """
    # Only here, so that images are read where there is no ROS.
    from sensor_msgs.msg import CompressedImage

    check_rgb(image)
    if format not in _QUALITY:
        raise ImageError(f"An image cannot be compressed as {shorten(format)}; give jpeg or png.")
    options = [] if quality is None else [_QUALITY[format], quality]
    done, data = cv2.imencode("." + format, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ImageError(f"An image of shape {image.shape} cannot be compressed as {format}.")
    msg = CompressedImage(header=header, format=f"bgr8; {format} compressed bgr8")
    msg.data.frombytes(data.reshape(-1).data)
    return msg


def _check_file(data: bytes, declared: str) -> tuple[str, int, int]:
    """Return JPEG or PNG, and width and height, once the data can be such an image as a whole."""
    if "compresseddepth" in declared.lower():
        raise ImageError(
            f"The compressed image's format is {shorten(declared)}: it holds depth, not a"
            " picture; subscribe to a colour or grey camera topic."
        )
    if data.startswith(_JPEG_START):
        kind, end, (width, height, most) = "JPEG", _JPEG_END, _read_jpeg_size(data)
    elif data.startswith(_PNG_START):
        kind, end, (width, height, most) = "PNG", _PNG_END, _read_png_size(data)
    else:
        raise ImageError(
            f"The compressed image (format {shorten(declared)}, {len(data)} bytes) is neither a"
            " JPEG nor a PNG image; send one of these."
        )
    check_size(width, height)
    if width * height > most:
        raise ImageError(
            f"The compressed image claims {width} x {height} pixels, more than its {len(data)}"
            f" bytes can hold as {kind}; send the image that was encoded."
        )
    # Older OpenCV (4.6 of Ubuntu 24.04) decodes the start of a JPEG and makes up the rest.
    if data.rfind(end) < 0:
        raise ImageError(
            f"The compressed image is cut off: its {len(data)} bytes of {kind} have no end mark;"
            " each message must hold the whole image."
        )
    return kind, width, height


def _read_png_size(data: bytes) -> tuple[int, int, int]:
    """Width, height and the most pixels the data can hold; PNG specification, section 11.2.1."""
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise ImageError("The compressed image is cut off: it is PNG without a header; send all.")
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    _check_png_chunks(data)
    bits = max(data[24], 1) * _PNG_CHANNELS.get(data[25], 1)
    return width, height, len(data) * _DEFLATE_RATIO * 8 // bits


def _check_png_chunks(data: bytes) -> None:
    """Refuse a chunk that claims more than there is: OpenCV asks for memory by what it claims."""
    place = len(_PNG_START)
    for _ in range(_MOST_CHUNKS):
        last = data[place + 4 : place + 8] == _PNG_END
        place += 12 + int.from_bytes(data[place : place + 4], "big")
        if place > len(data):
            raise ImageError(
                f"The compressed image is cut off: its {len(data)} bytes of PNG have no end mark;"
                " each message must hold the whole image."
            )
        if last:
            return
    raise ImageError(
        f"The compressed image's {len(data)} bytes of PNG are in more than {_MOST_CHUNKS} chunks;"
        " write it with larger ones."
    )


def _read_jpeg_size(data: bytes) -> tuple[int, int, int]:
    """Width, height and the most pixels the data can hold; ITU-T T.81, section B.2.2."""
    for marker, start in _jpeg_segments(data):
        # C4, C8 and CC lie among the frame headers but are none.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and start + 7 <= len(data):
            height = int.from_bytes(data[start + 3 : start + 5], "big")
            width = int.from_bytes(data[start + 5 : start + 7], "big")
            return width, height, len(data) * _JPEG_PIXELS_PER_BYTE
    raise ImageError(
        f"The compressed image's {len(data)} bytes begin like JPEG but have no frame header; each"
        " message must hold one whole JPEG image."
    )


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """The marker and the place of the length of each segment before the first scan."""
    place = 2
    for _ in range(_MOST_MARKS):
        if place + 4 > len(data) or data[place] != 0xFF:
            return
        marker = data[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
            continue
        if marker in (0xDA, 0xD9):
            return
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # those without a length
            place += 2
            continue
        yield marker, place + 2
        place += 2 + max(int.from_bytes(data[place + 2 : place + 4], "big"), 2)
