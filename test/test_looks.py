# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What objects look like by the shades under their masks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vos_ros.evaluation.gaps import outline, paste, photographed, texture
from vos_ros.looks import SMALLEST, agreement, looks_of, merged

SIDE = 46


def shown(thing: np.ndarray, shape: np.ndarray, x: int, y: int, seed: int, ground: float = 90.0):
    """Image, labels and box of a thing on a ground, as a camera sees it."""
    rng = np.random.default_rng(seed)
    image, labels = np.full((144, 192, 3), ground), np.zeros((144, 192), np.uint8)
    paste(image, thing, shape, x, y)
    paste(labels, np.full(shape.shape, 7, np.uint8), shape, x, y)
    return photographed(rng, image), labels, cv2.boundingRect(labels)


def things(seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Two of one colour and nearly one shape."""
    rng = np.random.default_rng(seed)
    colour = rng.uniform(60, 195, 3)
    return [(texture(rng, SIDE, SIDE, colour), outline(rng, SIDE)) for _ in range(2)]


def looks(*given):
    image, labels, box = shown(*given)
    found = looks_of(image, labels, 7, box)
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(6))
def test_a_thing_looks_like_itself_elsewhere_and_otherwise_turned_but_not_like_another(seed):
    (thing, shape), (other, other_shape) = things(seed)
    here = looks(thing, shape, 20, 30, seed)
    there = looks(thing, shape, 120, 80, seed + 1, 150.0)
    turned = looks(np.rot90(thing).copy(), np.rot90(shape).copy(), 60, 60, seed + 2)
    another = looks(other, other_shape, 20, 30, seed)
    own = min(agreement(here, there), agreement(here, turned))
    assert own > 0.99 and own > agreement(here, another) + 0.003


def test_agreement_is_the_mean_of_the_bhattacharyya_coefficients():
    """Of images of few shades, in the middle of theirs, so that the smoothing takes all alike."""
    shades = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200]], np.uint8)
    lab = cv2.cvtColor(shades[:, None], cv2.COLOR_RGB2LAB)[:, 0]
    labels, box = np.full((40, 90), 7, np.uint8), (0, 0, 90, 40)
    found, shares = [], []
    for parts in ((30, 30, 30), (60, 15, 15)):
        image = np.broadcast_to(np.repeat(shades, parts, axis=0), (40, 90, 3))
        inside = np.repeat(np.arange(3), parts)[2:-2]  # the border is left out
        shares.append(np.bincount(inside) / inside.size)
        found.append(looks_of(np.ascontiguousarray(image), labels, 7, box))
    wanted = 0.0
    for channel, shades_of in enumerate((32, 64, 64)):
        histograms = np.zeros((2, shades_of))
        for row, share in zip(histograms, shares, strict=True):
            for place, part in zip(lab[:, channel], share, strict=True):
                row[int(place) * shades_of // 256] += part
        smooth = [cv2.GaussianBlur(row[:, None], (1, 5), 1.0)[:, 0] for row in histograms]
        wanted += float(np.sqrt(smooth[0] * smooth[1]).sum()) / 3
    assert agreement(*found) == pytest.approx(wanted, abs=1e-4)
    assert agreement(found[0], found[0]) == pytest.approx(1, abs=1e-6)


def test_pixels_along_the_border_and_of_other_labels_do_not_count():
    image = np.full((60, 60, 3), 100, np.uint8)
    labels = np.zeros((60, 60), np.uint8)
    labels[10:40, 10:40] = 7
    plain = looks_of(image, labels, 7, (10, 10, 30, 30))
    image[:12], image[38:], image[:, :12], image[:, 38:] = 0, 0, 0, 255
    labels[20:25, 20:25] = 8
    image[18:27, 18:27] = (255, 0, 0)
    assert agreement(plain, looks_of(image, labels, 7, (10, 10, 30, 30))) == pytest.approx(1)


def test_of_very_little_nothing_is_said_and_of_little_the_border_counts_too():
    image, labels = np.full((20, 20, 3), 100, np.uint8), np.zeros((20, 20), np.uint8)
    labels[2:7, 2:7] = 1
    assert looks_of(image, labels, 1, (2, 2, 5, 5)) is not None
    labels[6, 2:] = 0
    assert np.count_nonzero(labels) < SMALLEST
    assert looks_of(image, labels, 1, (2, 2, 5, 4)) is None
    assert looks_of(image, labels, 9, (0, 0, 0, 0)) is None


def test_a_large_object_is_looked_at_in_steps():
    """As in a small image of it."""
    (thing, shape), _ = things(1)
    small = shown(thing, shape, 20, 30, 1)
    image, labels = (np.repeat(np.repeat(each, 12, axis=0), 12, axis=1) for each in small[:2])
    found = looks_of(image, labels, 7, cv2.boundingRect(labels))
    assert agreement(found, looks_of(small[0], small[1], 7, small[2])) > 0.995


def test_looks_that_take_in_newer_ones_stay_of_one_length():
    one, other = np.eye(160, dtype=np.float32)[:2]
    both = merged(one, other, 0.25)
    np.testing.assert_allclose(both[:2], np.array([0.75, 0.25]) / np.hypot(0.75, 0.25), rtol=1e-6)
