# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Later images to catch up with, images and masks of every size, and arrays of every kind."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import BLUE, FIRST, GREEN, RED, SIZE, iou, mask_of, moving, same, scene
from tiny import ColourNetwork

from vos_ros.presence import PresenceSettings
from vos_ros.segmenter import VideoSegmenter


def test_starting_with_later_images_is_starting_and_stepping(network):
    images = moving(6)
    one, other = VideoSegmenter(network, size=64), VideoSegmenter(network, size=64)
    one.start(images[0], FIRST)
    for image in images[1:5]:
        last = one.step(image)
    same(last, other.start(images[0], FIRST, iter(images[1:5])))
    same(one.step(images[5]), other.step(images[5]))


def test_catching_up_goes_through_changes_of_resolution(network):
    """From a segmenter at yet another resolution, too: only the images handed over count."""
    images = [moving(1)[0], scene((10, 8, 20, RED), size=(128, 64)), scene(size=(64, 128))]
    for call in ("start", "add"):
        one, other = VideoSegmenter(network, size=64), VideoSegmenter(network, size=64)
        one.start(images[0], FIRST)
        for image in images[1:]:
            last = one.step(image)
        other.start(scene(size=(64, 128)), mask_of((4, 8, 20, 3), size=(64, 128)))
        added = getattr(other, call)(images[0], FIRST, images[1:])
        same(last, added)


def test_presence_after_catching_up_has_seen_the_images_in_between():
    """A score between the thresholds: whether the object was lost on the way decides."""
    settings = PresenceSettings(appear=1.0, vanish=0.5)
    segmenters = [VideoSegmenter(ColourNetwork(), size=64, presence=settings) for _ in range(2)]
    shown, empty = scene((4, 8, 20, RED)), scene(seed=1)
    mask = mask_of((4, 8, 20, 1))
    with_gap = segmenters[0].start(shown, mask, [empty, shown, shown, shown])
    without = segmenters[1].start(shown, mask, [shown] * 4)
    assert 0.5 < with_gap.objects[0].score < 1 and 0.5 < without.objects[0].score < 1
    assert (with_gap.objects[0].present, without.objects[0].present) == (False, True)


def test_added_objects_are_carried_through_later_images_too(colour):
    images = moving(6)
    colour.start(images[0], mask_of((60, 40, 20, 3)))
    for image in images[1:4]:
        colour.step(image)
    added = colour.add(images[1], mask_of((6, 8, 20, 200)), since=images[2:4])
    assert iou(added.labels == 200, mask_of((10, 8, 20, 1)) > 0) > 0.9
    assert iou(added.labels == 3, mask_of((60, 37, 20, 1)) > 0) > 0.9
    assert all(entry.present and entry.score < 1 for entry in added.objects)
    found = colour.step(images[4])
    assert iou(found.labels == 200, mask_of((12, 8, 20, 1)) > 0) > 0.9
    assert iou(found.labels == 3, mask_of((60, 36, 20, 1)) > 0) > 0.9


def test_a_new_object_is_the_same_whether_it_is_added_or_started_with(network):
    """The state that `add` gives an object with `since` is that of an object followed alone.

    Where both see all of the image; else the region that is seen depends on the other object.
    """
    images = moving(5)
    alone, beside = (VideoSegmenter(network, size=64, region=None) for _ in range(2))
    alone.start(images[0], mask_of((4, 8, 20, 200)), images[1:3])
    beside.start(images[2], mask_of((60, 38, 20, 3)))
    beside.add(images[0], mask_of((4, 8, 20, 200)), images[1:3])
    beside.remove(3)
    one, two = alone.step(images[3]), beside.step(images[3])
    np.testing.assert_array_equal(one.labels, two.labels)


def test_a_mask_of_half_the_size_is_taken(colour):
    image = moving(1)[0]
    small = mask_of((2, 4, 10, 200), (30, 20, 10, 3), size=(32, 48))
    np.testing.assert_array_equal(colour.start(image, small).labels, FIRST)


