# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Objects that are out of view, and objects of which the network says nothing that is a number."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from networks import SMALL
from scenes import BLUE, FIRST, GREEN, RED, SIZE, iou, mask_of, moving, scene
from tiny import ColourNetwork, add_tiny_backbone

from vos_ros.models.aggregation import only_numbers
from vos_ros.models.state import SegmentationNetwork
from vos_ros.presence import PresenceSettings
from vos_ros.runtimes.eager import EagerRuntime
from vos_ros.segmenter import SegmentationError, VideoSegmenter

EMPTY = scene(seed=5)
NEVER = PresenceSettings(appear=1.0, vanish=1.0, linger=1)
"""With it nothing is ever seen, whatever the network says."""


def fields(segmenter, slot=0):
    """The tensors of the state of one object, by name, copied."""
    state = segmenter._now.targets.state
    values = {f.name: getattr(state, f.name) for f in dataclasses.fields(state)}
    return {k: v[:, slot].clone() for k, v in values.items() if isinstance(v, torch.Tensor)}


def places_of(segmenter):
    """The names of the fields that say where an object was found last."""
    state = segmenter._now.targets.state
    shown = state.shown(torch.zeros(1, state.count, *segmenter._now.geometry.padded))
    return {f.name for f in dataclasses.fields(state)
            if getattr(shown, f.name) is not getattr(state, f.name)}  # fmt: skip


def test_an_absent_object_learns_nothing(network):
    segmenter = VideoSegmenter(network, size=64, region=None, presence=NEVER)
    segmenter.start(moving(1)[0], FIRST)
    first = fields(segmenter)
    for number, image in enumerate(moving(3, start=1)):
        found = segmenter.step(image)
        assert not any(entry.present for entry in found.objects)
        if not number:  # it lingers where it was
            assert all(torch.equal(value, first[k]) for k, value in fields(segmenter).items())
    now = fields(segmenter)
    assert any(not torch.equal(now[name], first[name]) for name in places_of(segmenter))
    assert now.keys() > places_of(segmenter)
    for name in now.keys() - places_of(segmenter):
        assert torch.equal(now[name], first[name]), name


def test_what_an_object_looks_like_is_what_is_renewed_and_is_no_place(network):
    segmenter = VideoSegmenter(network, size=64)
    segmenter.start(moving(1)[0], FIRST)
    state = segmenter._now.targets.state
    assert state.learned == state.renewed - places_of(segmenter)


def test_a_present_object_does_learn(network):
    """What the test above checks would otherwise hold of a network that never learns."""
    everything = PresenceSettings(appear=0.0, vanish=0.0, minimum_area=0.0)
    segmenter = VideoSegmenter(network, size=64, region=None, presence=everything)
    segmenter.start(moving(1)[0], FIRST)
    first = fields(segmenter)
    found = segmenter.step(moving(2)[1])
    assert found.objects[0].present
    changed = {k for k, v in fields(segmenter).items() if not torch.equal(v, first[k])}
    assert changed & segmenter._now.targets.state.renewed


def test_an_absent_object_has_no_pixels_and_the_others_keep_theirs(colour):
    unsure = VideoSegmenter(ColourNetwork(), size=64, presence=NEVER)
    open_handed = PresenceSettings(appear=1.0, vanish=1.0, hide=False)
    shown = VideoSegmenter(ColourNetwork(), size=64, presence=open_handed)
    for segmenter in (unsure, shown, colour):
        segmenter.start(moving(1)[0], FIRST)
    hidden, left, seen = (s.step(moving(2)[1]) for s in (unsure, shown, colour))
    assert not hidden.labels.any()
    np.testing.assert_array_equal(left.labels, seen.labels)
    for entry, other, there in zip(hidden.objects, left.objects, seen.objects, strict=True):
        assert (entry.present, entry.area_fraction, entry.box) == (False, 0.0, (0, 0, 0, 0))
        assert (other.present, other.area_fraction, other.box) == (
            False, there.area_fraction, there.box,
        )  # fmt: skip
        assert entry.score == other.score == pytest.approx(there.score)


