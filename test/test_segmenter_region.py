# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Looking closer where the objects are: what is seen, and that what is found stays in its place."""

from __future__ import annotations

import numpy as np
import pytest
from host_guard import HostGuard
from scenes import BLUE, RED, iou, mask_of, same, scene
from tiny import ColourNetwork

from vos_ros.presence import PresenceSettings
from vos_ros.region import Region, RegionSettings, region_around
from vos_ros.segmenter import VideoSegmenter

#: of these images, seen by the network with a short side of 64
SIZE = (128, 192)
#: whatever has a pixel is present
ANY = PresenceSettings(appear=0, vanish=0, minimum_area=0)


def red(x, y, side=16, size=SIZE, seed=0):
    """An image with a red square on noise."""
    return scene((x, y, side, RED), size=size, seed=seed)


def mask(*squares, size=SIZE):
    return mask_of(*squares, size=size)


def follower(**options):
    return VideoSegmenter(ColourNetwork(), size=64, **options)


def seen(segmenter) -> Region:
    """The part of the last image that the network was shown."""
    return segmenter._now.geometry.region


def around(*boxes, size=SIZE):
    return region_around(boxes, size, RegionSettings())


def test_a_thing_too_small_for_the_network_is_found_when_looked_at_closely():
    """5 of 240 pixels: a third of a cell of the network's map of the whole image."""
    size = (240, 320)
    for region, found_well in ((RegionSettings(), True), (None, False)):
        segmenter = follower(region=region)
        segmenter.start(red(150, 100, 5, size), mask((150, 100, 5, 1), size=size))
        for step in range(1, 5):
            found = segmenter.step(red(150 + 3 * step, 100, 5, size, seed=step))
        truth = mask((162, 100, 5, 1), size=size) > 0
        assert (iou(found.labels == 1, truth) > 0.6) == found_well


@pytest.mark.parametrize("corner", [(4, 8), (160, 104)])
def test_what_is_found_is_what_is_found_in_images_cut_by_hand(corner):
    """A thing at a corner of the image, where the region stays the same."""
    settings = RegionSettings(smallest=0.6)
    near = Region(0, 0, 116, 77) if corner == (4, 8) else Region(192 - 116, 128 - 77, 116, 77)
    whole, cut = follower(region=settings), follower(region=None)
    shown, given = red(*corner, 20), mask((*corner, 20, 7))
    assert (whole._network.stride, cut._geometry_of((77, 116), ()).scaled) == (32, (64, 96))
    whole.start(shown, given)
    cut.start(shown[near.window], given[near.window])
    for seed in range(1, 5):
        image = red(*corner, 20, seed=seed)
        ours, theirs = whole.step(image), cut.step(image[near.window])
        assert seen(whole) == near
        expected = np.zeros(SIZE, np.uint8)
        expected[near.window] = theirs.labels
        np.testing.assert_array_equal(ours.labels, expected)
        (one,), (other,) = ours.objects, theirs.objects
        x, y, width, height = other.box
        assert one.box == (near.x + x, near.y + y, width, height)
        assert one.score == other.score and one.present
        assert one.area_fraction == pytest.approx(np.mean(expected == 7))


def test_the_region_goes_with_the_object_and_begins_at_the_mask():
    segmenter = follower()
    segmenter.start(red(20, 30), mask((20, 30, 16, 9)))
    assert seen(segmenter) == around((20, 30, 16, 16))
    for step in range(1, 25):
        before = segmenter._now.objects[0].box
        found = segmenter.step(red(20 + 4 * step, 30 + 2 * step, seed=step))
        assert seen(segmenter) == around(before)
        assert iou(found.labels == 9, mask((20 + 4 * step, 30 + 2 * step, 16, 9)) == 9) > 0.8