@pytest.mark.parametrize("change", [(64, 128), (96, 64), (32, 48), (128, 192)])
def test_a_new_resolution_in_mid_stream_is_followed(network, change):
    segmenter = VideoSegmenter(network, size=64)
    segmenter.start(moving(1)[0], FIRST)
    segmenter.step(moving(2)[1])
    side = min(change) // 3
    image = scene((10, 8, side, RED), size=change)
    for _ in range(2):
        found = segmenter.step(image)
        assert found.labels.shape == change
    assert segmenter.ids == (3, 200)
    if isinstance(network, ColourNetwork):
        assert iou(found.labels == 200, mask_of((10, 8, side, 1), size=change) > 0) > 0.7
    # Back again, and an object added to an image of the first size.
    segmenter.add(moving(1)[0], mask_of((30, 30, 10, 9)))
    assert segmenter.step(moving(1)[0]).labels.shape == SIZE


def test_an_object_added_at_another_resolution_keeps_the_others(colour):
    colour.start(moving(1)[0], FIRST)
    large = scene((20, 20, 40, GREEN), (120, 80, 40, BLUE), size=(128, 192))
    added = colour.add(large, mask_of((20, 20, 40, 9), size=(128, 192)))
    assert added.labels.shape == (128, 192)
    np.testing.assert_array_equal(added.labels == 3, mask_of((120, 80, 40, 1), size=(128, 192)) > 0)
    found = colour.step(large)
    assert iou(found.labels == 3, added.labels == 3) > 0.85
    assert iou(found.labels == 9, added.labels == 9) > 0.75


@pytest.mark.parametrize("size", [(96, 64), (100, 37), (33, 250), (64, 64), (31, 40)])
def test_any_shape_of_image_is_followed(network, size):
    segmenter = VideoSegmenter(network, size=48)
    image = scene((6, 7, 20, RED), size=size)
    mask = mask_of((6, 7, 20, 5), size=size)
    np.testing.assert_array_equal(segmenter.start(image, mask).labels, mask)
    found = segmenter.step(image)
    assert found.labels.shape == size
    if isinstance(network, ColourNetwork):
        assert iou(found.labels == 5, mask == 5) > 0.7


def test_views_are_read_as_the_pixels_they_show(colour, recwarn):
    image = moving(1)[0]
    frozen = np.frombuffer(image.tobytes(), np.uint8).reshape(image.shape)
    wide = np.zeros((64, 200, 3), np.uint8)
    wide[:, 50:146] = image
    views = [
        np.ascontiguousarray(image[..., ::-1])[..., ::-1],  # BGR seen as RGB
        np.ascontiguousarray(image[::-1, ::-1])[::-1, ::-1],
        np.asfortranarray(image),
        wide[:, 50:146],
        frozen,
    ]
    colour.start(image, FIRST)
    for view in views:
        np.testing.assert_array_equal(view, image)
        colour.start(view, np.asfortranarray(FIRST)[::-1][::-1])
        found = colour.step(view)
        colour.start(image, FIRST)
        same(found, colour.step(image))
    assert not recwarn.list


@pytest.mark.parametrize("dtype", ["?", "i1", "u2", ">u2", "i8"])
def test_masks_of_any_integer_type_are_taken(colour, dtype):
    mask = mask_of((4, 8, 20, 1), dtype=np.dtype(dtype))
    result = colour.start(moving(1)[0], mask)
    np.testing.assert_array_equal(result.labels, mask_of((4, 8, 20, 1)))


def test_arrays_of_the_caller_and_of_the_segmenter_are_apart(colour):
    """Whatever the caller draws on, or uses again, the segmenter goes on as one left in peace."""
    peaceful = VideoSegmenter(ColourNetwork(), size=64)
    image, mask, extra = moving(1)[0], FIRST.copy(), mask_of((30, 50, 9, 5))
    expected = peaceful.start(image.copy(), FIRST)
    result = colour.start(image, mask)
    image[:], mask[:] = 0, 9
    np.testing.assert_array_equal(result.labels, expected.labels)
    result.labels[:] = 0
    same(colour.add(moving(1)[0], extra), peaceful.add(moving(1)[0], extra))
    expected = peaceful.step(moving(2)[1])
    result = colour.step(moving(2)[1])
    same(result, expected)
    result.labels[:] = 0
    added = colour.add(moving(2)[1], extra)
    same(added, peaceful.add(moving(2)[1], extra))
    assert set(np.unique(added.labels)) == {0, 3, 5, 200}
