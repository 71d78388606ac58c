# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The size that the network sees may change while objects are followed."""

from __future__ import annotations

import numpy as np
import pytest
from scene import Scene
from scenes import FIRST, iou, moving
from tiny import ColourNetwork

from vos_ros.region import DEFAULT_REGION
from vos_ros.segmenter import VideoSegmenter
from vos_ros.weights import find_weights, load_network

EVERY = 2  # frames of the scene from one that is looked at to the next

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("region", [DEFAULT_REGION, None], ids=["region", "whole image"])
@pytest.mark.parametrize("name", ["gfddal_lite0", "dgmpm_lite0"])
def test_objects_are_followed_on_through_changes_of_size(name, region):
    """The camera is 4:3, of which the smaller sizes are padded and the largest is not."""
    film = Scene(width=384, height=288)
    segmenter = VideoSegmenter(load_network(find_weights(name))[0], region=region)
    segmenter.start(film.frame(0), film.truth(0))
    sizes = [288, 288, 224, 224, 224, 160, 160, 160, 192, 192, 256, 256, 288, 288]
    likeness, padded = {}, set()
    for index, size in enumerate(sizes, start=1):
        segmenter.size = size
        assert segmenter.size == size
        found = segmenter.step(film.frame(EVERY * index))
        assert [entry.present for entry in found.objects] == [True]
        truth = film.truth(EVERY * index) == 1
        likeness.setdefault(size, []).append(iou(found.labels == 1, truth))
        padded.add(segmenter._now.geometry.padded)
    assert len(padded) == len(set(sizes))  # the network did see other sizes
    for size, found in likeness.items():
        assert np.mean(found) >= 0.85, (size, np.round(found, 3).tolist())
    # The first mask held still is no answer.
    last = film.truth(EVERY * len(sizes)) == 1
    assert iou(film.truth(0) == 1, last) < 0.5


def test_a_change_of_size_before_an_image_changes_nothing_else(network):
    changed, left = (VideoSegmenter(network, size=64) for _ in range(2))
    for segmenter in (changed, left):
        segmenter.start(moving(1)[0], FIRST)
    changed.size = 32
    changed.size = 64
    assert changed.state_bytes == left.state_bytes
    for image in moving(3, start=1):
        assert np.array_equal(changed.step(image).labels, left.step(image).labels)


def test_the_state_is_of_the_size_that_is_seen(network):
    segmenter, small = VideoSegmenter(network, size=64), VideoSegmenter(network, size=32)
    for each in (segmenter, small):
        each.start(moving(1)[0], FIRST)
    segmenter.size = 32
    segmenter.step(moving(2)[1])
    smaller = small._now.targets.state.tensors()
    for name, value in segmenter._now.targets.state.tensors().items():
        if name not in ("target_kernels", "background_kernels"):  # which have no place in the image
            assert value.shape == smaller[name].shape, name


def test_what_was_learned_at_another_size_is_of_the_segmenters_own(network):
    first, second = (VideoSegmenter(network, size=64) for _ in range(2))
    first.start(moving(1)[0], FIRST)
    usual = first.learned()
    first.size = 32
    first.step(moving(2)[1])
    learned = first.learned()
    assert (learned.size, learned.padded) == (usual.size, usual.padded)
    shapes = {name: value.shape for name, value in usual.tensors.items()}
    assert {name: value.shape for name, value in learned.tensors.items()} == shapes
    second.recall(learned)
    second.size = 32
    second.step(moving(3)[2])
    assert second.ids == first.ids


def test_objects_recalled_at_another_size_are_found():
    first, second = (VideoSegmenter(ColourNetwork(), size=64) for _ in range(2))
    first.start(moving(1)[0], FIRST)
    first.size = 32
    for image in moving(3, start=1):
        first.step(image)
    second.size = 32
    second.recall(first.learned())
    image = moving(5)[4]
    one, other = first.step(image), second.step(image)
    assert np.mean(one.labels == other.labels) > 0.98
    assert set(np.unique(other.labels)) == {0, 3, 200}


def test_a_size_that_the_network_cannot_see_is_refused():
    segmenter = VideoSegmenter(ColourNetwork(), size=64)
    with pytest.raises(ValueError, match="at least 32 pixels, not 31"):
        segmenter.size = 31
    assert segmenter.size == 64
