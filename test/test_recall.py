# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What one segmenter has learned, another goes on with: on a new scene, and without a mask."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scene import Scene
from scenes import FIRST, SIZE, iou, mask_of, moving, same
from taught import CARD, same_tensors
from tiny import CONFIG, add_tiny_backbone

from vos_ros.learned import Learned
from vos_ros.models import build_network
from vos_ros.region import RegionSettings
from vos_ros.segmenter import SegmentationError, VideoSegmenter
from vos_ros.target_file import TaughtObjects, load_targets, save_targets
from vos_ros.weights import SHIPPED_WEIGHTS, find_weights, load_network

CLOSE = RegionSettings(margin=1.5, smallest=0.2)


def taught(network, *, mask=FIRST, steps=3, **options) -> VideoSegmenter:
    """A segmenter that has followed some squares for a while."""
    segmenter = VideoSegmenter(network, **{"size": 64, **options})
    segmenter.start(moving(1)[0], mask)
    for image in moving(steps, start=1):
        segmenter.step(image)
    return segmenter


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_was_learned_comes_back_to_the_bit(network, precision, tmp_path):
    learned = taught(network, precision=precision).learned()
    save_targets(tmp_path, "squares", TaughtObjects(learned), CARD)
    other = VideoSegmenter(network, size=64, precision=precision)
    other.recall(load_targets(tmp_path, "squares", CARD).learned)
    assert other.ids == (3, 200)
    again = other.learned()
    assert (again.ids, again.padded, again.precision) == (learned.ids, learned.padded, precision)
    same_tensors(again, learned)


def test_it_is_a_copy_that_later_images_do_not_change(network):
    segmenter = taught(network)
    learned = segmenter.learned()
    before = {name: value.clone() for name, value in learned.tensors.items()}
    for image in moving(3, start=4):
        segmenter.step(image)
    assert all(torch.equal(learned.tensors[name], value) for name, value in before.items())


def test_where_the_objects_were_is_not_in_it(network):
    """Of two places of the same things only what differs is left out: where they were last."""
    segmenter = taught(network)
    state = segmenter._now.targets.state
    masks = torch.rand(1, 2, *segmenter._now.geometry.padded)
    moved = segmenter._now.targets.with_state(state.shown(masks))
    learned = segmenter.learned()
    segmenter._now = replace(segmenter._now, targets=moved)
    same_tensors(segmenter.learned(), learned)
    assert "previous" not in learned.tensors


def test_nothing_is_present_before_it_is_found(network):
    segmenter = taught(network)
    segmenter.recall(segmenter.learned())
    assert [(entry.id, entry.present, entry.box) for entry in segmenter._now.objects] == [
        (3, False, (0, 0, 0, 0)), (200, False, (0, 0, 0, 0))
    ]  # fmt: skip
    state = segmenter._now.targets.state
    assert not state.previous.any()
    assert segmenter._geometry_of(SIZE, segmenter._now.objects).region.size == SIZE


def test_it_goes_on_as_one_that_lost_sight_of_them_would(network):
    """With what was found last wiped out, the one who learned it answers alike."""
    first = taught(network, region=None)
    second = VideoSegmenter(network, size=64, region=None)
    second.recall(first.learned())
    targets, padded = first._now.targets, first._now.geometry.padded
    blind = targets.with_state(targets.state.shown(torch.zeros(1, 2, *padded)))
    presence = second._now.presence.copy()
    first._now = replace(first._now, targets=blind, presence=presence)
    for image in moving(3, start=4):
        same(first.step(image), second.step(image))


def test_another_resolution_of_the_camera_is_as_any_time(network):
    """A camera of another shape: what lies in maps is resized, as when it changes mid-stream."""
    learned = taught(network, region=None).learned()
    segmenter = VideoSegmenter(network, size=64, region=None)
    segmenter.recall(learned)
    found = segmenter.step(np.full((100, 70, 3), 120, np.uint8))
    assert found.labels.shape == (100, 70)
    assert segmenter.learned().padded != learned.padded


def test_objects_that_began_at_several_resolutions_come_back(network):
    segmenter = taught(network, region=None)
    wide = np.full((64, 180, 3), 120, np.uint8)
    segmenter.step(wide)
    segmenter.add(wide, mask_of((20, 20, 24, 7), size=(64, 180)))
    learned = segmenter.learned()
    other = VideoSegmenter(network, size=64)
    other.recall(learned)
    same_tensors(other.learned(), learned)


def test_remembered_frames_are_part_of_what_was_learned(monkeypatch):
    add_tiny_backbone(monkeypatch)
    network = build_network("gfddal", {**CONFIG, "memory": 3, "memory_interval": 1})
    learned = taught(network, steps=4).learned()
    assert learned.tensors["memory_keys"].shape[2] == 3
    segmenter = taught(network, mask=mask_of((30, 20, 20, 9)))
    segmenter.recall(learned, keep_existing=True)
    again = segmenter.learned()
    for name in ("memory_keys", "memory_values", "memory_age"):
        assert again.ids == (9, 3, 200)
        assert torch.equal(again.tensors[name][:, 1:], learned.tensors[name]), name
    assert segmenter.step(np.full((100, 70, 3), 120, np.uint8)).labels.shape == (100, 70)


