# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The middle of an object, of shapes whose middle is known."""

from __future__ import annotations

import numpy as np
import pytest

from vos_ros.centroid import DepthError, find_centroid
from vos_ros.pinhole import Pinhole

WIDTH, HEIGHT = 320, 240
CAMERA = Pinhole(WIDTH, HEIGHT, fx=300.0, fy=300.0, cx=159.5, cy=119.5)
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH].astype(float)
RAY_X, RAY_Y = (COLUMNS - CAMERA.cx) / CAMERA.fx, (ROWS - CAMERA.cy) / CAMERA.fy
WALL = 5.0


def ball(x: float, y: float, z: float, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Mask and depth of a ball in front of a wall, by the nearer root of its quadratic equation."""
    a = RAY_X**2 + RAY_Y**2 + 1
    b = RAY_X * x + RAY_Y * y + z
    inside = b**2 - a * (x**2 + y**2 + z**2 - radius**2)
    hit = inside > 0
    depth = np.where(hit, (b - np.sqrt(np.maximum(inside, 0))) / a, WALL)
    return hit.astype(np.uint8) * 4, depth.astype(np.float32)


def board(z: float, left: int, right: int, top: int, bottom: int) -> tuple[np.ndarray, np.ndarray]:
    """A board that faces the camera, in front of a wall; its edges in pixels."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[top:bottom, left:right] = 4
    return labels, np.where(labels > 0, z, WALL).astype(np.float32)


def test_a_ball_on_the_axis_is_at_the_depth_that_halves_its_disc() -> None:
    z, radius = 2.0, 0.4
    found = find_centroid(*_with_id(ball(0, 0, z, radius)), CAMERA)
    # Half of a disc's pixels lie within 1/sqrt(2) of its radius, which the ball's outline has at
    # the tangent R / sqrt(Z^2 - R^2).
    squared = 0.5 * radius**2 / (z**2 - radius**2)
    expected = (z - np.sqrt(z**2 - (1 + squared) * (z**2 - radius**2))) / (1 + squared)
    assert found.point == pytest.approx((0, 0, expected), abs=2e-3)
    assert z - radius < found.point[2] < z


def _with_id(scene: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, int, np.ndarray]:
    labels, depth = scene
    return labels, 4, depth


@pytest.mark.parametrize("centre", [(0.4, -0.2, 2.5), (-0.7, 0.5, 3.0), (0.1, 0.3, 1.2)])
def test_a_ball_anywhere_is_found_within_its_radius_in_its_direction(centre) -> None:
    radius = 0.25
    found = np.array(find_centroid(*_with_id(ball(*centre, radius)), CAMERA).point)
    assert np.linalg.norm(found - centre) < radius
    # Off the axis a ball's outline is an ellipse, whose middle lies a little further out.
    cosine = found @ centre / np.linalg.norm(found) / np.linalg.norm(centre)
    assert np.degrees(np.arccos(min(1.0, cosine))) < 1.0


def test_a_board_that_faces_the_camera_is_found_exactly() -> None:
    scene = board(1.5, 200, 260, 30, 90)
    found = find_centroid(*_with_id(scene), CAMERA)
    column, row = (200 + 259) / 2, (30 + 89) / 2
    expected = (1.5 * (column - 159.5) / 300, 1.5 * (row - 119.5) / 300, 1.5)
    assert found.point == pytest.approx(expected, rel=1e-6)
    assert (found.pixels, found.measured) == (3600, 3600)


def test_what_was_not_measured_does_not_count() -> None:
    labels, depth = board(1.5, 100, 140, 100, 140)
    for place, nothing in enumerate((np.nan, np.inf, 0.0, -1.0)):
        depth[100 + 5 * place : 105 + 5 * place] = nothing
    found = find_centroid(labels, 4, depth, CAMERA)
    assert found.point[2] == pytest.approx(1.5)
    assert (found.pixels, found.measured) == (1600, 800)
    # Direction is the mask's, whole as it is.
    assert found.point[1] == pytest.approx(1.5 * (119.5 - 119.5) / 300)


def test_the_median_stands_although_two_fifths_are_the_wall() -> None:
    labels, depth = board(1.5, 100, 200, 100, 140)
    depth[100:140, 100:140] = WALL
    assert find_centroid(labels, 4, depth, CAMERA).point[2] == pytest.approx(1.5)


def test_leaving_out_the_edge_leaves_out_what_is_mixed_there() -> None:
    labels, depth = board(1.5, 100, 108, 100, 108)
    depth[100:108, 100:108] = WALL
    depth[102:106, 102:106] = 1.5  # 16 of 64 pixels
    assert find_centroid(labels, 4, depth, CAMERA).point[2] == pytest.approx(WALL)
    found = find_centroid(labels, 4, depth, CAMERA, erode=2)
    assert (found.pixels, found.measured) == (16, 16)
    assert found.point[2] == pytest.approx(1.5)


def test_an_object_that_would_vanish_with_its_edge_is_taken_whole() -> None:
    labels, depth = board(1.5, 100, 103, 100, 103)
    assert find_centroid(labels, 4, depth, CAMERA, erode=3).pixels == 9


def test_the_images_edge_is_no_edge_of_the_object() -> None:
    labels, depth = board(1.5, 0, 10, 0, 10)
    assert find_centroid(labels, 4, depth, CAMERA, erode=1).pixels == 81


def test_what_is_not_there_or_not_measured_has_no_middle() -> None:
    labels, depth = board(1.5, 100, 110, 100, 110)
    assert find_centroid(labels, 5, depth, CAMERA) is None
    assert find_centroid(labels, 4, np.full_like(depth, np.nan), CAMERA) is None
    assert find_centroid(labels, 4, depth, CAMERA, fewest=100) is not None
    assert find_centroid(labels, 4, depth, CAMERA, fewest=101) is None


def test_sizes_that_differ_are_told() -> None:
    labels, depth = board(1.5, 100, 110, 100, 110)
    with pytest.raises(DepthError, match="depth image is 160 x 120 pixels and the mask 320 x 240"):
        find_centroid(labels, 4, depth[::2, ::2], CAMERA)
    other = Pinhole(640, 480, 300.0, 300.0, 320.0, 240.0)
    with pytest.raises(DepthError, match="camera_info is of images of 640 x 480 pixels"):
        find_centroid(labels, 4, depth, other)
