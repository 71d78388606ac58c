# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Raw images and masks, against messages and pixels made by hand."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_messages import (
    ALL_ENCODINGS,
    BAYER,
    ORDERS,
    PACKED_YUV,
    PLANAR_YUV,
    UNHURRIED,
    expected_rgb,
    hostile_messages,
    make_message,
    messages,
    yuv_pixel,
)
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from vos_ros.ros.encodings import ENCODINGS, MAX_SIDE
from vos_ros.ros.images import (
    MASK_ENCODINGS,
    ImageError,
    image_to_rgb,
    labels_to_message,
    mask_to_labels,
    rgb_to_message,
)

HEADER = Header(frame_id="camera")
HEADER.stamp.sec, HEADER.stamp.nanosec = 12, 345


def test_every_encoding_is_tried_here():
    assert set(ALL_ENCODINGS) == set(ENCODINGS)


# --- images, right ones


@UNHURRIED
@given(messages(tuple(ORDERS)))
def test_channels_padding_and_byte_order(case):
    msg, rows, width = case
    np.testing.assert_array_equal(image_to_rgb(msg), expected_rgb(msg.encoding, rows, width))


def test_every_16_bit_value_is_scaled_and_rounded():
    rows = [list(range(line * 256, line * 256 + 256)) for line in range(256)]
    msg = make_message("mono16", rows, width=256)
    np.testing.assert_array_equal(image_to_rgb(msg), expected_rgb("mono16", rows, 256))


@UNHURRIED
@given(messages((*PACKED_YUV, *PLANAR_YUV)))
def test_yuv_follows_bt601(case):
    msg, rows, width = case
    expected = np.zeros((msg.height, width, 3))
    for y in range(msg.height):
        for x in range(width):
            expected[y, x] = yuv_pixel(*_yuv_values(msg.encoding, rows, msg.height, x, y))
    # OpenCV computes in integers.
    assert np.abs(image_to_rgb(msg) - expected).max() < 2


