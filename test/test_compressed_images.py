# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""JPEG and PNG messages, whole and broken."""

from __future__ import annotations

import resource
import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_messages import UNHURRIED
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from vos_ros.ros.compressed_images import compressed_size
from vos_ros.ros.images import ImageError, compressed_to_rgb, rgb_to_compressed

HEADER = Header(frame_id="camera")


def _picture(height: int = 48, width: int = 64) -> np.ndarray:
    """A smooth RGB picture whose channels differ, so that JPEG changes it little."""
    y, x = np.mgrid[0:height, 0:width]
    red, green = 255 * x / width, 255 * y / height
    return np.stack([red, green, np.full_like(red, 40)], axis=-1).astype(np.uint8)


def _message(data: bytes, format: str) -> CompressedImage:
    msg = CompressedImage(header=HEADER, format=format)
    msg.data.frombytes(data)
    return msg


def _encode(kind: str, pixels: np.ndarray, *options: int) -> bytes:
    return cv2.imencode("." + kind, pixels, options)[1].tobytes()


def _png(pixels: np.ndarray, depth: int, colour: int) -> bytes:
    """Write PNG by hand: one IHDR, one IDAT without filters, one IEND."""

    def chunk(name: bytes, body: bytes) -> bytes:
        check = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", check)

    height, width = pixels.shape[:2]
    values = pixels.astype(">u2" if depth == 16 else np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def _refusal(msg: CompressedImage) -> str:
    with pytest.raises(ImageError) as caught:
        compressed_to_rgb(msg)
    text = str(caught.value)
    assert text.endswith(".")
    return text


@pytest.mark.parametrize(
    "format",
    ["jpeg", "jpg", "", "JPEG", "rgb8; jpeg compressed bgr8", "bgr8; jpeg compressed bgr8"],
)
def test_an_ordinary_jpeg_is_red_first_whatever_the_camera_sent(format):
    image = _picture()
    decoded = compressed_to_rgb(_message(_encode("jpg", image[..., ::-1]), format))
    assert decoded.dtype == np.uint8
    assert np.abs(decoded.astype(int) - image).max() < 12


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_a_picture_handed_to_the_encoder_as_rgb_is_turned_back(kind):
    image = _picture()
    name = "jpeg" if kind == "jpg" else "png"
    msg = _message(_encode(kind, image), f"rgb8; {name} compressed rgb8")
    assert np.abs(compressed_to_rgb(msg).astype(int) - image).max() < 12


def test_png_written_by_hand_is_exact():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (5, 7, 3), np.uint8)
    msg = _message(_png(image, 8, 2), "bgr8; png compressed bgr8")
    np.testing.assert_array_equal(compressed_to_rgb(msg), image)


def test_transparency_is_dropped():
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 4), np.uint8)
    msg = _message(_png(image, 8, 6), "png")
    np.testing.assert_array_equal(compressed_to_rgb(msg), image[..., :3])


@pytest.mark.parametrize("depth", [8, 16])
def test_grey_png_becomes_three_equal_channels_of_8_bits(depth):
    values = np.random.default_rng(0).integers(0, 2**depth, (5, 7))
    expected = np.rint(values / 257) if depth == 16 else values
    decoded = compressed_to_rgb(_message(_png(values, depth, 0), "mono16; png compressed "))
    np.testing.assert_array_equal(decoded, np.repeat(expected[..., None], 3, axis=-1))


def test_16_bit_colour_png_is_scaled():
    values = np.random.default_rng(0).integers(0, 65536, (5, 7, 3))
    decoded = compressed_to_rgb(_message(_png(values, 16, 2), "png"))
    np.testing.assert_array_equal(decoded, np.rint(values / 257))


def test_grey_jpeg_becomes_three_equal_channels():
    data = _encode("jpg", _picture()[..., 0])
    decoded = compressed_to_rgb(_message(data, "mono8; jpeg compressed "))
    assert decoded.shape == (48, 64, 3)
    assert (decoded == decoded[..., :1]).all()


def test_the_orientation_tag_moves_no_pixel():
    plain = _encode("jpg", _picture(48, 64)[..., ::-1])
    # One EXIF entry: tag 0x112 (orientation), type 3 (short), count 1, value 6 (turn by 90).
    exif = b"Exif\0\0MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x112, 3, 1, 6, 0, 0)
    tagged = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]
    assert cv2.imdecode(np.frombuffer(tagged, np.uint8), cv2.IMREAD_COLOR).shape == (64, 48, 3)
    turned = compressed_to_rgb(_message(tagged, "jpeg"))
    np.testing.assert_array_equal(turned, compressed_to_rgb(_message(plain, "jpeg")))


@pytest.mark.parametrize("progressive", [0, 1])
@pytest.mark.parametrize("shape", [(1080, 1920, 3), (2048, 2048)])
def test_the_emptiest_pictures_are_not_taken_for_lies(shape, progressive):
    black = np.zeros(shape, np.uint8)
    options = (cv2.IMWRITE_JPEG_PROGRESSIVE, progressive, cv2.IMWRITE_JPEG_OPTIMIZE, 1)
    jpeg = _encode("jpg", black, *options)
    png = _encode("png", black, cv2.IMWRITE_PNG_COMPRESSION, 9)
    for data in (jpeg, png):
        assert not compressed_to_rgb(_message(data, "jpeg")).any()


def test_data_after_the_end_mark_is_ignored():
    data = _encode("jpg", _picture())
    padded = compressed_to_rgb(_message(data + bytes(100), "jpeg"))
    np.testing.assert_array_equal(padded, compressed_to_rgb(_message(data, "jpeg")))


# --- broken ones


