# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which object is which: decisions worked out by hand, and a segmenter that acts on them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gfddal_cases import boxes, build, encoded, frames
from scenes import BLUE, RED, mask_of, scene
from tiny import ColourNetwork, add_tiny_backbone

from vos_ros.identity import ALIKE, CHECKS, ENOUGH, SURE, SWAPPED, TYPICAL, IdentityWatch, apart
from vos_ros.presence import ObjectPresence
from vos_ros.segmenter import VideoSegmenter

LEFT, RIGHT, NEAR_LEFT = (0, 0, 10, 10), (50, 0, 10, 10), (8, 0, 10, 10)
SLOTS = (2, 1)  # not in the order of the ids


def shown(first=LEFT, second=RIGHT) -> tuple[ObjectPresence, ...]:
    """Objects 1 and 2 with these boxes; None is one that is out of sight."""
    return tuple(
        ObjectPresence(key, box is not None, 0.9, 0.1, box or (0, 0, 0, 0))
        for key, box in ((1, first), (2, second))
    )


def likeness(first: float, second: float) -> np.ndarray:
    """Objects agree with their own looks by so much more than the others do with these."""
    matrix = np.full((2, 2), 0.5, np.float32)
    matrix[1, 1], matrix[0, 0] = 0.5 + first, 0.5 + second  # slot 1 is object 1
    return matrix


def known(difference: float = 0.4) -> IdentityWatch:
    """Two that were seen apart first, and held against their looks."""
    half = likeness(difference / 2, difference / 2)
    return IdentityWatch().seen(shown()).seen(shown(), SLOTS, half)


def watched(watch: IdentityWatch, scene, values, count: int) -> IdentityWatch:
    """After so many more images of a scene, in each of which the two agree so."""
    for _ in range(count):
        watch = watch.seen(scene, SLOTS, likeness(*values))
    return watch


def test_two_that_were_apart_all_the_time_are_looked_at_once():
    first = IdentityWatch().seen(shown())
    assert first.curious
    watch = first.seen(shown(), SLOTS, likeness(0.2, 0.1))
    assert watch.pairs[(1, 2)].difference == pytest.approx(0.3)
    assert not watch.curious
    # Whatever anybody said of them then: nothing has happened.
    watch = watched(watch, shown(), (-0.4, -0.4), 20)
    assert (watch.doubts, watch.swapped()) == ((), None)


def test_two_that_touched_are_themselves_where_they_look_like_it():
    watch = known().seen(shown(LEFT, NEAR_LEFT))
    assert watch.curious and watch.doubts == ()
    watch = watch.seen(shown())  # whose likeness is of the image before, in which they touched
    watch = watched(watch, shown(), (0.1, 0.1), CHECKS - 1)
    assert watch.curious and watch.doubts == ()
    watch = watched(watch, shown(), (0.1, 0.1), 1)
    assert not watch.curious
    assert (watch.doubts, watch.swapped()) == ((), None)


def test_two_that_touched_were_swapped_where_each_looks_like_the_other():
    watch = known().seen(shown(LEFT, NEAR_LEFT)).seen(shown())
    watch = watched(watch, shown(), (-0.1, -0.1), CHECKS - 1)
    assert watch.swapped() is None
    watch = watched(watch, shown(), (-0.1, -0.1), 1)
    assert watch.swapped() == (1, 2)
    watch = watch.exchanged((1, 2))
    assert (watch.swapped(), watch.doubts) == (None, ())
    assert not watched(watch, shown(), (0.1, 0.1), CHECKS).curious


@pytest.mark.parametrize(
    ("share", "swapped", "doubt"),
    [
        (SURE + 0.01, False, False),
        (SURE - 0.01, False, True),
        (-SWAPPED + 0.01, False, True),
        (-SWAPPED - 0.01, True, True),
    ],
)
def test_thresholds_are_parts_of_what_the_two_differ_by(share, swapped, doubt):
    for difference in (0.2, 0.8):
        watch = known(difference).seen(shown(LEFT, NEAR_LEFT)).seen(shown())
        watch = watched(watch, shown(), (share * difference, 0.0), CHECKS)
        assert (watch.swapped() is not None, watch.doubts != ()) == (swapped, doubt)