def _yuv_values(encoding: str, rows: list, height: int, x: int, y: int) -> tuple[int, int, int]:
    if encoding in PACKED_YUV:
        order = PACKED_YUV[encoding]
        pair = rows[y][x // 2 * 4 : x // 2 * 4 + 4]
        lumas = [value for value, letter in zip(pair, order, strict=True) if letter == "y"]
        return lumas[x % 2], pair[order.index("u")], pair[order.index("v")]
    order = PLANAR_YUV[encoding]
    pair = rows[height + y // 2][x // 2 * 2 : x // 2 * 2 + 2]
    return rows[y][x], pair[order.index("u")], pair[order.index("v")]


@pytest.mark.parametrize("encoding", PLANAR_YUV)
@pytest.mark.parametrize("step", [8, 12, 16])
def test_unpadded_planes_are_read_whatever_the_step_counts(encoding, step):
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 256, (9, 8)).tolist()
    msg = make_message(encoding, rows, width=8, height=6)
    expected = image_to_rgb(msg)
    msg.step = step
    np.testing.assert_array_equal(image_to_rgb(msg), expected)


@pytest.mark.parametrize("encoding", BAYER)
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding", [0, 3])
def test_bayer_gives_back_the_colours_behind_the_filter(encoding, big, padding):
    most = 256 if encoding.endswith("8") else 65536
    colour = {"r": most * 3 // 4, "g": most // 3, "b": most // 7}
    letters = encoding.removeprefix("bayer_")
    rows = [[colour[letters[y % 2 * 2 + x % 2]] for x in range(9)] for y in range(7)]
    msg = make_message(encoding, rows, width=9, padding=padding, big=big)
    scale = 1 if most == 256 else 257
    expected = [round(colour[letter] / scale) for letter in "rgb"]
    # A plain colour stays that colour wherever it is mixed from its neighbours, so also at the rim.
    assert np.unique(image_to_rgb(msg).reshape(-1, 3), axis=0).tolist() == [expected]


@UNHURRIED
@given(messages(BAYER))
def test_bayer_is_what_opencv_makes_of_the_pattern(case):
    msg, rows, _ = case
    code = {
        "rggb": cv2.COLOR_BayerRGGB2RGB,
        "bggr": cv2.COLOR_BayerBGGR2RGB,
        "gbrg": cv2.COLOR_BayerGBRG2RGB,
        "grbg": cv2.COLOR_BayerGRBG2RGB,
    }[msg.encoding[6:10]]
    wide = msg.encoding.endswith("16")
    mixed = cv2.cvtColor(np.array(rows, np.uint16 if wide else np.uint8), code)
    expected = np.rint(mixed / 257).astype(np.uint8) if wide else mixed
    np.testing.assert_array_equal(image_to_rgb(msg), expected)


@pytest.mark.parametrize("padding", [0, 5])
def test_rgb8_is_a_view(padding):
    msg = make_message("rgb8", [[10] * 12, [20] * 12], width=4, padding=padding)
    image = image_to_rgb(msg)
    msg.data[12 + padding + 2] = 99
    assert image[1, 0].tolist() == [20, 20, 99]


# --- images, wrong ones


def _image(encoding: str = "bgr8", width: int = 4, height: int = 3) -> Image:
    msg = Image(encoding=encoding, width=width, height=height)
    spec = ENCODINGS[encoding]
    msg.step = width * spec.channels * spec.itemsize
    msg.data.frombytes(bytes(msg.step * (height * 3 // 2 if spec.planar else height)))
    return msg


def _refusal(msg: Image, read=image_to_rgb) -> str:
    with pytest.raises(ImageError) as caught:
        read(msg)
    return str(caught.value)


@pytest.mark.parametrize("name", ["", "32FC1", "bgr", "BGR8", "jpeg", "16SC1", "x" * 5000])
def test_an_unknown_encoding_is_refused_with_the_known_ones(name):
    msg = _image()
    msg.encoding = name
    text = _refusal(msg)
    assert repr(name[:40])[:-1] in text
    assert all(known in text for known in ENCODINGS)
    assert len(text) < 600


@pytest.mark.parametrize(
    "width, height", [(0, 3), (4, 0), (0, 0), (MAX_SIDE + 1, 1), (2**32 - 1, 1)]
)
def test_a_size_of_nothing_or_beyond_reason_is_refused(width, height):
    msg = _image()
    msg.width, msg.height = width, height
    text = _refusal(msg)
    assert f"{width} x {height} pixels" in text
    assert str(MAX_SIDE) in text


def test_a_step_shorter_than_a_row_is_refused():
    msg = _image()
    msg.step = 11
    text = _refusal(msg)
    assert "step is 11 bytes" in text
    assert "takes 12 bytes" in text


def test_data_shorter_than_the_rows_is_refused():
    msg = _image()
    msg.data.pop()
    text = _refusal(msg)
    assert "carries 35 bytes" in text
    assert "3 rows of 12 bytes" in text
    assert "36" in text


def test_data_shorter_than_both_planes_is_refused():
    msg = _image("nv12", 4, 4)
    del msg.data[16:]
    assert "6 rows of 4 bytes (two planes) make 24" in _refusal(msg)


def test_data_longer_than_the_rows_is_taken():
    msg = _image()
    msg.data.frombytes(b"more")
    assert image_to_rgb(msg).shape == (3, 4, 3)


@pytest.mark.parametrize("encoding", [*PACKED_YUV, *PLANAR_YUV])
def test_an_odd_width_is_refused_where_pixels_share_colour(encoding):
    assert "width must be even" in _refusal(_image(encoding, 5, 4))


@pytest.mark.parametrize("encoding", PLANAR_YUV)
def test_an_odd_height_is_refused_where_rows_share_colour(encoding):
    assert "height must be even" in _refusal(_image(encoding, 4, 5))


@pytest.mark.fuzz
@settings(UNHURRIED, max_examples=400)
@given(hostile_messages(ALL_ENCODINGS))
def test_no_message_does_worse_than_being_refused(msg):
    try:
        image = image_to_rgb(msg)
    except ImageError as error:
        assert str(error).endswith(".")
    else:
        assert image.shape == (msg.height, msg.width, 3)
        assert image.dtype == np.uint8


@pytest.mark.parametrize("encoding", ALL_ENCODINGS)
def test_a_refusal_allocates_nothing_of_the_claimed_size(encoding):
    msg = _image(encoding)
    msg.width = msg.height = MAX_SIDE
    msg.step = MAX_SIDE * 8
    tracemalloc.start()
    _refusal(msg)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


# --- masks


@UNHURRIED
@given(messages(MASK_ENCODINGS))
def test_labels_are_the_values(case):
    msg, rows, _ = case
    labels = mask_to_labels(msg)
    assert labels.tolist() == rows
    assert labels.dtype == (np.uint16 if "16" in msg.encoding else np.uint8)
    assert labels.dtype.isnative and labels.flags.aligned


@pytest.mark.parametrize("encoding, padding", [("mono8", 0), ("8UC1", 3), ("16UC1", 2)])
def test_labels_are_a_view_where_nothing_is_swapped(encoding, padding):
    msg = make_message(encoding, [[1, 2, 3], [4, 5, 6]], width=3, padding=padding)
    assert np.shares_memory(mask_to_labels(msg), np.frombuffer(msg.data, np.uint8))


@pytest.mark.parametrize("encoding", sorted(set(ALL_ENCODINGS) - set(MASK_ENCODINGS)) + ["32SC1"])
def test_a_mask_in_another_encoding_is_refused_with_the_right_ones(encoding):
    msg = _image()
    msg.encoding = encoding
    text = _refusal(msg, mask_to_labels)
    assert encoding in text
    assert all(right in text for right in MASK_ENCODINGS)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"width": 0}, "The mask is 0 x 3 pixels"),
        ({"step": 1}, "The mask's step is 1 bytes"),
        ({"data": b"12345"}, "The mask carries 5 bytes, but 3 rows of 4 bytes make 12; the data"),
    ],
)
def test_a_mask_is_called_so_where_it_is_refused(changes, words):
    msg = _image("mono8")
    for name, value in changes.items():
        setattr(msg, name, value)
    text = _refusal(msg, mask_to_labels)
    assert text.startswith(words)
    assert "image" not in text
    assert _refusal(msg).startswith(words.replace("mask", "image"))


@pytest.mark.fuzz
@UNHURRIED
@given(hostile_messages(MASK_ENCODINGS))
def test_no_mask_does_worse_than_being_refused(msg):
    try:
        labels = mask_to_labels(msg)
    except ImageError:
        return
    assert labels.shape == (msg.height, msg.width)


# --- arrays to messages


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.int32, np.int64])
def test_labels_become_mono8_under_the_same_header(dtype):
    labels = np.array([[0, 1, 1], [1, 0, 0]], dtype)
    msg = labels_to_message(labels, HEADER)
    assert msg.header is HEADER
    assert (msg.width, msg.height, msg.step) == (3, 2, 3)
    assert (msg.encoding, msg.is_bigendian) == ("mono8", 0)
    assert msg.data.tolist() == [0, 1, 1, 1, 0, 0]


