# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which calibration an image has."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from vos_ros.calibrations import HELD, Calibrations, camera_info_topic

NONE = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)


def calibration(name: str, width: int = 640, height: int = 480) -> SimpleNamespace:
    return SimpleNamespace(
        name=name, width=width, height=height, binning_x=0, binning_y=0, roi=NONE
    )


def test_an_image_has_the_calibration_with_its_stamp() -> None:
    known = Calibrations()
    for stamp in (1, 2, 3):
        known.push(stamp, calibration(f"of {stamp}"))
    assert known.of_image(2, 640, 480).name == "of 2"
    assert known.newest.name == "of 3"


def test_without_its_stamp_it_has_the_newest_of_its_size() -> None:
    known = Calibrations()
    known.push(1, calibration("small", 320, 240))
    known.push(5, calibration("large"))
    known.push(3, calibration("large, later"))  # stamps may go back
    known.push(9, calibration("small, later", 320, 240))
    assert known.of_image(7, 640, 480).name == "large, later"
    assert known.of_image(7, 320, 240).name == "small, later"


def test_one_of_another_size_is_not_its_own_even_with_its_stamp() -> None:
    known = Calibrations()
    known.push(7, calibration("small", 320, 240))
    assert known.of_image(7, 640, 480) is None
    known.push(6, calibration("large"))
    assert known.of_image(7, 640, 480).name == "large"


def test_there_is_none_before_one_came_and_after_all_were_let_go() -> None:
    known = Calibrations()
    assert known.newest is None and known.of_image(1, 640, 480) is None
    known.push(1, calibration("one"))
    known.clear()
    assert known.newest is None and known.of_image(1, 640, 480) is None


def test_the_oldest_are_let_go() -> None:
    known = Calibrations()
    for stamp in range(HELD + 1):
        known.push(stamp, calibration(f"of {stamp}"))
    assert known.of_image(1, 640, 480).name == "of 1"
    assert known.of_image(0, 640, 480).name == f"of {HELD}"


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        ("/camera/image_raw", "/camera/camera_info"),
        ("/camera/color/image_rect/compressed", "/camera/color/camera_info"),
        ("/image", "/camera_info"),
        ("/image/compressed", "/camera_info"),
        ("/compressed", "/camera_info"),
    ],
)
def test_it_is_beside_the_images(images: str, expected: str) -> None:
    assert camera_info_topic(images) == expected