def test_while_one_is_out_of_view_the_other_is_followed_and_goes_on_learning(colour):
    colour.start(scene((4, 8, 20, RED), (60, 40, 20, BLUE)), FIRST)
    gone, there = (colour._now.targets.slots.index(i) for i in (200, 3))
    before = fields(colour, gone)["colours"], fields(colour, there)["colours"]
    paler = (60, 90, 230)
    for number in range(3):
        found = colour.step(scene((60, 40, 20, paler), seed=number))
    assert [entry.present for entry in found.objects] == [True, False]
    assert iou(found.labels == 3, mask_of((60, 40, 20, 1)) > 0) > 0.75
    assert torch.equal(fields(colour, gone)["colours"], before[0])
    assert (fields(colour, there)["colours"] - before[1]).abs().max() > 0.01


@pytest.mark.parametrize("frames", [1, 3, 40])
def test_after_any_time_out_of_view_it_is_taken_up_under_its_id_wherever_it_is(colour, frames):
    colour.start(scene((4, 8, 20, RED)), mask_of((4, 8, 20, 7)))
    colour.step(scene((6, 8, 20, RED)))
    for count in range(1, frames + 1):
        (gone,) = colour.step(scene((60, 4, 20, GREEN), seed=count)).objects
        assert (gone.present, gone.absent_frames) == (False, count)
    back = colour.step(scene((70, 40, 20, RED), seed=3))
    (returned,) = back.objects
    assert (returned.id, returned.present, returned.absent_frames) == (7, True, 0)
    assert iou(back.labels == 7, mask_of((70, 40, 20, 1)) > 0) > 0.9


class Poisoned(torch.nn.Module):
    """Around a network: while `bad` names a slot, what is computed of that object is no number.

    Args:
        where: ``output``, as in a mask, or ``state``, as in what is remembered.
    """

    def __init__(self, network, where):
        super().__init__()
        self.network, self.where = network, where
        self.bad = None

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.network, name)

    def advance(self, images, state):
        return SegmentationNetwork.advance(self, images, state)

    def advance_features(self, features, state):
        return SegmentationNetwork.advance_features(self, features, state)

    def step(self, features, state):
        if self.bad is None:
            return self.network.step(features, state)
        if self.where == "output":
            # As weights that overflow do: all that is read of this object becomes none.
            previous = state.previous.clone()
            previous[:, self.bad] = torch.nan
            return self.network.step(features, dataclasses.replace(state, previous=previous))
        prediction, after = self.network.step(features, state)
        name = sorted(type(state).renewed)[0]
        value = getattr(after, name).clone()
        value[:, self.bad] = torch.inf
        return prediction, dataclasses.replace(after, **{name: value})


@pytest.fixture(params=["gfddal", "dgmpm"])
def poisoned(request, monkeypatch):
    """Makes a segmenter whose network can be made to fail for one object."""
    add_tiny_backbone(monkeypatch)

    def make(where):
        everything = PresenceSettings(appear=0.0, vanish=0.0, minimum_area=0.0, hide=False)
        segmenter = VideoSegmenter(
            SMALL[request.param](), size=64, region=None, presence=everything
        )
        segmenter._network = Poisoned(segmenter._network, where)
        segmenter._runtime = EagerRuntime(segmenter._network)
        return segmenter

    return make


@pytest.mark.parametrize("where", ["output", "state"])
def test_an_object_that_could_not_be_computed_is_as_it_was_and_the_others_go_on(poisoned, where):
    segmenter = poisoned(where)
    segmenter.start(moving(1)[0], FIRST)
    segmenter.step(moving(2)[1])
    slot = segmenter._now.targets.slots.index(200)
    before, other = fields(segmenter, slot), fields(segmenter, 1 - slot)
    segmenter._network.bad = slot
    found = segmenter.step(moving(3)[2])
    there, failed = found.objects
    assert (failed.id, failed.present, failed.sound, failed.score) == (200, False, False, 0.0)
    assert (failed.area_fraction, failed.box) == (0.0, (0, 0, 0, 0))
    assert 200 not in found.labels
    for name, value in fields(segmenter, slot).items():
        assert torch.equal(value, before[name]), name
    assert there.sound and np.isfinite(there.score) and (found.labels == 3).any()
    now = fields(segmenter, 1 - slot)
    assert all(value.isfinite().all() for value in now.values())
    assert any(not torch.equal(value, other[name]) for name, value in now.items())
    segmenter._network.bad = None
    assert all(entry.sound for entry in segmenter.step(moving(4)[3]).objects)


