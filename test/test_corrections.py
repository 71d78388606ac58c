# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Objects corrected, added and removed in the midst of a stream, the whole image being seen."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from scene import Scene
from scenes import BLUE, FIRST, RED, iou, mask_of, moving, scene
from tiny import ColourNetwork

from vos_ros.segmenter import VideoSegmenter
from vos_ros.weights import find_weights, load_network


def fields(segmenter, object_id):
    """The tensors of the state of one object, by name."""
    targets = segmenter._now.targets
    slot = targets.slots.index(object_id)
    values = {f.name: getattr(targets.state, f.name) for f in dataclasses.fields(targets.state)}
    return {k: v[:, slot] for k, v in values.items() if isinstance(v, torch.Tensor)}


def test_a_correction_leaves_nothing_of_what_was_learned_before(network):
    """Not the first appearance, nor what came since, nor a remembered frame."""
    images = moving(6)
    followed, fresh = (VideoSegmenter(network, size=64, region=None) for _ in range(2))
    followed.start(images[0], FIRST)
    for image in images[1:5]:
        followed.step(image)
    kept = fields(followed, 3)
    right = mask_of((14, 8, 20, 200))
    followed.add(images[5], right)
    fresh.start(images[5], right)
    for name, value in fields(fresh, 200).items():
        assert torch.equal(fields(followed, 200)[name], value), name
    for name, value in fields(followed, 3).items():
        assert torch.equal(value, kept[name]), name
    (entry,) = (entry for entry in followed._now.objects if entry.id == 200)
    assert (entry.present, entry.absent_frames) == (True, 0)


def test_a_correction_brings_back_an_object_that_was_lost(colour):
    colour.start(scene((4, 8, 20, RED), (60, 40, 20, BLUE)), FIRST)
    changed = scene((4, 8, 20, (40, 200, 60)), (60, 40, 20, BLUE))
    lost = {entry.id: entry for entry in colour.step(changed).objects}[200]
    assert (lost.present, lost.absent_frames) == (False, 1)
    colour.add(changed, mask_of((4, 8, 20, 200)))
    found = colour.step(changed)
    assert all(entry.present and not entry.absent_frames for entry in found.objects)
    assert iou(found.labels == 200, mask_of((4, 8, 20, 1)) > 0) > 0.9


def follow(network, film, removed, **settings):
    """Labels of object 200 in every frame; object 3 is removed before the third, or ignored."""
    segmenter = VideoSegmenter(network, **settings)
    images, mask = film
    segmenter.start(images[0], mask)
    found = []
    for number, image in enumerate(images[1:], start=1):
        if number == 3 and removed:
            segmenter.remove(3)
        found.append(segmenter.step(image).labels == 200)
    return found


def test_removing_one_object_leaves_the_masks_of_another_as_if_it_were_ignored():
    film = moving(8), FIRST
    pairs = [follow(ColourNetwork(), film, removed, size=64, region=None) for removed in (True, 0)]
    for one, other in zip(*pairs, strict=True):
        assert iou(one, other) > 0.95


def test_removing_one_object_hardly_changes_the_masks_that_the_shipped_network_finds():
    network, _ = load_network(find_weights(""))
    made_up = Scene(192, 144)
    mask = made_up.truth(0) * np.uint8(200)
    mask[:30, :40] = 3  # of the ground, where the thing never is
    film = [made_up.frame(number) for number in range(6)], mask
    pairs = [follow(network, film, removed, size=144, region=None) for removed in (True, False)]
    for number, (one, other) in enumerate(zip(*pairs, strict=True), start=1):
        assert iou(one, made_up.truth(number) == 1) > 0.8
        assert iou(one, other) == 1 if number < 3 else iou(one, other) > 0.97


@pytest.mark.parametrize("removed", [True, False])
def test_where_the_objects_are_decides_what_is_seen_so_that_removing_one_looks_closer(removed):
    segmenter = VideoSegmenter(ColourNetwork(), size=64)
    segmenter.start(moving(1)[0], FIRST)
    if removed:
        segmenter.remove(200)
    segmenter.step(moving(2)[1])
    share = segmenter._now.geometry.region.width / 96
    assert (share < 0.6) == removed