def test_two_that_look_alike_stay_in_doubt_whatever_they_look_like():
    for value in (0.3, -0.3):
        watch = known(ALIKE - 0.01).seen(shown(LEFT, NEAR_LEFT)).seen(shown())
        watch = watched(watch, shown(), (value, value), CHECKS)
        assert (watch.doubts, watch.swapped()) == (((1, 2),), None)


def test_of_two_that_touched_from_the_beginning_a_usual_difference_is_assumed():
    for share, swapped in ((SWAPPED + 0.01, True), (SWAPPED - 0.01, False)):
        watch = IdentityWatch().seen(shown(LEFT, NEAR_LEFT)).seen(shown())
        watch = watched(watch, shown(), (-share * TYPICAL, 0.0), CHECKS)
        assert (watch.swapped() is not None) == swapped


def test_an_object_that_stays_is_not_in_doubt_because_another_leaves():
    watch = known().seen(shown(LEFT, None))
    assert not watch.curious
    watch = watched(watch, shown(LEFT, None), (-0.4, 0.0), 10)
    assert (watch.doubts, watch.swapped()) == ((), None)
    # When the other is back, it is to be seen which is which.
    assert watch.seen(shown()).curious


def test_one_that_comes_back_alone_may_be_the_other():
    watch = known().seen(shown(None, None)).seen(shown(LEFT, None))
    watch = watched(watch, shown(LEFT, None), (-0.08, 0.0), CHECKS)
    assert watch.swapped() == (1, 2)
    watch = watch.exchanged((1, 2))
    # From here on the other id is seen, in the same scene: what it agrees with counts at once.
    watch = watched(watch, shown(None, LEFT), (0.0, 0.06), CHECKS)
    assert (watch.curious, watch.doubts, watch.swapped()) == (False, (), None)


def test_what_cannot_be_said_does_not_count():
    watch = known().seen(shown(LEFT, NEAR_LEFT)).seen(shown())
    watch = watched(watch, shown(), (np.nan, -0.4), 10)
    assert watch.pairs[(1, 2)].checks == 0 and watch.curious
    assert watch.seen(shown()).pairs == watch.pairs


def test_after_enough_nobody_asks_again_until_something_happens():
    watch = known().seen(shown(LEFT, NEAR_LEFT)).seen(shown())
    watch = watched(watch, shown(), (0.0, 0.0), ENOUGH)
    assert (watch.curious, watch.doubts) == (False, ((1, 2),))
    assert watch.seen(shown(LEFT, NEAR_LEFT)).curious


def test_of_an_object_that_was_given_a_new_mask_nothing_is_known():
    watch = known().seen(shown(LEFT, NEAR_LEFT))
    assert watch.without([2]).pairs == {}
    assert watch.without([3]).pairs == watch.pairs


@pytest.mark.parametrize(
    ("one", "other", "gap"),
    [
        (LEFT, RIGHT, True),
        (LEFT, (12, 0, 5, 5), True),
        (LEFT, (11, 0, 5, 5), False),
        (LEFT, (12, 0, 11, 5), False),
        ((0, 12, 60, 5), RIGHT, True),
        (RIGHT, (0, 11, 60, 5), False),
        ((2, 2, 3, 3), LEFT, False),
    ],
)
def test_boxes_are_apart_where_there_is_a_gap_between_them(one, other, gap):
    assert apart(one, other) == apart(other, one) == gap


# --- what a network says, and what is put right in its state


@pytest.fixture(autouse=True)
def tiny_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tiny_backbone(monkeypatch)
    torch.manual_seed(0)


