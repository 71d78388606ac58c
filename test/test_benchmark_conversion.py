# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is timed as conversion is what the node does with an image and a mask."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed")

from vos_ros.apps.benchmark_conversion import conversion_work  # noqa: E402
from vos_ros.benchmark.film import make_film  # noqa: E402
from vos_ros.benchmark.settings import Case, Size  # noqa: E402


def test_an_image_is_read_as_rgb_and_labels_are_written_as_mono8() -> None:
    size = Size(96, 64)
    work = conversion_work(Case(size, "conversion", variant="1. size=96x64"))
    work.call()
    film = make_film(size, 1, length=1)
    # Sent as bgr8, as most cameras do, so that something has to be done.
    assert np.array_equal(work.call.image, film.frames[0])
    assert not np.shares_memory(work.call.image, film.frames[0])
    mask = work.call.mask
    assert (mask.encoding, mask.width, mask.height, mask.step) == ("mono8", 96, 64, 96)
    assert np.array_equal(np.frombuffer(mask.data, np.uint8), film.mask.ravel())
    assert work.moved_bytes == 2 * (96 * 64 * 3 + 96 * 64)
    assert (work.row.what, work.row.size, work.row.variant) == (
        "conversion", "96x64", "1. size=96x64"
    )  # fmt: skip
