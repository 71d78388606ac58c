# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Masks made of strokes, against scenes of which the truth is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scene import Scene
from scenes import iou

from vos_ros import cutout
from vos_ros.cutout import Cutout, cut_box
from vos_ros.strokes import Box, Polygon, Scribble, Stroke

LEAST = 0.9


def jaccard(mask: np.ndarray, truth: np.ndarray) -> float:
    assert mask.dtype == np.uint8
    assert mask.max() <= 1
    return iou(mask > 0, truth > 0)


def box_of(truth: np.ndarray, margin: float = 0.0) -> Box:
    x, y, width, height = cv2.boundingRect(truth)
    across, down = margin * width, margin * height
    return Box(x - across, y - down, width + 2 * across, height + 2 * down)


def cross_in(truth: np.ndarray, reach: float = 0.25) -> Scribble:
    """Two lines across the middle of the thing."""
    x, y, width, height = cv2.boundingRect(truth)
    cx, cy, rx, ry = x + width / 2, y + height / 2, reach * width, reach * height
    return Scribble(((cx - rx, cy), (cx + rx, cy), (cx, cy - ry), (cx, cy + ry)), 6)


@pytest.mark.parametrize("margin", [0.0, 0.1])
@pytest.mark.parametrize("size, seed", [((320, 240), 1), ((320, 240), 2), ((800, 600), 7)])
def test_a_box_gives_what_is_in_it(size: tuple[int, int], seed: int, margin: float) -> None:
    scene = Scene(*size, seed)
    image, truth = scene.frame(9), scene.truth(9)
    assert jaccard(cut_box(image, box_of(truth, margin)), truth) >= LEAST


@pytest.mark.parametrize("seed", [1, 7])
def test_a_scribble_gives_what_it_lies_on(seed: int) -> None:
    scene = Scene(seed=seed)
    image, truth = scene.frame(9), scene.truth(9)
    assert jaccard(Cutout(image).mask([cross_in(truth)]), truth) >= LEAST