def test_what_is_no_number_is_surely_not_there_and_the_rest_as_it_was():
    logits = torch.randn(2, 3, 4, 5)
    logits[0, 1, 2, 2] = torch.nan
    other = torch.randn(2, 3, 2, 2)
    other[1, 2, 0, 0] = torch.nan
    (one, two), sound = only_numbers(logits, other)
    assert sound.tolist() == [[True, False, True], [True, True, False]]
    assert (one[0, 1] == -12).all() and (two[1, 2] == -12).all()
    assert torch.equal(one[sound], logits[sound]) and torch.equal(two[sound], other[sound])


def short(*_):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")


def out_of_host(*_):
    raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.")


@pytest.mark.parametrize("failing", [short, out_of_host])
@pytest.mark.parametrize("verb", ["encode", "start", "step"])
def test_without_memory_for_it_a_call_is_refused_in_words_and_changes_nothing(
    colour, verb, failing, monkeypatch
):
    images = moving(4)
    twin = VideoSegmenter(ColourNetwork(), size=64)
    for segmenter in (colour, twin):
        segmenter.start(images[0], FIRST)
        segmenter.step(images[1])
    with monkeypatch.context() as patch:
        patch.setattr(colour._network, verb, failing)
        calls = [lambda: colour.step(images[2])] if verb != "start" else []
        if verb != "step":
            new = mask_of((4, 40, 9, 9))
            calls += [lambda: colour.add(images[2], new), lambda: colour.start(images[2], new)]
        for call in calls:
            with pytest.raises(SegmentationError, match="the memory of cpu is not enough"):
                call()
    assert colour.ids == (3, 200)
    for image in images[2:]:
        one, other = colour.step(image), twin.step(image)
        np.testing.assert_array_equal(one.labels, other.labels)
        assert one.objects == other.objects


def test_another_error_of_the_network_is_not_taken_for_a_want_of_memory(colour, monkeypatch):
    def broken(*_):
        raise RuntimeError("shapes do not fit")

    colour.start(moving(1)[0], FIRST)
    monkeypatch.setattr(colour._network, "step", broken)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        colour.step(moving(1)[0])


def test_confidence_is_the_probability_of_the_label(colour):
    """Against the softmax at every pixel, the image being seen at its own size."""
    seen = []
    step = colour._network.step

    def watched(features, state):
        prediction, after = step(features, state)
        seen.append(prediction.logits)
        return prediction, after

    colour = VideoSegmenter(ColourNetwork(), size=64, region=None)
    step = colour._network.step
    colour._network.step = watched
    colour.with_confidence = True
    assert (colour.start(moving(1)[0], FIRST).confidence == 1).all()
    found = colour.step(moving(2)[1])
    logits = torch.nn.functional.interpolate(seen[0], size=SIZE, mode="bilinear")[0]
    chances = logits.softmax(dim=0).numpy()
    channel = {0: 0, **{i: 1 + n for n, i in enumerate(colour._now.targets.slots)}}
    expected = np.zeros(SIZE)
    for label, number in channel.items():
        expected[found.labels == label] = chances[number][found.labels == label]
    assert found.confidence.dtype == np.float32 and found.confidence.shape == SIZE
    np.testing.assert_allclose(found.confidence, expected, atol=1e-6)
    assert found.confidence.min() > 0.3 and found.confidence.max() > 0.99


def test_confidence_is_0_where_the_network_did_not_look(colour):
    colour.with_confidence = True
    colour.start(scene((4, 8, 20, RED)), mask_of((4, 8, 20, 7)))
    found = colour.step(scene((5, 8, 20, RED)))
    region = colour._now.geometry.region
    assert region.size != SIZE
    looked = np.zeros(SIZE, bool)
    looked[region.window] = True
    assert (found.confidence[looked] > 0.3).all() and not found.confidence[~looked].any()


def test_confidence_of_an_added_object_is_that_of_a_person_and_of_the_others_as_before(colour):
    colour.with_confidence = True
    images = moving(2)
    colour.start(images[0], FIRST)
    before = colour.step(images[1]).confidence
    new = mask_of((30, 50, 9, 5))
    after = colour.add(images[1], new).confidence
    np.testing.assert_array_equal(after, np.where(new > 0, 1, before))


def test_confidence_is_worked_out_only_when_it_is_asked_for(colour, monkeypatch):
    monkeypatch.setattr("vos_ros.segmenter.confidence_of", None)
    assert colour.start(moving(1)[0], FIRST).confidence is None
    assert colour.step(moving(2)[1]).confidence is None