def test_likeness_is_the_mean_of_the_matching_in_each_mask():
    network = build(memory=3, memory_interval=2).eval()
    images = [frames(1, seed=seed) for seed in range(2)]
    with torch.inference_mode():
        state = network.start(encoded(network, images[0]), boxes(2))
        features = encoded(network, images[1])
        _, state = network.step(features, state)
        found = network.likeness(state, slot=0).numpy()
    directions = features.directions[0].flatten(1).T.numpy()
    for i in range(2):
        best = (state.target_kernels[0, i].numpy() @ directions.T).max(axis=0)
        for j in range(2):
            mask = state.coarse[0, j].flatten().numpy()
            expected = (best * mask).sum() / mask.sum() if mask.sum() >= 2 else np.nan
            assert found[i, j] == pytest.approx(expected, abs=1e-5, nan_ok=True)


def test_a_mask_of_nothing_says_nothing():
    network = build(memory=2).eval()
    with torch.inference_mode():
        state = network.start(encoded(network, frames(1)), boxes(2))
        state.coarse[:, 1] = 0
        found = network.likeness(state, slot=0)
    assert found[:, 0].isfinite().all() and found[:, 1].isnan().all()


def test_a_network_that_keeps_no_frame_does_not_tell():
    network = build(memory=0).eval()
    with torch.inference_mode():
        state = network.start(encoded(network, frames(1)), boxes(2))
    assert network.likeness(state, slot=0) is None


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


class TellingNetwork(ColourNetwork):
    """Says of its objects what it is told to say."""

    said = likeness(0.0, 0.0)

    def likeness(self, state, slot):
        return torch.from_numpy(self.said)


def test_a_segmenter_puts_right_two_that_have_each_others_ids(monkeypatch):
    """The boxes of 1 and 5 touch once; then each is said to look like the other."""
    segmenter = VideoSegmenter(TellingNetwork(), size=64)
    say = lambda value: setattr(TellingNetwork, "said", likeness(value, value))  # noqa: E731
    monkeypatch.setattr(TellingNetwork, "said", likeness(0.2, 0.2))

    segmenter.start(AWAY, mask_of((4, 8, 16, 1), (60, 8, 16, 5)))
    for image in (AWAY, TOUCHING, AWAY, AWAY):  # one to jump back
        result = segmenter.step(image)
        assert (result.doubts, result.exchanged) == ((), ())
    say(-0.2)
    found = [segmenter.step(AWAY) for _ in range(CHECKS)]
    before, after = found[-2:]
    assert after.exchanged == ((1, 5),)
    swap = np.arange(256, dtype=np.uint8)
    swap[[1, 5]] = 5, 1
    np.testing.assert_array_equal(after.labels, swap[before.labels])
    first, second = after.objects
    assert (first.id, second.id) == (1, 5)
    assert first.box == before.objects[1].box and second.box == before.objects[0].box
    say(0.2)
    following = segmenter.step(AWAY)
    assert following.exchanged == ()
    segmenter.remove(5)
    assert segmenter.ids == (1,)


def test_a_segmenter_tells_of_two_that_it_cannot_tell_apart(monkeypatch):
    monkeypatch.setattr(TellingNetwork, "said", likeness(0.01, 0.01))
    segmenter = VideoSegmenter(TellingNetwork(), size=64)
    segmenter.start(AWAY, mask_of((4, 8, 16, 1), (60, 8, 16, 5)))
    segmenter.step(AWAY)
    segmenter.step(TOUCHING)
    found = [segmenter.step(AWAY).doubts for _ in range(CHECKS + 2)]
    assert found[0] == () and found[-1] == ((1, 5),)
    answer = segmenter.add(AWAY, mask_of((60, 8, 16, 5)))
    assert answer.doubts == ()


def test_nothing_is_asked_of_a_network_while_nothing_can_be_wrong(monkeypatch):
    asked = []
    monkeypatch.setattr(
        TellingNetwork, "likeness", lambda self, state, slot: asked.append(1) or torch.eye(2)
    )
    segmenter = VideoSegmenter(TellingNetwork(), size=64)
    segmenter.start(AWAY, mask_of((4, 8, 16, 1), (60, 8, 16, 5)))
    for _ in range(10):
        segmenter.step(AWAY)
    assert len(asked) == 1
    segmenter.start(AWAY, mask_of((4, 8, 16, 1)))  # one alone
    for _ in range(3):
        segmenter.step(AWAY)
    assert len(asked) == 1
