# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The made-up film that benchmarks run on."""

from __future__ import annotations

import numpy as np
import pytest

from vos_ros.benchmark.errors import BenchmarkError
from vos_ros.benchmark.film import make_film
from vos_ros.benchmark.settings import Size


@pytest.mark.parametrize("objects", [1, 2, 5, 10])
@pytest.mark.parametrize("size", [Size(160, 120), Size(96, 200)])
def test_all_objects_are_whole_and_apart(size: Size, objects: int) -> None:
    film = make_film(size, objects)
    shape = (size.height, size.width)
    assert film.mask.shape == shape and film.mask.dtype == np.uint8
    ids, areas = np.unique(film.mask, return_counts=True)
    assert ids.tolist() == list(range(objects + 1))
    assert areas[1:].max() <= 1.2 * areas[1:].min()  # a disc that lay under another would be less
    border = np.concatenate([film.mask[[0, -1]].ravel(), film.mask[:, [0, -1]].ravel()])
    assert not border.any()


def test_something_moves_and_the_same_film_comes_twice() -> None:
    film, again = make_film(Size(160, 120), 3), make_film(Size(160, 120), 3)
    assert len(film.frames) == 8
    for frame, same in zip(film.frames, again.frames, strict=True):
        assert frame.shape == (120, 160, 3) and frame.dtype == np.uint8
        assert np.array_equal(frame, same)
    changed = (film.frames[0] != film.frames[4]).any(axis=2)
    assert 0.01 < changed.mean() < 0.5  # discs alone, not the ground


def test_what_has_no_room_is_refused() -> None:
    with pytest.raises(BenchmarkError, match="100 objects have no room in an image of 64x64"):
        make_film(Size(64, 64), 100)
