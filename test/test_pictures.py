# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The picture of the clips of a batch."""

from __future__ import annotations

import numpy as np
import pytest

from vos_ros.drawing import colour_of
from vos_ros.training.pictures import CLIPS, FRAMES, TILE_WIDTH, clips_picture

GAP = 4  # between tiles and around them
HEIGHT, WIDTH = 128, 224  # a tile of exactly these pixels is not resized


def clips(count=1, length=2, height=HEIGHT, width=WIDTH):
    """Grey images, without objects; frame i of clip b has the brightness 20 b + i."""
    images = np.zeros((count, length, 3, height, width), np.uint8)
    images += np.arange(length, dtype=np.uint8)[:, None, None, None]
    images += (20 * np.arange(count, dtype=np.uint8))[:, None, None, None, None]
    labels = np.zeros((count, length, height, width), np.uint8)
    return images, labels, labels.copy()


def tile(picture, row, column, height=HEIGHT):
    top, left = GAP + row * (height + GAP), GAP + column * (TILE_WIDTH + GAP)
    return picture[top : top + height, left : left + TILE_WIDTH]


def test_a_row_for_each_clip_and_a_column_for_each_frame():
    picture = clips_picture(*clips(3, 5))
    assert picture.shape == (3 * (HEIGHT + GAP) + GAP, 5 * (TILE_WIDTH + GAP) + GAP, 3)
    assert picture.dtype == np.uint8
    for row in range(3):
        for column in range(5):
            assert (tile(picture, row, column) == 20 * row + column).all()


@pytest.mark.parametrize(("height", "width"), [(256, 448), (64, 112), (32, 64)])
def test_frames_of_every_size_become_tiles_of_one_width(height, width):
    picture = clips_picture(*clips(1, 2, height, width))
    rows, columns = TILE_WIDTH * height // width + 2 * GAP, 2 * (TILE_WIDTH + GAP) + GAP
    assert picture.shape == (rows, columns, 3)


def test_of_a_large_batch_and_a_long_clip_some_are_shown_the_first_and_last_frame_among_them():
    picture = clips_picture(*clips(CLIPS + 2, 3 * FRAMES))
    assert picture.shape[0] == CLIPS * (HEIGHT + GAP) + GAP
    assert picture.shape[1] == FRAMES * (TILE_WIDTH + GAP) + GAP
    assert tile(picture, 0, 0)[0, 0, 0] == 0
    assert tile(picture, 0, FRAMES - 1)[0, 0, 0] == 3 * FRAMES - 1


def test_what_was_found_is_filled_and_outlined_and_the_truth_outlined_in_white():
    images, truth, found = clips()
    truth[0, 1, 20:60, 20:80] = 1
    found[0, 1, 70:100, 100:160] = 2
    shown = tile(clips_picture(images, truth, found), 0, 1)
    assert (shown[20, 20:80] == 255).all() and (shown[20:60, 79] == 255).all()
    assert (shown[30:50, 30:70] == 1).all()  # the truth is not filled
    assert (shown[70, 100:160] == colour_of(2)).all()
    half = np.array(colour_of(2)) // 2
    assert (shown[80:90, 110:150] == half).all()
    assert (tile(clips_picture(images, truth, found), 0, 0) == 0).all()  # the other frame


def test_of_a_perfect_answer_the_white_line_is_seen():
    images, truth, _ = clips()
    truth[0, 0, 20:60, 20:80] = 1
    shown = tile(clips_picture(images, truth, truth), 0, 0)
    assert (shown[20, 20:80] == 255).all()


def test_the_arguments_stay_as_they_were():
    images, truth, found = clips()
    truth[0, :, 5:9, 5:9] = found[0, :, 4:8, 4:8] = 1
    before = [array.copy() for array in (images, truth, found)]
    clips_picture(images, truth, found)
    for array, copy in zip((images, truth, found), before, strict=True):
        assert (array == copy).all()
