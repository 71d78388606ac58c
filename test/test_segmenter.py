# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Following, adding and removing: on a network that finds colours, and on a small GFDDAL."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scenes import BLUE, FIRST, GREEN, RED, SIZE, iou, mask_of, moving, same, scene
from tiny import add_tiny_backbone, tiny_gfddal

from vos_ros.segmenter import SegmentationError, VideoSegmenter


def test_ids_that_are_not_1_to_n_are_followed_under_their_own_numbers(colour):
    given = colour.start(moving(1)[0], FIRST)
    np.testing.assert_array_equal(given.labels, FIRST)
    assert colour.ids == (3, 200)
    for index, image in enumerate(moving(15, start=1), start=1):
        found = colour.step(image)
        truth = mask_of((4 + 2 * index, 8, 20, 200), (60, 40 - index, 20, 3))
        assert found.labels.shape == SIZE and found.labels.dtype == np.uint8
        assert iou(found.labels == 200, truth == 200) > 0.9
        assert iou(found.labels == 3, truth == 3) > 0.9
        assert set(np.unique(found.labels)) == {0, 3, 200}
        assert [entry.id for entry in found.objects] == [3, 200]
        assert all(entry.present for entry in found.objects)


def test_presence_describes_the_labels_that_come_with_it(network):
    segmenter = VideoSegmenter(network, size=48)
    results = [segmenter.start(moving(1)[0], FIRST), *map(segmenter.step, moving(4, start=1))]
    for result in results:
        for entry in result.objects:
            own = result.labels == entry.id
            assert entry.area_fraction == pytest.approx(own.mean())
            rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
            expected = (0, 0, 0, 0)
            if own.any():
                expected = (columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1)
            assert entry.box == expected
            assert 0 <= entry.score <= 1


def test_an_object_that_leaves_is_absent_and_present_again_when_it_returns(colour):
    colour.start(scene((4, 8, 20, RED)), mask_of((4, 8, 20, 7)))
    empty, back = scene(seed=1), scene((40, 30, 20, RED), seed=2)
    for _ in range(3):
        (gone,) = colour.step(empty).objects
    assert (gone.present, gone.area_fraction, gone.box) == (False, 0.0, (0, 0, 0, 0))
    (returned,) = colour.step(back).objects
    assert returned.present and returned.score > 0.8


def test_start_forgets_what_was_followed(network):
    images = moving(4)
    fresh = VideoSegmenter(network, size=64)
    used = VideoSegmenter(network, size=64)
    used.start(images[2], mask_of((60, 10, 12, 3), (10, 40, 9, 9)))
    used.step(images[3])
    for segmenter in (fresh, used):
        segmenter.start(images[0], FIRST)
    assert used.ids == (3, 200)
    same(fresh.step(images[1]), used.step(images[1]))


def test_the_network_handed_in_stays_as_it_is(monkeypatch):
    add_tiny_backbone(monkeypatch)
    network = tiny_gfddal().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    segmenter = VideoSegmenter(network, size=64, precision="bf16")
    segmenter.start(moving(1)[0], FIRST)
    assert network.training and all(p.requires_grad for p in network.parameters())
    for name, value in network.state_dict().items():
        assert value.dtype == before[name].dtype and torch.equal(value, before[name])


def test_removing_then_adding_keeps_every_id(colour):
    images = moving(6)
    colour.start(images[0], FIRST)
    colour.remove(200)
    assert colour.ids == (3,)
    found = colour.step(images[1])
    assert set(np.unique(found.labels)) == {0, 3}
    later = scene((8, 8, 20, RED), (60, 38, 20, BLUE), (30, 40, 16, GREEN), seed=2)
    added = colour.add(later, mask_of((8, 8, 20, 12), (30, 40, 16, 1)))
    assert colour.ids == (1, 3, 12) == tuple(entry.id for entry in added.objects)
    found = colour.step(later)
    assert iou(found.labels == 3, mask_of((60, 38, 20, 1)) > 0) > 0.9
    assert iou(found.labels == 12, mask_of((8, 8, 20, 1)) > 0) > 0.9
    assert iou(found.labels == 1, mask_of((30, 40, 16, 1)) > 0) > 0.85