def test_beside_the_region_there_is_background():
    """Another thing of the same colour, far away, which is found when all is looked at."""
    both = scene((20, 30, 16, RED), (140, 90, 16, RED), size=SIZE)
    given = mask((20, 30, 16, 9))
    for region, pixels in ((RegionSettings(), 0), (None, 200)):
        segmenter = follower(region=region)
        segmenter.start(both, given)
        found = segmenter.step(both)
        assert np.count_nonzero(found.labels[80:, 100:]) >= pixels
        if region is not None:
            outside = found.labels.copy()
            outside[seen(segmenter).window] = 0
            assert not outside.any() and not found.labels[80:, 100:].any()


def test_what_left_is_searched_for_everywhere():
    segmenter, blind = follower(), follower()
    empty, back = scene(size=SIZE, seed=1), red(150, 90, seed=2)
    for one in (segmenter, blind):
        one.start(red(20, 30), mask((20, 30, 16, 9)))
    assert not blind.step(back).objects[0].present  # it is where nobody looks
    for _ in range(2):
        assert not segmenter.step(empty).objects[0].present
    assert seen(segmenter) == Region.whole(SIZE)
    for one in (segmenter, blind):
        found = one.step(back)
        assert seen(one) == Region.whole(SIZE)
        assert found.objects[0].present
        assert iou(found.labels == 9, mask((150, 90, 16, 1)) > 0) > 0.6
        one.step(back)
        assert seen(one) == around(found.objects[0].box) != Region.whole(SIZE)


def test_while_one_object_is_gone_the_others_are_not_looked_at_closely():
    segmenter = follower()
    both = scene((20, 30, 16, RED), (50, 40, 16, BLUE), size=SIZE)
    segmenter.start(both, mask((20, 30, 16, 9), (50, 40, 16, 4)))
    assert seen(segmenter) == around((20, 30, 46, 26))
    for seed in range(2):
        found = segmenter.step(red(20, 30, seed=seed))
    assert [entry.present for entry in found.objects] == [False, True]
    assert seen(segmenter) == Region.whole(SIZE)


def test_objects_far_apart_are_seen_in_one_region():
    segmenter = follower()
    both = scene((20, 30, 16, RED), (100, 30, 16, BLUE), size=SIZE)
    given = mask((20, 30, 16, 9), (100, 30, 16, 4))
    segmenter.start(both, given)
    found = segmenter.step(both)
    assert seen(segmenter) == around((20, 30, 16, 16), (100, 30, 16, 16))
    for object_id in (4, 9):
        # 16 pixels of the image are 8 of the network's output: edges are off by up to one of them.
        assert iou(found.labels == object_id, given == object_id) > 0.75
    segmenter.remove(4)
    assert seen(segmenter) == around((20, 30, 16, 16), (100, 30, 16, 16))
    found = segmenter.step(both)
    assert iou(found.labels == 9, given == 9) > 0.8
    assert seen(segmenter).width < 80


def centres(segmenter) -> dict[int, tuple[float, float]]:
    """Where each object was last according to the state: (x, y) in pixels of the camera."""
    targets, geometry = segmenter._now.targets, segmenter._now.geometry
    found = {}
    for slot, object_id in enumerate(targets.slots):
        shown = targets.state.previous[0, slot].numpy()
        rows, columns = (np.arange(side) + 0.5 for side in shown.shape)
        weights = shown / shown.sum()
        place = (weights.sum(axis=0) @ columns, weights.sum(axis=1) @ rows)
        region, scaled = geometry.region, geometry.scaled
        found[object_id] = (
            region.x + 4 * place[0] * region.width / scaled[1],
            region.y + 4 * place[1] * region.height / scaled[0],
        )
    return found


