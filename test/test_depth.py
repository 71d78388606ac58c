# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth images of both kinds, as cameras send them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sensor_msgs", reason="ROS 2 is not installed")
from sensor_msgs.msg import Image  # noqa: E402

from vos_ros.ros.depth import depth_to_metres  # noqa: E402
from vos_ros.ros.images import ImageError  # noqa: E402

METRES = np.array([[0.5, 1.25, 0.0], [2.0, 65.535, 3.001]])


def message(encoding: str, dtype: str, values: np.ndarray, padding: int = 0) -> Image:
    pixels = np.ascontiguousarray(values.astype(dtype))
    rows = pixels.view(np.uint8).reshape(len(values), -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=0xAB)
    height, width = values.shape
    made = Image(height=height, width=width, encoding=encoding, step=rows.shape[1])
    made.is_bigendian = int(dtype.startswith(">"))
    made.data.frombytes(rows.tobytes())
    return made


@pytest.mark.parametrize("padding", [0, 1, 6])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_kinds_come_out_in_metres(order: str, padding: int) -> None:
    whole = message("16UC1", f"{order}u2", np.rint(1000 * METRES), padding)
    fraction = message("32FC1", f"{order}f4", METRES, padding)
    for found in (depth_to_metres(whole), depth_to_metres(fraction)):
        assert found.dtype == np.float32 and found.dtype.isnative and found.flags.aligned
        np.testing.assert_allclose(found, METRES, rtol=1e-6)


def test_what_was_not_measured_stays_so() -> None:
    found = depth_to_metres(message("32FC1", "<f4", np.array([[np.nan, np.inf, 1.0]])))
    np.testing.assert_array_equal(found, np.array([[np.nan, np.inf, 1.0]], np.float32))


def test_another_unit_may_be_given() -> None:
    found = depth_to_metres(message("mono16", "<u2", np.array([[4000]])), unit=0.00025)
    np.testing.assert_allclose(found, [[1.0]])


def test_what_is_no_depth_image_is_told() -> None:
    with pytest.raises(ImageError, match="encoding is 'rgb8'; it must be 16UC1 .+ or 32FC1"):
        depth_to_metres(Image(encoding="rgb8"))
    short = message("32FC1", "<f4", METRES)
    short.height = 3
    with pytest.raises(ImageError, match="depth image carries 24 bytes, but 3 rows of 12"):
        depth_to_metres(short)
