# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is looked at when an image comes in must hold when its pixels are read, much later."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from image_messages import (
    ALL_ENCODINGS,
    PLANAR_YUV,
    UNHURRIED,
    hostile_messages,
    messages,
)
from sensor_msgs.msg import Image

from vos_ros.ros.frames import check_frame, to_rgb
from vos_ros.ros.images import ImageError

pytestmark = pytest.mark.fuzz
MOST = 4_000_000
"""Bytes that a message of some hundred may cost at most."""

numbers = st.integers(0, 2**32 - 1)
near = st.integers(-3, 3)


@st.composite
def nearly_right(draw: st.DrawFn) -> Image:
    """A right message with up to three things changed, most of them by little."""
    message = draw(messages(ALL_ENCODINGS))[0]
    for what in draw(st.lists(st.sampled_from(CHANGES), max_size=3)):
        what(draw, message)
    return message


def _cut(draw: st.DrawFn, message: Image) -> None:
    message.data = bytes(message.data[: draw(st.integers(0, len(message.data)))])


def _lengthened(draw: st.DrawFn, message: Image) -> None:
    message.data = bytes(message.data) + draw(st.binary(max_size=40))


def _resized(draw: st.DrawFn, message: Image) -> None:
    side = draw(st.sampled_from(["width", "height", "step"]))
    value = draw(st.one_of(near.map(lambda by: getattr(message, side) + by), numbers))
    setattr(message, side, max(value, 0))


def _renamed(draw: st.DrawFn, message: Image) -> None:
    message.encoding = draw(st.one_of(st.sampled_from(ALL_ENCODINGS), st.text(max_size=10)))


def _turned(draw: st.DrawFn, message: Image) -> None:
    message.is_bigendian = draw(st.integers(0, 255))


CHANGES = (_cut, _lengthened, _resized, _renamed, _turned)


@settings(UNHURRIED, max_examples=400)
@given(st.one_of(nearly_right(), hostile_messages(ALL_ENCODINGS)))
def test_what_is_taken_in_can_be_read_and_what_is_not_cannot(message):
    size = None
    tracemalloc.start()
    try:
        size = check_frame(message)
        image = to_rgb(message)
    except ImageError as error:
        assert size is None, f"taken in, and then: {error}"
        with pytest.raises(ImageError):
            to_rgb(message)
    else:
        assert size == (message.width, message.height)
        assert image.shape == (message.height, message.width, 3)
        assert image.dtype == np.uint8
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST


@settings(UNHURRIED, max_examples=200)
@given(messages(ALL_ENCODINGS), st.binary(max_size=64))
def test_bytes_behind_the_image_mean_nothing(case, behind):
    message = case[0]
    before = to_rgb(message).copy()
    message.data = bytes(message.data) + behind
    np.testing.assert_array_equal(to_rgb(message), before)


@settings(UNHURRIED, max_examples=200)
@given(messages(ALL_ENCODINGS), st.data())
def test_an_image_that_lacks_a_byte_is_refused(case, data):
    """The last row's padding may be needed or not; a byte of a pixel always is."""
    message, rows, _ = case
    padding = message.step * len(rows) - len(message.data)
    assert padding == 0  # rows come with their padding here
    last = len(message.data) - (message.step - used(message, rows))
    message.data = bytes(message.data[: data.draw(st.integers(0, last - 1))])
    # A step of both planes with as much data as both have without padding: so some drivers mean it.
    width = len(rows[0])
    both = message.encoding in PLANAR_YUV and message.step in (width * 3 // 2, width * 2)
    assume(not (both and len(message.data) == width * len(rows)))
    with pytest.raises(ImageError, match="must hold the whole image"):
        to_rgb(message)


def used(message: Image, rows: list) -> int:
    """Bytes of a row that belong to pixels."""
    return len(rows[0]) * (2 if "16" in message.encoding else 1)
