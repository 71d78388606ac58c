# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mixtures of clips: shares, exact resume, tensors."""

import cv2
import numpy as np
import pytest
import torch

from vos_ros.data.clip import Clip, collate, least_area
from vos_ros.data.mixture import ClipMixture, clip_loader


class Numbered:
    """A source whose clip i says who made it and which it is."""

    def __init__(self, name):
        self.name = name

    def __getitem__(self, index):
        images = np.zeros((2, 8, 10, 3), np.uint8)
        images[..., 0], images[..., 1], images[..., 2] = self.name, index % 256, index // 256
        labels = np.full((2, 8, 10), self.name, np.uint8)
        return Clip(images, labels)


def numbers_in(batch):
    return batch.images[:, 0, 1, 0, 0].tolist()


def read(mixture, count):
    return [tuple(mixture[k].images[0, 0, 0]) for k in range(count)]


def test_shares_follow_the_weights():
    mixture = ClipMixture([(Numbered(1), 1.0), (Numbered(2), 3.0)])
    names = [name for name, _, _ in read(mixture, 1000)]
    assert 0.7 < names.count(2) / 1000 < 0.8


def test_a_resumed_run_sees_what_an_unbroken_one_would():
    parts = [(Numbered(1), 0.4), (Numbered(2), 0.6)]
    whole = read(ClipMixture(parts, seed=5), 60)
    assert read(ClipMixture(parts, seed=5, start=23), 37) == whole[23:]
    assert read(ClipMixture(parts, seed=6), 60) != whole


def test_batches_are_tensors_in_order_whatever_the_workers():
    # A process whose OpenCV has run on several threads must not stop its workers.
    threads = cv2.getNumThreads()
    cv2.setNumThreads(2)
    cv2.GaussianBlur(np.zeros((1500, 1500, 3), np.uint8), (0, 0), 3)
    parts = [(Numbered(1), 0.4), (Numbered(2), 0.6)]
    seen = []
    for workers in (0, 2):
        loader = clip_loader(ClipMixture(parts, count=12), 4, workers)
        seen.append(list(loader))
        assert len(seen[-1]) == 3
    cv2.setNumThreads(threads)
    for batch, other in zip(*seen, strict=True):
        assert batch.images.shape == (4, 2, 3, 8, 10)
        assert batch.labels.shape == (4, 2, 8, 10)
        assert batch.images.dtype == batch.labels.dtype == torch.uint8
        assert batch.images.is_contiguous()
        assert torch.equal(batch.images, other.images)
        assert torch.equal(batch.labels, other.labels)
    assert numbers_in(seen[0][0]) == [0, 1, 2, 3]


def test_collating_puts_channels_before_rows():
    images = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)
    labels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    batch, ids = collate([Clip(images, labels)])
    assert batch[0, 1, 2, 0, 3] == images[1, 0, 3, 2]
    assert ids[0, 1, 2, 3] == labels[1, 2, 3]


@pytest.mark.parametrize("weights", [[], [0.0], [1.0, -1.0], [float("nan")], [1e308, 1e308]])
def test_bad_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weight"):
        ClipMixture([(Numbered(1), weight) for weight in weights])


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="start"):
        ClipMixture([(Numbered(1), 1.0)], start=-1)
    mixture = ClipMixture([(Numbered(1), 1.0)], count=3)
    assert len(mixture) == 3
    for index in (-1, 3):
        with pytest.raises(IndexError):
            mixture[index]


def test_the_least_area_follows_the_size():
    assert least_area((256, 448)) == 150
    assert least_area((512, 896)) == 600
