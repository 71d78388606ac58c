# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small pictures of objects."""

from __future__ import annotations

import numpy as np
import pytest

from vos_ros.target_file import MAX_THUMBNAIL
from vos_ros.thumbnails import SIDE, thumbnails_of


@pytest.fixture
def image():
    return np.random.default_rng(2).integers(0, 256, (120, 160, 3), dtype=np.uint8)


def labels_with(*boxes, size=(120, 160)):
    """Labels with rectangles (x, y, width, height, id)."""
    labels = np.zeros(size, np.uint8)
    for x, y, width, height, object_id in boxes:
        labels[y : y + height, x : x + width] = object_id
    return labels


def test_a_small_object_is_cut_out_as_it_is(image):
    found = thumbnails_of(image, labels_with((10, 20, 30, 5, 7), (100, 0, 1, 64, 3)), (3, 7))
    assert found.keys() == {3, 7}
    np.testing.assert_array_equal(found[7], image[20:25, 10:40])
    np.testing.assert_array_equal(found[3], image[:64, 100:101])


def test_a_large_one_is_made_smaller_in_its_own_shape(image):
    image[:] = np.linspace(0, 255, 160, dtype=np.uint8)[None, :, None]
    (found,) = thumbnails_of(image, labels_with((0, 0, 160, 80, 1)), (1,)).values()
    assert found.shape == (32, SIDE, 3) and found.dtype == np.uint8
    expected = np.interp((np.arange(SIDE) + 0.5) * 160 / SIDE - 0.5, np.arange(160), image[0, :, 0])
    assert np.abs(found[5, 1:-1, 0] - expected[1:-1]).max() <= 1.5


def test_an_object_as_thin_as_a_line_has_a_picture(image):
    (found,) = thumbnails_of(image, labels_with((0, 60, 160, 1, 9)), (9,)).values()
    assert found.shape == (1, SIDE, 3)


def test_a_mask_of_another_size_is_laid_over_the_image(image):
    (found,) = thumbnails_of(image, labels_with((20, 10, 5, 5, 1), size=(60, 80)), (1,)).values()
    np.testing.assert_array_equal(found, image[20:30, 40:50])


def test_an_object_without_a_pixel_has_none(image):
    assert thumbnails_of(image, labels_with((0, 0, 4, 4, 1)), (1, 2)).keys() == {1}


def test_a_view_is_no_hindrance_and_is_not_kept(image):
    """Of an image whose channels are turned around; the image may change afterwards."""
    labels = labels_with((3, 4, 100, 70, 1), (0, 0, 2, 2, 2))
    found = thumbnails_of(image[..., ::-1], labels, (1, 2))
    assert found[1].shape == (45, 64, 3)
    before = found[2].copy()
    image[:] = 0
    np.testing.assert_array_equal(found[2], before)


def test_a_file_takes_them():
    assert SIDE <= MAX_THUMBNAIL
