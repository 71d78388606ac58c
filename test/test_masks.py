# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Masks: checked, resized, counted; compared with plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vos_ros import masks
from vos_ros.masks import SegmentationError

label_images = arrays(
    np.uint8,
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    elements=st.sampled_from([0, 0, 1, 2, 7, 255]),
)


@given(label_images)
def test_ids_are_those_in_the_image(labels):
    assert masks.ids_of(labels) == tuple(sorted(set(labels.ravel().tolist()) - {0}))


@given(label_images)
def test_statistics_are_those_of_a_loop_over_the_pixels(labels):
    ids = (7, 255, 1, 9)
    rows = masks.statistics(labels, ids)
    assert rows.shape == (4, 6) and rows.dtype == np.float32
    for object_id, row in zip(ids, rows, strict=True):
        places = [(x, y) for (y, x), value in np.ndenumerate(labels) if value == object_id]
        expected = [0] * 6
        if places:
            xs, ys = zip(*places, strict=True)
            box = [min(xs), min(ys), max(xs) - min(xs) + 1, max(ys) - min(ys) + 1]
            expected = [1, len(places), *box]
        assert row.tolist() == expected


def test_statistics_of_no_object_have_no_row():
    assert masks.statistics(np.zeros((4, 4), np.uint8), ()).shape == (0, 6)


@given(label_images, st.integers(1, 20), st.integers(1, 20))
def test_resizing_takes_the_pixel_whose_centre_is_nearest(labels, height, width):
    result = masks.resize(labels, (height, width))
    assert result.shape == (height, width) and result.dtype == np.uint8
    for y in range(height):
        for x in range(width):
            # Half way between two pixels either will do.
            row = (y + 0.5) * labels.shape[0] / height
            column = (x + 0.5) * labels.shape[1] / width
            rows = {int(np.floor(row - 1e-4)), int(np.floor(row + 1e-4))}
            columns = {int(np.floor(column - 1e-4)), int(np.floor(column + 1e-4))}
            inside = [
                labels[r, c]
                for r in rows
                for c in columns
                if 0 <= r < labels.shape[0] and 0 <= c < labels.shape[1]
            ]
            assert result[y, x] in inside


def test_labels_of_nothing_become_background():
    result = masks.resize(np.zeros((0, 0), np.uint8), (3, 5))
    assert result.shape == (3, 5) and not result.any()


@pytest.mark.parametrize("size", [(100, 200), (50, 100), (199, 400), (201, 400)])
def test_aspect_ratios_within_a_hundredth_agree(size):
    mask = np.zeros(size, np.uint16)
    mask[: size[0] // 2] = 200
    result = masks.check_mask(mask, (100, 200))
    assert result.shape == (100, 200) and result.dtype == np.uint8
    assert abs(np.count_nonzero(result == 200) - 10000) <= 200


@pytest.mark.parametrize("size", [(98, 200), (200, 100), (102, 200), (1, 200)])
def test_other_aspect_ratios_are_refused_with_both_sizes(size):
    with pytest.raises(SegmentationError) as caught:
        masks.check_mask(np.ones(size, np.uint8), (100, 200))
    assert str(caught.value) == (
        f"the mask is {size[1]} x {size[0]} pixels but the image is 200 x 100, and their aspect "
        "ratios differ; give a mask of the image's own size, or one scaled evenly"
    )


def test_a_mask_of_the_right_size_is_copied():
    mask = np.full((4, 6), 9, np.uint8)
    labels = masks.check_mask(mask, (4, 6))
    np.testing.assert_array_equal(labels, mask)
    assert not np.shares_memory(labels, mask)


def test_the_same_error_is_known_to_the_segmenter():
    from vos_ros.segmenter import SegmentationError as public

    assert public is SegmentationError and issubclass(public, ValueError)
