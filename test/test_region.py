# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where to look: sizes by hand, and what holds for any objects in any image."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vos_ros.region import Region, RegionSettings, region_around, region_settings

UNHURRIED = settings(deadline=None)
#: 480 high, 640 wide
CAMERA = (480, 640)
CLOSE = RegionSettings(margin=1.8, smallest=0.1)


def around(*boxes, camera=CAMERA, looking=CLOSE):
    return region_around(boxes, camera, looking)


@pytest.mark.parametrize(
    ("box", "region"),
    [
        # 1.8 of the height of a square; 4 : 3 of it wide, from the middle (350, 250).
        ((300, 200, 100, 100), Region(350 - 120, 250 - 90, 240, 180)),
        # The mean side is 60: 1.25 * 180 + 0.55 * 60 = 258 high, 344 wide.
        ((300, 100, 20, 180), Region(310 - 172, 190 - 129, 344, 258)),
        # 1.25 * 180 + 0.55 * 60 = 258 wide, 193.5 high, which is rounded up.
        ((200, 300, 180, 20), Region(290 - 129, 310 - 97, 258, 194)),
        # A corner each: the region ends where the image does.
        ((0, 0, 100, 100), Region(0, 0, 240, 180)),
        ((540, 380, 100, 100), Region(400, 300, 240, 180)),
        # A tiny one: a tenth of the image.
        ((320, 240, 2, 2), Region(321 - 32, 241 - 24, 64, 48)),
        # 1.8 * 200 = 360 and three quarters of 480.
        ((220, 140, 200, 200), Region(320 - 240, 240 - 180, 480, 360)),
        # 1.8 * 240 = 432 is nine tenths of 480; a little more is no closer look.
        ((200, 120, 240, 240), Region(320 - 288, 240 - 216, 576, 432)),
        ((200, 110, 250, 250), Region.whole(CAMERA)),
    ],
)
def test_known_boxes_have_known_regions(box, region):
    assert around(box) == region


def test_objects_far_apart_are_seen_together():
    """From (100, 150) to (300, 250): 1.25 * 200 + 0.55 * sqrt(20000) = 327.8 wide."""
    region = around((100, 150, 20, 20), (250, 200, 50, 50))
    assert region == around((100, 150, 200, 100))
    assert region.width == 328 and region.height == math.ceil(327.782 * 0.75)


@pytest.mark.parametrize("boxes", [(), ((0, 0, 0, 0),), ((9, 9, 5, 5), (0, 0, 0, 0))])
def test_what_has_to_be_searched_for_is_searched_for_everywhere(boxes):
    assert around(*boxes) == Region(0, 0, 640, 480)


def test_a_larger_margin_shows_more_and_the_whole_image_is_the_largest_region():
    box = (300, 200, 60, 40)
    sizes = [around(box, looking=RegionSettings(m, 0.01)).height for m in (1.25, 1.8, 3, 6)]
    assert sizes == sorted(set(sizes))
    assert around(box, looking=RegionSettings(smallest=1)) == Region.whole(CAMERA)
    assert around(box, looking=RegionSettings(margin=100)) == Region.whole(CAMERA)


@st.composite
def situations(draw):
    """An image of any shape, objects in it, and settings."""
    camera = draw(st.tuples(st.integers(1, 1500), st.integers(1, 3000)))
    boxes = []
    for _ in range(draw(st.integers(1, 3))):
        x, y = draw(st.integers(0, camera[1] - 1)), draw(st.integers(0, camera[0] - 1))
        width, height = draw(st.integers(1, camera[1] - x)), draw(st.integers(1, camera[0] - y))
        boxes.append((x, y, width, height))
    return boxes, camera, RegionSettings(draw(st.floats(1.25, 6)), draw(st.floats(0.001, 1)))


@UNHURRIED
@given(situations())
def test_a_region_is_inside_the_image_of_its_shape_and_around_the_objects(situation):
    boxes, camera, looking = situation
    region = region_around(boxes, camera, looking)
    assert all(isinstance(v, int) for v in (region.x, region.y, *region.size))
    assert 0 <= region.x <= region.x + region.width <= camera[1]
    assert 0 <= region.y <= region.y + region.height <= camera[0]
    for x, y, width, height in boxes:
        assert region.x <= x and x + width <= region.x + region.width
        assert region.y <= y and y + height <= region.y + region.height
    if region == Region.whole(camera):
        return
    # One share of both sides: each is less than a pixel more.
    most = [side / full for side, full in zip(region.size, camera, strict=True)]
    least = [(side - 1) / full for side, full in zip(region.size, camera, strict=True)]
    assert max(least) < min(most) + 1e-9
    assert min(most) >= looking.smallest - 1e-9
    # There is background above or below the objects and beside them, even those of one pixel.
    assert region.width > max(x + w for x, _, w, _ in boxes) - min(x for x, *_ in boxes)
    assert region.height > max(y + h for _, y, _, h in boxes) - min(y for _, y, *_ in boxes)


@UNHURRIED
@given(situations())
def test_the_middle_of_the_objects_is_that_of_the_region_unless_the_border_is_in_the_way(situation):
    boxes, camera, looking = situation
    region = region_around(boxes, camera, looking)
    for first, length, limit, starts, lengths in (
        (region.x, region.width, camera[1], [b[0] for b in boxes], [b[2] for b in boxes]),
        (region.y, region.height, camera[0], [b[1] for b in boxes], [b[3] for b in boxes]),
    ):
        ends = [start + extent for start, extent in zip(starts, lengths, strict=True)]
        off = first + length / 2 - (min(starts) + max(ends)) / 2
        assert abs(off) <= 0.5 or (first == 0 and off > 0) or (first + length == limit and off < 0)


def test_a_window_cuts_the_region_out_of_an_array():
    image = np.arange(12 * 20).reshape(12, 20)
    region = Region(x=3, y=5, width=6, height=4)
    np.testing.assert_array_equal(image[region.window], image[5:9, 3:9])
    assert region.size == (4, 6) and np.shares_memory(image[region.window], image)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"margin": 1.2}, "margin must be at least 1.25, not 1.2"),
        ({"margin": math.nan}, "not nan"),
        ({"margin": math.inf}, "not inf"),
        ({"smallest": 0.0}, "above 0 and at most 1, not 0.0"),
        ({"smallest": 1.01}, "not 1.01"),
        ({"smallest": math.nan}, "not nan"),
    ],
)
def test_settings_out_of_range_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        RegionSettings(**options)


def test_a_margin_of_nothing_is_no_region():
    assert region_settings(0, 0.3) is None
    assert region_settings(2, 0.3) == RegionSettings(margin=2, smallest=0.3)
    for margin, smallest in ((0, 2.0), (1, 0.3), (-1, 0.3)):
        with pytest.raises(ValueError):
            region_settings(margin, smallest)
