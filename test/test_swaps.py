# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips of two objects of the same make, and what is counted of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vos_ros.evaluation.pairs import LENGTH, WAYS, PairClip
from vos_ros.evaluation.swaps import Swap, follow, summary
from vos_ros.moment import Segmentation

SIZE = {"height": 48, "width": 64}


@pytest.mark.parametrize("way", WAYS)
def test_the_truth_is_where_the_two_are(way):
    clip = PairClip(way, alike=True, seed=3, **SIZE)
    frames = list(clip.frames())
    assert len(frames) == LENGTH
    for number in (0, LENGTH - 1):
        for (x, y), key in zip(WAYS[way](number / (LENGTH - 1)), (1, 2), strict=True):
            rows, columns = np.nonzero(frames[number][1] == key)
            assert rows.size, (number, key)
            assert abs(columns.mean() - x * 64) < 3 and abs(rows.mean() - y * 48) < 3
    image, truth = frames[0]
    assert image.shape == (48, 64, 3) and image.dtype == truth.dtype == np.uint8


def test_out_means_that_neither_is_seen_for_a_while_and_they_change_sides():
    truths = [truth for _, truth in PairClip("out", False, 1, **SIZE).frames()]
    assert any(not truth.any() for truth in truths)
    first, last = ([np.nonzero(t == k)[1].mean() for k in (1, 2)] for t in truths[:: LENGTH - 1])
    assert first[0] < first[1] and last[0] > last[1]


def test_across_one_hides_the_other_and_both_go_on():
    areas = np.array(
        [[(t == k).sum() for k in (1, 2)] for _, t in PairClip("across", False, 1, **SIZE).frames()]
    )
    assert areas[:, 1].min() < areas[0, 1] / 2 and areas[:, 0].min() > 0.9 * areas[0, 0]


def test_the_same_to_the_pixel_or_of_the_same_make():
    def looks(alike: bool) -> list[np.ndarray]:
        clip = PairClip("past", alike, seed=5, height=96, width=128)
        image, truth = next(clip.frames())
        return [image[truth == key].astype(float) for key in (1, 2)]

    for alike in (True, False):
        one, other = looks(alike)
        assert np.abs(one.mean(axis=0) - other.mean(axis=0)).max() < 25
    one, other = looks(True)
    assert len(one) == pytest.approx(len(other), rel=0.03)


def test_the_same_clip_comes_of_the_same_seed():
    one, other = (next(PairClip("back", False, 7, **SIZE).frames())[0] for _ in range(2))
    np.testing.assert_array_equal(one, other)


class Scripted:
    """Gives the truth, with the ids in each other's place in some frames."""

    def __init__(self, swapped: range, doubts: range = range(0), exchanged: range = range(0)):
        self.clip = PairClip("past", False, 2, **SIZE)
        self.truths = [truth for _, truth in self.clip.frames()]
        self.swapped, self.doubts, self.exchanged = swapped, doubts, exchanged
        self.number = -1

    def start(self, image, mask) -> Segmentation:
        return self.step(image)

    def step(self, image) -> Segmentation:
        self.number += 1
        table = np.array([0, 2, 1] if self.number in self.swapped else [0, 1, 2], np.uint8)
        pairs = ((1, 2),)
        return Segmentation(
            table[self.truths[self.number]],
            (),
            doubts=pairs * (self.number in self.doubts),
            exchanged=pairs * (self.number in self.exchanged),
        )


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (Scripted(range(0)), (0, False, False, False, 0, 0, 1.0)),
        (Scripted(range(20, 30)), (10, False, False, False, 0, 0, 1.0)),
        (Scripted(range(20, 60)), (40, True, False, True, 0, 0, 0.0)),
        (Scripted(range(54, 60)), (6, True, False, True, 0, 0, 0.4)),
        (Scripted(range(54, 60), doubts=range(54, 60)), (6, True, True, False, 0, 0, 0.4)),
        (Scripted(range(20, 60), doubts=range(10, 59)), (40, True, True, True, 10, 0, 0.0)),
        (Scripted(range(20, 30), exchanged=range(30, 31)), (10, False, True, False, 0, 1, 1.0)),
    ],
)
def test_what_is_counted_of_a_clip(script, expected):
    found = follow(script, script.clip)
    counted = dataclasses.astuple(found)[1:-1]
    assert (*counted, round(found.iou, 6)) == expected


def test_what_is_summed_up():
    clip = PairClip("past", False, 0)
    well = Swap(clip, 0, False, False, False, 0, 0, 0.9)
    swaps = [
        well,
        dataclasses.replace(well, ended_swapped=True, silent=True, iou=0.1),
        dataclasses.replace(well, ended_swapped=True, told=True, doubted=LENGTH // 2, iou=0.2),
        dataclasses.replace(well, told=True, exchanged=2, iou=0.8),
    ]
    told = summary(swaps)
    assert dataclasses.astuple(told) == (4, 2, 1, 0.125, 2, 1, pytest.approx(0.5))
