# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A segmenter that acts on which object is which, with a network that mixes them up."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from gfddal_cases import boxes, build, encoded, frames
from scenes import BLUE, RED, mask_of, scene
from tiny import ColourNetwork, add_tiny_backbone

from vos_ros.evidence import CHECKS
from vos_ros.segmenter import VideoSegmenter


@pytest.fixture(autouse=True)
def tiny_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tiny_backbone(monkeypatch)
    torch.manual_seed(0)


def test_what_objects_looked_like_first_stays_with_them_when_they_are_exchanged():
    network = build(memory=4, memory_interval=1).eval()
    with torch.inference_mode():
        state = network.start(encoded(network, frames(1)), boxes(3))
        for seed in range(1, 5):
            _, state = network.step(encoded(network, frames(1, seed=seed)), state)
        after = state.exchanged(0, 2)
    for name, value in state.tensors().items():
        now, other = getattr(after, name), value.clone()
        if name in state.renewed:
            other[:, 0], other[:, 2] = value[:, 2], value[:, 0]
        if name == "means":
            other[:, :, :2] = value[:, :, :2]
        if name in ("memory_keys", "memory_values"):
            other[:, :, :1] = value[:, :, :1]
        assert torch.equal(now, other), name
    assert not torch.equal(after.previous, state.previous)
    again = after.exchanged(0, 2)
    assert all(torch.equal(getattr(again, n), v) for n, v in state.tensors().items())


#: a red thing and a blue one, far from each other and with the blue one before the red
AWAY = scene((4, 8, 16, RED), (60, 8, 16, BLUE))
TOUCHING = scene((4, 8, 16, RED), (14, 18, 16, BLUE))
MASK = mask_of((4, 8, 16, 1), (60, 8, 16, 5))


class MixingNetwork(ColourNetwork):
    """Says of each of two objects what is true of the other, once `mixes` is set."""

    mixes = False

    def step(self, features, state):
        prediction, after = super().step(features, state)
        if self.mixes:
            prediction = dataclasses.replace(prediction, logits=prediction.logits[:, [0, 2, 1]])
        return prediction, after


def mixing() -> tuple[VideoSegmenter, MixingNetwork]:
    segmenter = VideoSegmenter(MixingNetwork(), size=64, region=None)
    return segmenter, segmenter._network


def test_a_segmenter_puts_right_two_that_have_each_others_ids():
    """The boxes of 1 and 5 touch once; then each is taken for the other."""
    segmenter, network = mixing()
    segmenter.start(AWAY, MASK)
    for image in (AWAY, TOUCHING):
        result = segmenter.step(image)
        assert (result.doubts, result.exchanged) == ((), ())
    network.mixes = True
    found = [segmenter.step(AWAY) for _ in range(CHECKS)]
    before, after = found[-2:]
    assert before.exchanged == () and after.exchanged == ((1, 5),)
    swap = np.arange(256, dtype=np.uint8)
    swap[[1, 5]] = 5, 1
    assert np.mean(after.labels != swap[before.labels]) < 0.01
    assert before.labels[16, 12] == 5 and after.labels[16, 12] == 1
    one, other = after.objects
    assert (one.id, other.id) == (1, 5)
    assert one.box == before.objects[1].box and other.box == before.objects[0].box
    for _ in range(10):
        following = segmenter.step(AWAY)
        assert (following.exchanged, following.doubts) == ((), ())
        assert not any(entry.doubtful for entry in following.objects)
    segmenter.remove(5)
    assert segmenter.ids == (1,)


def test_a_segmenter_tells_of_two_that_it_cannot_tell_apart():
    """Which differ by their places alone, and so does the network that follows them."""
    twins = (4, 8, 16, RED), (60, 8, 16, RED)
    apart, close = scene(*twins), scene(twins[0], (21, 8, 16, RED))
    segmenter = VideoSegmenter(ByPlace(), size=64)
    segmenter.start(apart, MASK)
    found = [segmenter.step(image) for image in (apart, close, apart, apart)]
    assert [each.doubts for each in found] == [(), ((1, 5),), ((1, 5),), ((1, 5),)]
    assert [entry.doubtful for entry in found[0].objects] == [False, False]
    for each in found[1:]:
        assert [(entry.doubtful, entry.rivals) for entry in each.objects] == [
            (True, (5,)),
            (True, (1,)),
        ]
    answer = segmenter.add(apart, mask_of((60, 8, 16, 5)))
    assert answer.doubts == () and not any(entry.doubtful for entry in answer.objects)
    assert segmenter.step(apart).doubts == ()


class ByPlace(ColourNetwork):
    """Finds each of two objects in its half of the image, by their colour."""

    def step(self, features, state):
        prediction, after = super().step(features, state)
        logits = prediction.logits.clone()
        middle = 4 if features.colours.shape[-1] < 24 else features.colours.shape[-1] // 5
        logits[:, 1, :, middle + 1 :] -= 40
        logits[:, 2, :, : middle + 1] -= 40
        return dataclasses.replace(prediction, logits=logits), after


def test_one_that_is_removed_leaves_no_rival():
    twins = (4, 8, 16, RED), (60, 8, 16, RED)
    segmenter = VideoSegmenter(ByPlace(), size=64)
    segmenter.start(scene(*twins), MASK)
    segmenter.step(scene(twins[0], (21, 8, 16, RED)))
    assert segmenter._now.objects[0].rivals == (5,)
    segmenter.remove(5)
    assert not segmenter._now.objects[0].doubtful
    assert segmenter._now.objects[0].rivals == ()


def test_what_is_taken_for_an_object_that_was_away_is_told_where_it_looks_otherwise():
    """A network that is not particular about colours takes a darker thing for it."""
    segmenter = VideoSegmenter(ColourNetwork(), size=64)
    plain = scene((4, 8, 20, RED))
    other = scene((60, 30, 20, (200, 70, 60)))
    segmenter.start(plain, mask_of((4, 8, 20, 1)))
    segmenter.step(plain)
    for _ in range(3):
        assert not segmenter.step(scene()).objects[0].present
    found = [segmenter.step(other).objects[0] for _ in range(CHECKS)]
    assert all(entry.present for entry in found)
    assert [entry.doubtful for entry in found] == [False, False, True]
    assert found[-1].rivals == ()
    back = [segmenter.step(plain).objects[0] for _ in range(12)]
    assert back[-1].present and not back[-1].doubtful


def test_whoever_follows_no_more_of_the_rivals_has_none_of_them():
    segmenter, _ = mixing()
    segmenter.start(AWAY, MASK)
    entry = segmenter._now.objects[0]
    doubted = dataclasses.replace(entry, doubtful=True, rivals=(2, 5))
    assert doubted.apart_from({2}).rivals == (5,) and doubted.apart_from({2}).doubtful
    assert not doubted.apart_from({2, 5}).doubtful
    stranger = dataclasses.replace(entry, doubtful=True)
    assert stranger.apart_from({5}).doubtful