@pytest.mark.parametrize("caught_up", [False, True])
def test_an_added_object_and_the_others_share_one_view(caught_up):
    """Each was seen in a region of its own; the state knows where both are."""
    segmenter = follower()
    segmenter.start(red(20, 30), mask((20, 30, 16, 9)))
    images = [scene((20 + i, 30, 16, RED), (100 - i, 60, 16, BLUE), size=SIZE, seed=i)
              for i in range(4)]  # fmt: skip
    for image in images:
        segmenter.step(image)
    if caught_up:
        segmenter.add(images[0], mask((100, 60, 16, 4)), since=images[1:])
    else:
        segmenter.add(images[3], mask((97, 60, 16, 4)))
    boxes = [entry.box for entry in segmenter._now.objects]
    assert seen(segmenter) == around(*boxes) != Region.whole(SIZE)
    places = centres(segmenter)
    assert places[9] == pytest.approx((31, 38), abs=2)
    assert places[4] == pytest.approx((105, 68), abs=2)
    found = segmenter.step(images[3])
    assert iou(found.labels == 9, mask((23, 30, 16, 1)) > 0) > 0.7
    assert iou(found.labels == 4, mask((97, 60, 16, 1)) > 0) > 0.7


def test_the_state_stays_in_place_when_the_view_changes():
    """From close to everywhere and back, through another resolution too."""
    segmenter = follower()
    segmenter.start(red(20, 30), mask((20, 30, 16, 9)))
    assert centres(segmenter)[9] == pytest.approx((28, 38), abs=0.5)
    now, finer = segmenter._now, (256, 384)
    for size in (SIZE, finer, (150, 270)):
        half = Region(size[1] // 16, size[0] // 16, size[1] // 2, size[0] // 2)
        for region in (None, half):
            geometry = type(now.geometry).of(*size, 64, 32, region)
            targets = now.targets_in(geometry, segmenter._device)
            segmenter._now = type(now)(geometry, targets, now.presence, now.labels, now.objects)
            scale = size[1] / SIZE[1], size[0] / SIZE[0]
            expected = (28 * scale[0], 38 * scale[1])
            assert centres(segmenter)[9] == pytest.approx(expected, abs=3 * max(scale))


def test_an_image_of_another_size_is_seen_as_a_whole_and_then_closely_again():
    segmenter, finer = follower(), (256, 384)
    segmenter.start(red(20, 30), mask((20, 30, 16, 9)))
    segmenter.step(red(20, 30))
    for step in range(3):
        found = segmenter.step(red(40, 60, 32, finer, seed=step))
        assert found.labels.shape == finer
        closely = iou(found.labels == 9, mask((40, 60, 32, 1), size=finer) > 0)
        assert closely > (0.8 if step else 0.5)
        assert (seen(segmenter) == Region.whole(finer)) == (step == 0)
    added = segmenter.add(red(20, 30), mask((120, 90, 16, 4)))
    assert added.labels.shape == SIZE
    np.testing.assert_array_equal(np.unique(added.labels), [0, 4, 9])
    assert centres(segmenter)[9] == pytest.approx((28, 38), abs=3)


def test_catching_up_looks_where_following_looks():
    images = [red(20 + 4 * i, 30, seed=i) for i in range(6)]
    one, other = follower(), follower()
    one.start(images[0], mask((20, 30, 16, 9)))
    for image in images[1:5]:
        last = one.step(image)
    same(last, other.start(images[0], mask((20, 30, 16, 9)), images[1:5]))
    assert seen(one) == seen(other) != Region.whole(SIZE)
    same(one.step(images[5]), other.step(images[5]))


def test_the_whole_image_is_seen_where_that_is_asked_for():
    segmenter = follower(region=None)
    segmenter.start(red(20, 30), mask((20, 30, 16, 9)))
    for seed in range(3):
        assert seen(segmenter) == Region.whole(SIZE)
        segmenter.step(red(20, 30, seed=seed))


def test_no_view_costs_memory_or_asks_for_a_value(network):
    """Whatever a network of random weights finds, it is looked at closely."""
    segmenter = VideoSegmenter(network, size=64, presence=ANY)
    segmenter.start(red(20, 30), mask((20, 30, 16, 9)))
    size, regions = segmenter.state_bytes, set()
    with HostGuard("cpu") as guard:
        for step in range(6):
            segmenter.step(red(20 + 4 * step, 30, seed=step))
            regions.add(seen(segmenter))
            assert segmenter.state_bytes == size
    assert len(regions) > 1 and "affine_grid_generator" in guard.seen