def test_without_the_removed_one_the_rest_goes_on_as_if_it_had_always_been_alone(network):
    """What an object remembers of the first image is its own: start with two, remove one at once.

    (Later on objects do influence each other, through the merged masks. What is seen of an image
    depends on all objects from the first on, so that all of it is looked at here.)
    """
    images = moving(4)
    alone, other = (VideoSegmenter(network, size=64, region=None) for _ in range(2))
    alone.start(images[0], mask_of((60, 40, 20, 3)))
    other.start(images[0], FIRST)
    other.remove(200)
    for image in images[1:]:
        one, two = alone.step(image), other.step(image)
        np.testing.assert_array_equal(one.labels, two.labels)
        assert one.objects[0].score == pytest.approx(two.objects[0].score, abs=1e-5)


def test_removing_takes_the_object_out_of_the_labels_that_a_later_add_keeps(colour):
    images = moving(3)
    colour.start(images[0], FIRST)
    colour.step(images[1])
    colour.remove(200)
    added = colour.add(images[1], mask_of((30, 50, 9, 5)))
    assert set(np.unique(added.labels)) == {0, 3, 5}


def test_removing_the_last_object_leaves_nothing_to_step(colour):
    colour.start(moving(1)[0], mask_of((4, 8, 20, 9)))
    colour.remove(9)
    assert colour.ids == () and colour.state_bytes == 0
    with pytest.raises(SegmentationError, match="nothing is followed yet: give a mask"):
        colour.step(moving(1)[0])
    colour.add(moving(1)[0], FIRST)
    assert colour.ids == (3, 200)


def test_adding_an_id_that_is_followed_learns_it_anew(colour):
    colour.start(moving(1)[0], FIRST)
    image = scene((4, 8, 20, RED), (60, 40, 20, BLUE), (30, 36, 20, GREEN))
    added = colour.add(image, mask_of((30, 36, 20, 200)))
    assert colour.ids == (3, 200)
    np.testing.assert_array_equal(added.labels == 200, mask_of((30, 36, 20, 1)) > 0)
    found = colour.step(image)
    assert iou(found.labels == 200, mask_of((30, 36, 20, 1)) > 0) > 0.9
    assert iou(found.labels == 3, mask_of((60, 40, 20, 1)) > 0) > 0.9


def test_adding_covers_the_old_labels_and_keeps_how_sure_the_old_objects_were(colour):
    images = moving(2)
    colour.start(images[0], FIRST)
    before = {entry.id: entry for entry in colour.step(images[1]).objects}
    added = colour.add(images[1], mask_of((6, 8, 10, 77)))
    after = {entry.id: entry for entry in added.objects}
    assert after[77].score == 1 and after[77].box == (6, 8, 10, 10)
    assert after[3] == before[3]
    assert after[200].score == before[200].score < 1
    assert after[200].area_fraction == pytest.approx((added.labels == 200).mean())
    assert after[200].area_fraction < before[200].area_fraction
    np.testing.assert_array_equal(added.labels == 77, mask_of((6, 8, 10, 1)) > 0)


def test_adding_does_not_bring_back_an_object_that_is_out_of_view(colour):
    colour.start(scene((4, 8, 20, RED)), mask_of((4, 8, 20, 7)))
    empty = scene((60, 30, 12, GREEN), seed=1)
    assert not colour.step(empty).objects[0].present
    added = colour.add(empty, mask_of((60, 30, 12, 8)))
    assert [entry.present for entry in added.objects] == [False, True]


def test_add_before_start_starts(network):
    one, other = VideoSegmenter(network, size=64), VideoSegmenter(network, size=64)
    images = moving(2)
    same(one.start(images[0], FIRST), other.add(images[0], FIRST))
    same(one.step(images[1]), other.step(images[1]))
