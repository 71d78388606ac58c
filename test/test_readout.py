# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels and statistics against loops in numpy and OpenCV's boxes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from vos_ros import readout
from vos_ros.readout import _packed, _unpacked, laid_out, read_out
from vos_ros.region import Region

IDS = (200, 3, 17)


def logits_of(labels, objects, sharpness=3.0, seed=0):
    """Random 1 x (1 + K) x H x W logits whose largest channel is what `labels` says."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 0.5, (1, objects + 1, *labels.shape)).astype(np.float32)
    np.put_along_axis(logits[0], labels[None], sharpness, axis=0)
    return torch.from_numpy(logits)


@pytest.fixture
def channels():
    """Channel 2 is empty, channel 3 touches a corner and comes in two pieces."""
    channels = np.zeros((20, 30), np.int64)
    channels[4:9, 6:21] = 1
    channels[17:, 27:] = 3
    channels[12, 2] = 3
    return channels


@pytest.fixture(autouse=True, params=["host", "device"])
def way(request, monkeypatch):
    """Both ways of reading out; that of devices works on the CPU, too."""
    if request.param == "device":
        monkeypatch.setattr(readout, "_read_on_host", readout._read_on_device)


def test_the_two_ways_agree_on_ties_and_where_nothing_is_a_number():
    rng = np.random.default_rng(1)
    values = torch.from_numpy(rng.integers(-1, 2, (4, 40, 50)).astype(np.float32))
    values[:, :10, :10] = torch.nan
    one, other = (f(values, IDS) for f in (readout._read_on_host, readout._read_on_device))
    assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])
    assert not one[0][:10, :10].any()
    tied = values[1] == values[2]
    assert 200 in one[0][tied & (values[1] > values[0])]


def test_every_pixel_gets_the_id_of_its_largest_channel(channels):
    logits = logits_of(channels, 3)
    labels, _ = read_out(logits, logits, IDS)
    assert labels.dtype == np.uint8 and labels.shape == (20, 30)
    for (y, x), channel in np.ndenumerate(channels):
        assert labels[y, x] == (0, *IDS)[channel]


def test_areas_and_boxes_are_those_of_the_labels(channels):
    logits = logits_of(channels, 3)
    labels, statistics = read_out(logits, logits, IDS)
    assert statistics.dtype == np.float32 and statistics.shape == (3, 6)
    for object_id, (_, area, *box) in zip(IDS, statistics, strict=True):
        own = (labels == object_id).astype(np.uint8)
        assert area == own.sum()
        assert tuple(box) == cv2.boundingRect(own)
    assert statistics[1, 1:].tolist() == [0] * 5


@pytest.mark.parametrize("place", [(0, 0), (19, 29), (0, 29), (19, 0)])
def test_a_single_pixel_in_a_corner_has_a_box_of_one(place):
    channels = np.zeros((20, 30), np.int64)
    channels[place] = 1
    logits = logits_of(channels, 1)
    _, statistics = read_out(logits, logits, (5,))
    assert statistics[0, 1:].tolist() == [1, place[1], place[0], 1, 1]


def test_a_whole_image_has_the_box_of_the_image():
    logits = logits_of(np.ones((20, 30), np.int64), 1)
    _, statistics = read_out(logits, logits, (5,))
    assert statistics[0, 1:].tolist() == [600, 0, 0, 30, 20]


def test_scores_are_means_of_probability_weighted_by_itself(channels):
    coarse = logits_of(channels[::2, ::2], 3, seed=3)
    camera = logits_of(channels, 3)
    _, statistics = read_out(camera, coarse, IDS)
    values = np.exp(coarse[0].double().numpy())
    probabilities = values / values.sum(axis=0)
    for k in range(3):
        weighted = total = 0.0
        for p in probabilities[k + 1].ravel():
            weighted, total = weighted + p * p, total + p
        assert statistics[k, 0] == pytest.approx(weighted / total, rel=1e-5)


def test_a_score_says_how_sure_the_network_is_where_it_sees_the_object():
    channels = np.zeros((20, 30), np.int64)
    channels[5:15, 5:15] = 1
    scores = []
    for sharpness in (30.0, 2.0):
        logits = torch.full((1, 2, 20, 30), -sharpness)
        logits[0, 0] = sharpness
        logits[0, :, 5:15, 5:15] = logits[0, :, 5:15, 5:15].flip(0)
        scores.append(read_out(logits, logits, (1,))[1][0, 0])
    assert scores[0] == pytest.approx(1) and 0.8 < scores[1] < 0.99


def test_an_object_that_is_nowhere_has_a_score_near_0():
    logits = torch.zeros(1, 2, 20, 30)
    logits[:, 1] = -12
    labels, statistics = read_out(logits, logits, (1,))
    assert not labels.any() and statistics[0, 0] < 1e-4
    logits[:, 1] = -1e4  # not even a trace: no division by zero
    assert read_out(logits, logits, (1,))[1][0, 0] == 0


def test_one_transfer_carries_both_without_loss():
    rng = np.random.default_rng(0)
    labels = torch.from_numpy(rng.integers(0, 256, (7, 9), dtype=np.uint8))
    statistics = torch.from_numpy(rng.normal(0, 1e6, (6, 3)).astype(np.float32)).T
    packed = _packed(labels, statistics)
    assert packed.dtype == torch.uint8 and packed.dim() == 1
    again, numbers = _unpacked(packed.numpy(), (7, 9))
    np.testing.assert_array_equal(again, labels.numpy())
    np.testing.assert_array_equal(numbers, statistics.numpy())


def test_what_is_read_out_of_a_region_is_laid_out_in_the_image(channels):
    """As if the image had been read out, with nothing around the region."""
    logits = logits_of(channels, 3)
    given = read_out(logits, logits, IDS)
    labels, statistics = laid_out(*given, Region(x=7, y=11, width=30, height=20), (40, 50))
    expected = np.zeros((40, 50), np.uint8)
    expected[11:31, 7:37] = given[0]
    np.testing.assert_array_equal(labels, expected)
    assert labels.dtype == np.uint8 and statistics.dtype == np.float32
    np.testing.assert_array_equal(statistics[:, 0], given[1][:, 0])
    for object_id, (_, area, *box) in zip(IDS, statistics, strict=True):
        own = (labels == object_id).astype(np.uint8)
        assert area == own.sum() and tuple(box) == cv2.boundingRect(own)
    assert tuple(statistics[1, 1:]) == (0, 0, 0, 0, 0)  # has no pixel, and so no place


def test_the_whole_image_is_laid_out_as_it_is(channels):
    logits = logits_of(channels, 3)
    given = read_out(logits, logits, IDS)
    labels, statistics = laid_out(*given, Region.whole((20, 30)), (20, 30))
    assert labels is given[0] and statistics is given[1]