@pytest.mark.parametrize(
    "labels, words",
    [
        (np.array([[0, 256]]), "0 to 256"),
        (np.array([[-1, 3]]), "-1 to 3"),
        (np.zeros((2, 2), np.float32), "float32"),
        (np.zeros((2, 2, 1), np.uint8), "(2, 2, 1)"),
        (np.zeros((0, 2), np.uint8), "(0, 2)"),
    ],
)
def test_labels_that_mono8_cannot_hold_are_refused(labels, words):
    with pytest.raises(ImageError) as caught:
        labels_to_message(labels, HEADER)
    assert words in str(caught.value)


@UNHURRIED
@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from(["bgr8", "rgb8"]), st.booleans())
def test_an_image_survives_the_way_there_and_back(height, width, encoding, turned):
    rng = np.random.default_rng(height * 10 + width)
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    if turned:
        image = image.transpose(1, 0, 2)[::-1]
    msg = rgb_to_message(image, HEADER, encoding)
    assert msg.header is HEADER
    first = image[0, 0] if encoding == "rgb8" else image[0, 0, ::-1]
    assert msg.data[:3].tolist() == first.tolist()
    assert (msg.height, msg.width) == image.shape[:2]
    assert (msg.step, len(msg.data)) == (image.shape[1] * 3, image.size)
    np.testing.assert_array_equal(image_to_rgb(msg), image)


@UNHURRIED
@given(st.integers(1, 9), st.integers(1, 9))
def test_labels_survive_the_way_there_and_back(height, width):
    labels = np.random.default_rng(height).integers(0, 256, (height, width))
    np.testing.assert_array_equal(mask_to_labels(labels_to_message(labels, HEADER)), labels)


@pytest.mark.parametrize(
    "shape, dtype", [((4, 4), np.uint8), ((4, 4, 4), np.uint8), ((4, 4, 3), float)]
)
def test_what_is_no_rgb_image_is_refused(shape, dtype):
    with pytest.raises(ImageError, match="uint8 of shape"):
        rgb_to_message(np.zeros(shape, dtype), HEADER)


def test_an_image_is_not_sent_in_an_encoding_it_does_not_have():
    with pytest.raises(ImageError, match="bgr8 or rgb8"):
        rgb_to_message(np.zeros((4, 4, 3), np.uint8), HEADER, "nv12")
