# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures and masks made smaller, against numpy's own arithmetic and Pillow."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vos_ros.data.pack_picture import (
    Packing,
    Picture,
    encoded,
    mask_bytes,
    picture_bytes,
    shrunk,
    shrunk_ids,
)

RNG = np.random.default_rng(3)


def smooth(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 255 // height, columns * 255 // width, rows * 0 + 90], 2).astype("u1")


def test_the_shorter_side_gets_the_size_and_both_keep_their_ratio() -> None:
    ids = np.zeros((120, 200), np.uint8)
    ids[20:80, 40:90] = 7
    small = shrunk(Picture(Path("a.jpg"), smooth(120, 200), {Path("m.png"): ids}), 60)
    assert small.image.shape == (60, 100, 3)
    # INTER_AREA at a half is the mean of two by two pixels, nearest neighbour their first.
    mean = smooth(120, 200).reshape(60, 2, 100, 2, 3).mean((1, 3))
    assert np.abs(small.image - mean).max() <= 0.5
    np.testing.assert_array_equal(small.masks[Path("m.png")], ids[::2, ::2])


def test_nothing_is_enlarged() -> None:
    picture = Picture(Path("a.jpg"), smooth(40, 90), ids=np.ones((40, 90), np.uint8))
    assert shrunk(picture, 40) is picture and shrunk(picture, 288) is picture


def test_an_id_that_falls_between_the_pixels_keeps_one() -> None:
    ids = np.zeros((100, 100), np.uint8)
    ids[10:60, 10:60], ids[71, 73], ids[91, 5] = 1, 2, 255
    small = shrunk_ids(ids, (50, 50))
    assert not {2, 255} & set(np.unique(ids[::2, ::2]))  # the plain way would lose them
    assert small[35, 36] == 2 and small[45, 2] == 255
    assert np.count_nonzero(small == 1) == 25 * 25 and np.count_nonzero(small > 1) == 2


@pytest.mark.parametrize("most", [0, 1, 2, 15, 16, 254, 255])
def test_masks_come_back_exactly(most: int) -> None:
    values = RNG.integers(0, most + 1, (37, 53)).astype(np.uint8)
    values[0, 0] = most
    image = Image.open(io.BytesIO(mask_bytes(values)))
    assert image.format == "PNG" and image.mode in ("P", "L")
    np.testing.assert_array_equal(np.array(image), values)


def test_a_higher_quality_takes_more_bytes_and_is_more_like_the_picture() -> None:
    noisy = np.clip(smooth(96, 128) + RNG.normal(0, 12, (96, 128, 3)), 0, 255).astype(np.uint8)
    low, high = picture_bytes(noisy, 30), picture_bytes(noisy, 95)
    assert len(low) < len(high)
    errors = [
        np.abs(np.array(Image.open(io.BytesIO(data))) - noisy.astype(float)).mean()
        for data in (low, high)
    ]
    assert errors[1] < errors[0] < 20


def test_a_file_that_is_smaller_as_it_is_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    noise = RNG.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(path, quality=5)
    picture = Picture(path, np.array(Image.open(path)))
    assert encoded(picture, picture, Packing(288, 95)) == (".jpg", path.read_bytes())
    small = shrunk(picture, 32)
    suffix, content = encoded(picture, small, Packing(32, 95))
    assert suffix == ".webp" and Image.open(io.BytesIO(content)).size == (32, 32)


@pytest.mark.parametrize("size, quality", [(15, 80), (288, 0), (288, 101)])
def test_figures_of_no_use_are_refused(size: int, quality: int) -> None:
    with pytest.raises(ValueError, match=f"size {size}, quality {quality}"):
        Packing(size, quality)
