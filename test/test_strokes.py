# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is drawn covers the pixels it should, counted one by one."""

from __future__ import annotations

import numpy as np
import pytest

from vos_ros.strokes import Box, Polygon, Scribble, StrokeError

SIZE = (12, 20)
ROWS, COLUMNS = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
"""The centres of the pixels."""


@pytest.mark.parametrize(
    "box",
    [(3, 2, 5, 4), (2.5, 1.5, 1, 1), (2.6, 1.6, 1.2, 3.9), (-5, -5, 8, 8), (15, 6, 1e9, 1e9)],
)
def test_a_box_has_the_pixels_whose_centre_is_inside(box: tuple[float, ...]) -> None:
    x, y, width, height = box
    inside = (COLUMNS >= x) & (COLUMNS < x + width) & (ROWS >= y) & (ROWS < y + height)
    assert inside.any()
    np.testing.assert_array_equal(Box(*box).area(SIZE), inside)


def test_a_box_beside_the_image_has_none() -> None:
    assert not Box(20, 0, 5, 5).area(SIZE).any()
    assert not Box(-5, 0, 5, 5).area(SIZE).any()


def test_a_polygon_has_what_its_corners_go_around() -> None:
    area = Polygon(((2, 1), (18, 1), (18, 11), (2, 11))).area(SIZE)
    assert area[2:10, 3:17].all()
    outside = (COLUMNS < 1) | (COLUMNS > 19) | (ROWS < 0.9) | (ROWS > 11.6)
    assert not area[outside].any()
    triangle = Polygon(((0, 0), (20, 0), (0, 12))).area(SIZE)
    below = ROWS / 12 + COLUMNS / 20 < 0.95
    assert triangle[below].all()
    assert not triangle[ROWS / 12 + COLUMNS / 20 > 1.1].any()


def test_a_scribble_is_as_wide_as_it_says() -> None:
    area = Scribble(((2, 6), (18, 6)), 4).area((12, 20))
    assert 4 <= area[:, 10].sum() <= 5
    assert area[6, 2:18].all()
    assert not area[[0, 1, 2, 10, 11]].any()


def test_a_dot_is_a_scribble() -> None:
    area = Scribble(((10, 6),), 6).area(SIZE)
    distance = np.hypot(COLUMNS - 10, ROWS - 6)
    assert area[distance < 2].all()
    assert not area[distance > 4.5].any()


def test_what_lies_far_outside_does_no_harm() -> None:
    assert not Scribble(((-1e300, 1e300), (-1e300, 1e299)), 3).area(SIZE).any()
    assert Polygon(((-1e12, -1e12), (1e12, -1e12), (0, 1e12))).area(SIZE).any()


WRONG = {
    "a box without width": lambda: Box(1, 1, 0, 5),
    "a box turned inside out": lambda: Box(1, 1, 5, -5),
    "a box nowhere": lambda: Box(float("nan"), 1, 5, 5),
    "an endless box": lambda: Box(0, 1, float("inf"), 5),
    "a scribble without points": lambda: Scribble((), 5),
    "a scribble without width": lambda: Scribble(((1, 1),), 0),
    "a scribble to nowhere": lambda: Scribble(((1, float("inf")),), 5),
    "a polygon of two corners": lambda: Polygon(((1, 1), (2, 2))),
    "a polygon around nowhere": lambda: Polygon(((1, 1), (2, 2), (float("nan"), 3))),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_drawn_is_refused_in_words(what: str) -> None:
    with pytest.raises(StrokeError, match=r"^[A-Z].*\.$"):
        WRONG[what]()