def test_a_polygon_is_taken_as_it_is() -> None:
    scene = Scene()
    truth = scene.truth(3)
    outline, _ = cv2.findContours(truth, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    corners = tuple((float(x) + 0.5, float(y) + 0.5) for x, y in outline[0][:, 0])
    nothing_to_see = np.full((scene.height, scene.width, 3), 128, np.uint8)
    assert jaccard(Cutout(nothing_to_see).mask([Polygon(corners)]), truth) >= 0.98


class TwoThings:
    """A red and a blue disc on grey noise."""

    def __init__(self) -> None:
        random = np.random.default_rng(3)
        self.image = random.integers(100, 130, (120, 200, 3), dtype=np.uint8)
        self.red, self.blue = (
            self._disc((50, 60), (220, 40, 30)),
            self._disc((140, 55), (20, 60, 230)),
        )

    def _disc(self, centre: tuple[int, int], colour: tuple[int, int, int]) -> np.ndarray:
        disc = np.zeros(self.image.shape[:2], np.uint8)
        cv2.circle(disc, centre, 28, 1, -1)
        self.image[disc > 0] = colour
        return disc


@pytest.fixture(scope="module")
def two() -> TwoThings:
    return TwoThings()


def test_another_box_adds(two: TwoThings) -> None:
    strokes = [box_of(two.red, 0.1), box_of(two.blue, 0.1)]
    assert jaccard(Cutout(two.image).mask(strokes), two.red | two.blue) >= LEAST


def test_a_scribble_adds_what_a_box_left_out(two: TwoThings) -> None:
    strokes: list[Stroke] = [box_of(two.red, 0.1), cross_in(two.blue)]
    assert jaccard(Cutout(two.image).mask(strokes), two.red | two.blue) >= LEAST


def test_a_scribble_removes_the_piece_it_lies_on_and_leaves_the_other(two: TwoThings) -> None:
    around_both = Box(15, 20, 160, 75)
    mask = Cutout(two.image).mask([around_both])
    assert jaccard(mask, two.red | two.blue) >= LEAST
    away = cross_in(two.blue)
    mask = Cutout(two.image).mask([around_both, Scribble(away.points, away.width, add=False)])
    assert jaccard(mask, two.red) >= LEAST


def test_boxes_and_polygons_remove(two: TwoThings) -> None:
    around_both = Box(15, 20, 160, 75)
    x, y, width, height = cv2.boundingRect(two.blue)
    corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
    for stroke in (Box(x, y, width, height, add=False), Polygon(corners, add=False)):
        assert jaccard(Cutout(two.image).mask([around_both, stroke]), two.red) >= LEAST


def test_what_was_said_for_certain_stays(two: TwoThings) -> None:
    """A bite is taken out; a scribble elsewhere must not fill it again."""
    x, y, width, height = cv2.boundingRect(two.red)
    bite = Polygon(
        ((x, y), (x + width / 2, y), (x + width / 2, y + height), (x, y + height)), False
    )
    mask = Cutout(two.image).mask([box_of(two.red, 0.1), bite, cross_in(two.blue)])
    assert not (mask & bite.area(mask.shape)).any()
    assert jaccard(mask, two.blue | (two.red & ~bite.area(mask.shape) & 1)) >= LEAST


def test_every_pixel_of_a_scribble_is_meant(two: TwoThings) -> None:
    line = Scribble(((20, 10), (180, 110)), 5)
    assert Cutout(two.image).mask([line])[line.area((120, 200)) > 0].all()
    both = [Box(15, 20, 160, 75), Scribble(line.points, 5, add=False)]
    assert not Cutout(two.image).mask(both)[line.area((120, 200)) > 0].any()


def test_the_same_strokes_make_the_same_mask_whatever_came_between(two: TwoThings) -> None:
    strokes = [box_of(two.red), cross_in(two.blue), Box(0, 0, 40, 120, add=False)]
    fresh = [Cutout(two.image).mask(strokes[:count]) for count in range(4)]
    one = Cutout(two.image)
    for count in (1, 3, 2, 0, 3):
        np.testing.assert_array_equal(one.mask(strokes[:count]), fresh[count])
    np.testing.assert_array_equal(one.mask(strokes[1:]), Cutout(two.image).mask(strokes[1:]))


def test_another_stroke_costs_no_more_than_itself(
    two: TwoThings, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied: list[Stroke] = []
    real = cutout._apply
    monkeypatch.setattr(
        cutout,
        "_apply",
        lambda image, state, stroke: applied.append(stroke) or real(image, state, stroke),
    )
    strokes = [box_of(two.red), box_of(two.blue), Box(0, 0, 40, 120, add=False)]
    one = Cutout(two.image)
    for count in (1, 2, 3, 2, 1):
        one.mask(strokes[:count])
    assert applied == strokes


def test_the_image_is_not_changed(two: TwoThings) -> None:
    before = two.image.copy()
    Cutout(two.image).mask([box_of(two.red), cross_in(two.blue)])
    np.testing.assert_array_equal(two.image, before)


def test_a_box_around_everything_still_finds_something() -> None:
    scene = Scene()
    whole = Box(0, 0, scene.width, scene.height)
    assert jaccard(cut_box(scene.frame(9), whole), scene.truth(9)) >= LEAST


def test_where_nothing_stands_out_nothing_breaks() -> None:
    flat = np.full((40, 60, 3), 77, np.uint8)
    for stroke in (Box(5, 5, 20, 20), Box(0, 0, 60, 40), Scribble(((9, 9), (30, 9)), 3)):
        assert Cutout(flat).mask([stroke]).shape == (40, 60)
    one = np.zeros((1, 1, 3), np.uint8)
    for stroke in (Box(0, 0, 1, 1), Scribble(((0.5, 0.5),), 3), Polygon(((0, 0), (1, 0), (1, 1)))):
        assert Cutout(one).mask([stroke]).shape == (1, 1)


def test_strokes_beside_the_image_change_nothing(two: TwoThings) -> None:
    outside = [
        Box(500, 500, 10, 10),
        Scribble(((-50, -50),), 3),
        Polygon(((-9, -9), (-8, -9), (-8, -7))),
    ]
    assert not Cutout(two.image).mask(outside).any()
    assert jaccard(Cutout(two.image).mask([*outside, box_of(two.red, 0.1)]), two.red) >= LEAST