@pytest.mark.parametrize(
    "format", ["16UC1; compressedDepth png", "32FC1; compressedDepth", "16UC1;compresseddepth rvl"]
)
def test_depth_is_refused(format):
    text = _refusal(_message(bytes(12) + _encode("png", _picture()), format))
    assert "depth" in text and "colour" in text and repr(format) in text


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"GIF89a", b"II*\0" + bytes(40), bytes(100)])
def test_what_is_neither_jpeg_nor_png_is_refused(data):
    text = _refusal(_message(data, "tiff"))
    assert "JPEG" in text and "PNG" in text and "'tiff'" in text and f"{len(data)} bytes" in text


@pytest.mark.parametrize("kind, start", [("jpg", 3), ("png", 8)])
def test_data_cut_off_anywhere_is_refused(kind, start):
    data = _encode(kind, _picture(16, 16))
    end = data.rindex(b"IEND") + 4 if kind == "png" else len(data)
    # Older OpenCV decodes such a JPEG and makes up the rest, so it must not come to that.
    sentences = {_refusal(_message(data[:length], kind)) for length in range(start, end)}
    assert all("whole" in text or "cut off" in text for text in sentences)
    assert any("no end mark" in text for text in sentences)


def test_a_jpeg_with_an_end_mark_but_broken_inside_is_refused():
    data = _encode("jpg", _picture())
    assert "cannot be decoded" in _refusal(_message(data[:300] + b"\xff\xd9", "jpeg"))


def _with_jpeg_size(data: bytes, width: int, height: int) -> bytes:
    place = data.index(b"\xff\xc0") + 5
    return data[:place] + struct.pack(">HH", height, width) + data[place + 4 :]


def _with_png_size(data: bytes, width: int, height: int) -> bytes:
    head = data[12:16] + struct.pack(">II", width, height) + data[24:29]
    return data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:]


@pytest.mark.parametrize("kind, resize", [("jpg", _with_jpeg_size), ("png", _with_png_size)])
@pytest.mark.parametrize("width, height", [(16000, 16000), (65535, 65535), (0, 16), (16, 0)])
def test_a_size_the_data_cannot_hold_is_refused_before_anything_is_allocated(
    kind, resize, width, height
):
    msg = _message(resize(_encode(kind, _picture(16, 16)), width, height), kind)
    tracemalloc.start()
    assert f"{width} x {height}" in _refusal(msg)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("chunk", [b"IDAT", b"IEND"])
@pytest.mark.parametrize("claimed", [2**31 - 1, 3539992859, 2**32 - 1])
def test_a_chunk_that_claims_gigabytes_costs_none(claimed, chunk):
    """The decoder would ask for as much memory as it claims."""
    data = bytearray(_encode("png", _picture(16, 24)))
    place = data.index(chunk) - 4
    data[place : place + 4] = claimed.to_bytes(4, "big")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "cut off" in _refusal(_message(bytes(data), "png"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_a_png_of_endless_chunks_is_not_gone_through():
    data = _encode("png", _picture())
    place = data.index(b"IDAT") - 4
    empty = b"\x00\x00\x00\x00tEXt\x00\x00\x00\x00"
    assert "chunks" in _refusal(_message(data[:place] + empty * 100_000 + data[place:], "png"))


@pytest.mark.fuzz
@settings(UNHURRIED, max_examples=300)
@given(st.sampled_from(["jpg", "png"]), st.data())
def test_no_data_does_worse_than_being_refused(kind, draw):
    data = bytearray(_encode(kind, _picture(16, 24)))
    for _ in range(draw.draw(st.integers(1, 6))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    try:
        image = compressed_to_rgb(_message(bytes(data), "jpeg"))
    except ImageError:
        return
    assert image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8


@pytest.mark.fuzz
@settings(UNHURRIED, max_examples=300)
@given(st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b""]), st.binary(max_size=200))
def test_no_made_up_data_does_worse_than_being_refused(start, rest):
    try:
        compressed_to_rgb(_message(start + rest, "jpeg"))
    except ImageError:
        pass


def test_the_header_tells_the_size_without_decoding():
    for kind in ("jpg", "png"):
        data = _encode(kind, _picture(30, 20))
        assert compressed_size(_message(data, kind)) == (20, 30)
    with pytest.raises(ImageError, match="no end mark"):
        compressed_size(_message(data[:100], "png"))
    with pytest.raises(ImageError, match="depth"):
        compressed_size(_message(data, "16UC1; compressedDepth png"))


def test_a_jpeg_header_is_not_searched_for_through_endless_marks():
    data = _encode("jpg", _picture())
    marks = b"\xff\x01"
    assert compressed_size(_message(data[:2] + marks * 1000 + data[2:], "jpeg")) == (64, 48)
    endless = _message(data[:2] + marks * 1_000_000 + data[2:], "jpeg")
    assert "no frame header" in _refusal(endless)


# --- arrays to messages


@pytest.mark.parametrize("format, most", [("jpeg", 12), ("png", 0)])
def test_an_image_survives_the_way_there_and_back(format, most):
    image = _picture()
    msg = rgb_to_compressed(image, HEADER, format)
    assert msg.header is HEADER
    assert msg.format == f"bgr8; {format} compressed bgr8"
    assert np.abs(compressed_to_rgb(msg).astype(int) - image).max() <= most


def test_less_quality_takes_less_data():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    sizes = [len(rgb_to_compressed(image, HEADER, quality=quality).data) for quality in (20, 90)]
    assert sizes[0] < sizes[1] / 2


def test_another_format_or_array_is_refused():
    with pytest.raises(ImageError, match="jpeg or png"):
        rgb_to_compressed(_picture(), HEADER, "tiff")
    with pytest.raises(ImageError, match="uint8 of shape"):
        rgb_to_compressed(_picture()[..., 0], HEADER)