def test_those_followed_stay_when_that_is_asked_for(network):
    learned = taught(network).learned()
    segmenter = taught(network, mask=mask_of((60, 40, 20, 3), (4, 8, 20, 9)), region=CLOSE)
    segmenter.recall(learned, keep_existing=True)
    assert segmenter.ids == (3, 9, 200)
    seen = {entry.id: entry for entry in segmenter._now.objects}
    assert not seen[3].present and not seen[200].present
    assert not (segmenter._now.labels == 3).any()
    again = segmenter.learned()
    for name, value in learned.tensors.items():
        for object_id in (3, 200):
            mine, theirs = again.ids.index(object_id), learned.ids.index(object_id)
            assert torch.equal(again.tensors[name][:, mine], value[:, theirs]), name
    assert segmenter.step(moving(5)[4]).labels.shape == SIZE
    segmenter.recall(learned)
    assert segmenter.ids == (3, 200)


def test_with_nothing_followed_there_is_nothing_to_learn(network):
    segmenter = VideoSegmenter(network, size=64)
    with pytest.raises(SegmentationError, match="nothing is followed"):
        segmenter.learned()
    segmenter.recall(taught(network).learned(), keep_existing=True)
    assert segmenter.ids == (3, 200)


def test_numbers_are_widened_but_never_rounded(network):
    narrow = taught(network, precision="bf16").learned()
    wide = VideoSegmenter(network, size=64, precision="fp32")
    wide.recall(narrow)
    found = wide.learned()
    for name, value in narrow.tensors.items():
        assert torch.equal(found.tensors[name], value.float()), name
    if all(value.dtype == torch.float32 for value in narrow.tensors.values()):
        return  # of DGMPM what is learned is float32 in every precision
    half = VideoSegmenter(network, size=64, precision="bf16")
    with pytest.raises(SegmentationError, match="learned in fp32, and .* without loss; use the"):
        half.recall(taught(network, precision="fp32").learned())


# --- refused --------------------------------------------------------------------------------------


def changed(learned: Learned, name: str, change) -> Learned:
    return replace(learned, tensors={**learned.tensors, name: change(learned.tensors[name])})


def first_of(learned: Learned) -> str:
    return min(learned.tensors)


REFUSED = [
    (lambda x: replace(x, size=96), "learned at 96 pixels on the short side, and here .* sees 64"),
    (lambda x: replace(x, padded=(64, 100)), "is seen by the network as 64 x 100"),
    (lambda x: replace(x, padded=(1 << 20, 1 << 20)), "is seen by the network as 1048576 x"),
    (lambda x: replace(x, padded=(0, 96)), "is seen by the network as 0 x 96"),
    (lambda x: replace(x, padded=(-64, 96)), "is seen by the network as -64 x 96"),
    (lambda x: replace(x, ids=(3, 3)), "each with an id of its own"),
    (lambda x: replace(x, ids=(3, 256)), "ids must be within 1..255, not 256"),
    (lambda x: replace(x, tensors={}), "is of another network: .* is missing"),
    (lambda x: replace(x, tensors={**x.tensors, "age": torch.zeros(1, 2)}), "age is none of its"),
    (lambda x: changed(x, first_of(x), lambda t: t[..., :-1]), "has the shape .* for each object"),
    (lambda x: changed(x, first_of(x), lambda t: t.unsqueeze(2)), "for each object, and the netw"),
    (lambda x: changed(x, first_of(x), lambda t: t.double()), "from float64 into"),
    (lambda x: changed(x, first_of(x), lambda t: t.int()), "from int32 into"),
    (lambda x: changed(x, first_of(x), lambda t: t * torch.nan), "holds values that are not num"),
]


@pytest.mark.parametrize(("change", "words"), REFUSED)
def test_what_does_not_fit_is_refused_and_changes_nothing(network, change, words):
    segmenter, twin = taught(network), taught(network)
    with pytest.raises(SegmentationError, match=words):
        segmenter.recall(change(segmenter.learned()))
    same(segmenter.step(moving(5)[4]), twin.step(moving(5)[4]))


def test_more_than_may_be_followed_are_refused(network):
    learned = taught(network).learned()
    one = VideoSegmenter(network, size=64, max_objects=1)
    with pytest.raises(SegmentationError, match="learned is of 2 objects; at most 1 can be"):
        one.recall(learned)
    two = taught(network, mask=mask_of((4, 8, 20, 9)), max_objects=2)
    with pytest.raises(SegmentationError, match="2 objects beside the 1 followed, which makes 3"):
        two.recall(learned, keep_existing=True)
    assert two.ids == (9,)


# --- with the shipped networks --------------------------------------------------------------------


class OtherGround(Scene):
    """The same thing on the same path, over a ground that it was never seen on."""

    def __init__(self, seed: int, ground: int) -> None:
        super().__init__(seed=seed)
        self._ground = Scene(seed=ground)._ground[:, ::-1].copy()


@pytest.mark.parametrize("name", sorted(SHIPPED_WEIGHTS.values()))
def test_a_taught_object_is_found_on_a_new_scene_after_a_restart(name, tmp_path):
    network, card = load_network(find_weights(name))
    here, there = Scene(seed=7), OtherGround(seed=7, ground=8)
    before = VideoSegmenter(network, size=192)
    before.start(here.frame(0), 4 * here.truth(0))
    for number in range(1, 4):
        before.step(here.frame(number))
    save_targets(tmp_path, "thing", TaughtObjects(before.learned(), {4: "thing"}), card)

    network, card = load_network(find_weights(name))
    after = VideoSegmenter(network, size=192)
    after.recall(load_targets(tmp_path, "thing", card).learned)
    for number in range(30, 33):  # elsewhere on its path
        found = after.step(there.frame(number))
    assert iou(found.labels == 4, there.truth(32) > 0) > 0.9
    assert [(entry.id, entry.present) for entry in found.objects] == [(4, True)]
