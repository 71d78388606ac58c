# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From pixels to rays, beside OpenCV's way from points to pixels."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vos_ros.pinhole import CalibrationError, Pinhole, image_size

K = [500.0, 0, 330.0, 0, 510.0, 230.0, 0, 0, 1]
PLUMB_BOB = (-0.25, 0.08, 0.001, -0.0005, 0.01)
RATIONAL = (0.6, -2.5, 0.0004, -0.0002, 1.5, 0.5, -2.3, 1.4)
FISHEYE = (-0.02, 0.006, -0.003, 0.0005)


def info(**changes: Any) -> SimpleNamespace:
    """A calibration with the fields of a CameraInfo, as `k` has it."""
    region = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0, do_rectify=False)
    fields: dict[str, Any] = {
        "width": 640, "height": 480, "k": K, "d": [], "distortion_model": "plumb_bob",
        "p": [0.0] * 12, "binning_x": 0, "binning_y": 0, "roi": region,
    }  # fmt: skip
    return SimpleNamespace(**{**fields, **changes})


def region(left: int, top: int, width: int, height: int) -> SimpleNamespace:
    return SimpleNamespace(x_offset=left, y_offset=top, width=width, height=height)


def seen_at(point: np.ndarray, model: str, distortion: tuple[float, ...]) -> np.ndarray:
    """The pixel at which OpenCV sees a point."""
    matrix, still = np.array(K).reshape(3, 3), np.zeros(3)
    project = cv2.fisheye.projectPoints if model == "equidistant" else cv2.projectPoints
    if model == "equidistant":
        found = project(point.reshape(1, 1, 3), still, still, matrix, np.array(distortion))
    else:
        found = project(point.reshape(1, 1, 3), still, still, matrix, np.array(distortion))
    return found[0].ravel()


@given(
    st.floats(-0.6, 0.6), st.floats(-0.45, 0.45), st.floats(0.1, 20.0),
    st.sampled_from([
        ("plumb_bob", (0.0,) * 5), ("plumb_bob", PLUMB_BOB), ("plumb_bob", PLUMB_BOB[:4]),
        ("rational_polynomial", RATIONAL), ("equidistant", FISHEYE),
    ]),
)  # fmt: skip
def test_a_point_is_found_again_from_the_pixel_it_is_seen_at(x, y, z, lens) -> None:
    model, distortion = lens
    column, row = seen_at(np.array([x * z, y * z, z]), model, distortion)
    camera = Pinhole.read(info(d=list(distortion), distortion_model=model))
    np.testing.assert_allclose(
        camera.point(column, row, z), [x * z, y * z, z], rtol=0, atol=1e-6 * z
    )


def test_the_pixel_on_the_axis_is_straight_ahead() -> None:
    assert Pinhole.read(info()).point(330.0, 230.0, 2.5) == (0.0, 0.0, 2.5)


def test_a_rectified_image_has_the_projection_matrix_and_no_distortion() -> None:
    p = [400.0, 0, 300, 0, 0, 420.0, 200, 0, 0, 0, 1, 0]
    calibration = info(p=p, d=list(PLUMB_BOB))
    camera = Pinhole.read(calibration, rectified=True)
    assert camera.point(340.0, 242.0, 2.0) == pytest.approx((0.2, 0.2, 2.0))
    assert camera.model == ""
    assert Pinhole.read(calibration).fx == 500.0
    # Many drivers send no projection matrix.
    assert Pinhole.read(info(d=list(PLUMB_BOB)), rectified=True).fx == 500.0


def test_binning_and_region_of_interest_lead_to_the_same_rays() -> None:
    whole = Pinhole.read(info())
    part = Pinhole.read(info(roi=region(100, 40, 320, 240), binning_x=2, binning_y=4))
    assert (part.width, part.height) == (160, 60)
    column, row = 420.0, 300.0
    expected = whole.point(column, row, 1.0)
    assert part.point((column - 100) / 2, (row - 40) / 4, 1.0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({}, (640, 480)),
        ({"binning_x": 2, "binning_y": 2}, (320, 240)),
        ({"binning_x": 1}, (640, 480)),
        ({"roi": region(8, 8, 100, 50)}, (100, 50)),
        ({"roi": region(8, 8, 100, 50), "binning_y": 2}, (100, 25)),
    ],
)
def test_the_size_is_that_of_the_images(changes: dict[str, Any], size: tuple[int, int]) -> None:
    assert image_size(info(**changes)) == size


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"k": [0.0] * 9}, "not calibrated: .+ 0 and 0, and must be above 0"),
        ({"k": [float("nan"), *K[1:]]}, "not calibrated"),
        ({"k": [-500.0, *K[1:]]}, "not calibrated"),
        ({"d": [0.1], "distortion_model": "kannala"}, "'kannala'; known here are plumb_bob, "),
        ({"d": [0.1, 0.2, 0.3]}, "plumb_bob has 4 or 5 coefficients, .+ has 3"),
        ({"d": [0.1, 0.2, 0.3, float("inf")]}, "all of them finite"),
    ],
)
def test_what_cannot_be_used_is_told(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(CalibrationError, match=words):
        Pinhole.read(info(**changes))


def test_an_unknown_distortion_does_not_matter_where_it_was_undone() -> None:
    calibration = info(d=[0.1], distortion_model="kannala")
    assert Pinhole.read(calibration, rectified=True).point(330.0, 230.0, 1.0) == (0.0, 0.0, 1.0)
    assert Pinhole.read(info(d=[0.0], distortion_model="kannala")).model == ""
