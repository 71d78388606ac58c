# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which object is which: decisions worked out by hand from looks that are two numbers."""

from __future__ import annotations

import numpy as np
import pytest

from vos_ros.evidence import CHECKS, ENOUGH, EVERY, SURE, SWAPPED, apart
from vos_ros.identity import ALIKE, IdentityWatch
from vos_ros.presence import ObjectPresence

LEFT, RIGHT, NEAR_LEFT = (0, 0, 10, 10), (50, 0, 10, 10), (8, 0, 10, 10)


def shown(first=LEFT, second=RIGHT) -> tuple[ObjectPresence, ...]:
    """Objects 1 and 2 with these boxes; None is one that is out of sight."""
    return tuple(
        ObjectPresence(key, box is not None, 0.9, 0.1, box or (0, 0, 0, 0))
        for key, box in ((1, first), (2, second))
    )


AWAY, TOUCHING = shown(), shown(LEFT, NEAR_LEFT)


class Looks:
    """What objects look like: directions in a plane, told by their angles in degrees."""

    def __init__(self, one: float | None = 0.0, other: float | None = 20.0):
        self.angles = {1: one, 2: other}
        self.asked: list[int] = []

    def __call__(self, entry: ObjectPresence) -> np.ndarray | None:
        self.asked.append(entry.id)
        angle = self.angles[entry.id]
        if angle is None:
            return None
        return np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))], np.float32)


def apart_by(difference: float) -> float:
    """The angle at which two looks differ by so much, as `identity` has it."""
    return float(np.degrees(np.arccos(1 - difference / 2)))


def part_of_the_way(share: float, angle: float) -> Looks:
    """Each looks a part of the way like the other: 0 for itself, 1 for the other."""
    return Looks(share * angle, (1 - share) * angle)


def watched(watch: IdentityWatch, objects, looks, count: int = 1) -> IdentityWatch:
    """After so many more images."""
    for _ in range(count):
        watch = watch.seen(objects, looks)
    return watch


def known(other: float = 20.0, **kwargs) -> IdentityWatch:
    """Two that were seen apart for a while."""
    return watched(IdentityWatch(), AWAY, Looks(0.0, other), **{"count": 2 * EVERY, **kwargs})


def test_two_that_were_apart_all_the_time_are_looked_at_now_and_then():
    looks = Looks()
    watch = watched(IdentityWatch(), AWAY, looks)
    assert looks.asked == [1, 2]
    watch = watched(watch, AWAY, looks, EVERY)
    # In turns, so that no image takes longer than the others.
    assert looks.asked == [1, 2, 2, 1]
    watched(watch, AWAY, looks, 2 * EVERY)
    assert sorted(looks.asked) == [1] * 4 + [2] * 4
    # Whatever they look like then: nothing has happened between them.
    watch = watched(known(), AWAY, Looks(20.0, 0.0), 20)
    assert (watch.doubts, watch.swapped()) == ((), None)


def test_two_that_touched_are_themselves_where_they_look_like_it():
    watch = watched(known(), TOUCHING, Looks(), 10)
    assert (watch.doubts, watch.swapped()) == ((), None)
    assert watch.pairs[(1, 2)].doubt
    watch = watched(watch, AWAY, Looks(), CHECKS - 1)
    assert watch.pairs[(1, 2)].doubt and watch.doubts == ()
    watch = watched(watch, AWAY, Looks())
    assert not watch.pairs[(1, 2)].doubt
    assert (watch.doubts, watch.swapped()) == ((), None)


def test_two_that_touched_were_swapped_where_each_looks_like_the_other():
    swapped = Looks(20.0, 0.0)
    watch = watched(known(), TOUCHING, Looks())
    watch = watched(watch, AWAY, swapped, CHECKS - 1)
    assert watch.swapped() is None
    watch = watched(watch, AWAY, swapped)
    assert watch.swapped() == (1, 2)
    watch = watch.exchanged((1, 2))
    assert (watch.swapped(), watch.doubts) == (None, ())
    watch = watched(watch, shown(RIGHT, LEFT), Looks(), CHECKS)
    assert not watch.pairs[(1, 2)].doubt
    assert watch.doubts == () and watch.strangers == ()


def test_while_two_touch_it_is_told_that_they_look_like_each_other_and_nothing_is_undone():
    watch = watched(known(), TOUCHING, Looks(20.0, 0.0), CHECKS - 1)
    assert watch.doubts == ()
    watch = watched(watch, TOUCHING, Looks(20.0, 0.0))
    assert (watch.doubts, watch.swapped()) == (((1, 2),), None)


@pytest.mark.parametrize(
    ("margin", "swapped", "doubt"),
    [
        (SURE + 0.02, False, False),
        (SURE - 0.02, False, True),
        (-SWAPPED + 0.02, False, True),
        (-SWAPPED - 0.02, True, True),
    ],
)
@pytest.mark.parametrize("angle", [15.0, 50.0])
def test_thresholds_are_parts_of_what_the_two_differ_by(angle, margin, swapped, doubt):
    # With x of the way to the other the margin is (cos xa - cos (1 - x)a) / (1 - cos a).
    shares = np.linspace(0, 1, 10001)
    a = np.radians(angle)
    margins = (np.cos(shares * a) - np.cos((1 - shares) * a)) / (1 - np.cos(a))
    share = float(shares[np.abs(margins - margin).argmin()])
    watch = watched(known(angle), TOUCHING, Looks(0.0, angle))
    watch = watched(watch, AWAY, part_of_the_way(share, angle), CHECKS)
    assert (watch.swapped() is not None, watch.doubts != ()) == (swapped, doubt)


@pytest.mark.parametrize("here", [0.0, 1.0])
def test_two_that_look_alike_are_in_doubt_from_when_they_touch_whatever_they_look_like(here):
    angle = apart_by(ALIKE * 0.9)
    watch = known(angle)
    assert watch.doubts == ()
    watch = watched(watch, TOUCHING, Looks(0.0, angle))
    assert watch.doubts == ((1, 2),)
    watch = watched(watch, AWAY, part_of_the_way(here, angle), 2 * ENOUGH)
    assert (watch.doubts, watch.swapped()) == (((1, 2),), None)
    other = apart_by(ALIKE * 1.2)
    watch = watched(known(other), TOUCHING, Looks(0.0, other), 1)
    assert watch.doubts == ()


def test_two_are_alike_too_that_change_as_much_as_they_differ():
    watch = IdentityWatch()
    for turn in range(30):
        sway = 12.0 * np.sin(turn / 2)
        watch = watched(watch, AWAY, Looks(sway, 8.0 + sway), EVERY)
    one, other = watch.known[1], watch.known[2]
    assert one.spread + other.spread > 2 * (1 - np.cos(np.radians(8.0))) > ALIKE
    assert watched(watch, TOUCHING, Looks(0.0, 8.0)).doubts == ((1, 2),)


def test_two_that_looked_alike_at_first_are_not_told_apart_by_what_they_became():
    """It may be the light where they are, which they would change with their places."""
    watch = known(apart_by(ALIKE * 0.5))
    for angle in np.linspace(0, 25, 60):
        watch = watched(watch, AWAY, Looks(0.0, angle), EVERY)
    difference = 2 * (1 - watch.known[1].looks @ watch.known[2].looks)
    assert difference > 4 * ALIKE
    assert watched(watch, TOUCHING, Looks(0.0, 25.0)).doubts == ((1, 2),)


def test_an_object_that_stays_is_not_in_doubt_because_another_leaves():
    watch = watched(known(), shown(LEFT, None), Looks(), 30)
    assert (watch.doubts, watch.swapped()) == ((), None)
    assert not watch.pairs[(1, 2)].doubt
    # When the other is back, it is to be seen which is which.
    assert watched(watch, AWAY, Looks()).pairs[(1, 2)].doubt


def test_an_object_that_comes_to_where_the_other_was_seen_last_may_be_it():
    angle = apart_by(ALIKE / 2)
    watch = watched(known(angle), shown(LEFT, None), Looks(0.0, angle), 5)
    assert watch.doubts == ()
    watch = watched(watch, shown((44, 0, 10, 10), None), Looks(0.0, angle))
    assert watch.doubts == ((1, 2),)


def test_one_that_comes_back_alone_may_be_the_other():
    watch = watched(known(), shown(None, None), Looks(), 3)
    watch = watched(watch, shown(LEFT, None), Looks(20.0, None), CHECKS)
    assert watch.swapped() == (1, 2)
    watch = watch.exchanged((1, 2))
    # From here on the other id is seen, in the same scene.
    watch = watched(watch, shown(None, LEFT), Looks(None, 20.0), CHECKS)
    assert (watch.doubts, watch.swapped(), watch.strangers) == ((), None, ())


def test_what_cannot_be_said_speaks_for_neither():
    watch = watched(known(), TOUCHING, Looks())
    watch = watched(watch, AWAY, Looks(None, None), CHECKS)
    assert (watch.doubts, watch.swapped()) == (((1, 2),), None)
    assert watched(watch, AWAY, Looks(), 10).doubts == ()
    # One of the two is enough.
    watch = watched(watched(known(), TOUCHING, Looks()), AWAY, Looks(20.0, None), CHECKS)
    assert watch.swapped() == (1, 2)


def test_after_enough_it_is_asked_more_seldom():
    angle, looks = apart_by(ALIKE / 2), None
    watch = watched(known(angle), TOUCHING, Looks(0.0, angle))
    for count in (ENOUGH, 10 * EVERY):
        looks = Looks(0.0, angle)
        watch = watched(watch, AWAY, looks, count)
    assert len(looks.asked) <= 3 * 10  # of two objects in 40 images


def test_of_an_object_that_was_given_a_new_mask_nothing_is_known():
    watch = watched(known(), TOUCHING, Looks())
    assert watch.without([2]).pairs == {} and watch.without([2]).known.keys() == {1}
    assert watch.without([3]).pairs == watch.pairs
    newer = IdentityWatch().seen(AWAY[1:], Looks(0.0, 70.0))
    both = watch.without([2]).joined(newer)
    assert both.known[1] is watch.known[1] and both.known[2] is newer.known[2]


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


# --- one object by itself


def alone(box=LEFT) -> tuple[ObjectPresence, ...]:
    return shown(box, None)[:1]


def followed(angle: float = 0.0) -> IdentityWatch:
    return watched(IdentityWatch(), alone(), Looks(angle), 2 * EVERY)


@pytest.mark.parametrize("gone", [(alone(None), 5), None])
def test_one_that_comes_back_or_leaps_is_a_stranger_unless_it_looks_like_itself(gone):
    watch = followed() if gone is None else watched(followed(), gone[0], Looks(), gone[1])
    own = watched(watch, alone(RIGHT), Looks(3.0), ENOUGH)
    assert own.strangers == () and not own.known[1].doubt
    other = watched(watch, alone(RIGHT), Looks(15.0), CHECKS - 1)
    assert other.strangers == ()
    other = watched(other, alone(RIGHT), Looks(15.0))
    assert other.strangers == (1,)
    # Time makes no friend of a stranger, but its own looks do; and what is away is nothing.
    later = watched(other, alone(RIGHT), Looks(15.0), 10 * ENOUGH)
    assert later.strangers == (1,)
    assert watched(other, alone(None), Looks()).strangers == ()
    assert watched(other, alone(RIGHT), Looks(3.0), 12).strangers == ()


def test_how_far_an_object_may_differ_is_by_how_much_it_always_did():
    watch = IdentityWatch()
    for turn in range(40):
        watch = watched(watch, alone(), Looks(12.0 * np.sin(turn / 2)), EVERY)
    assert watched(watch, alone(RIGHT), Looks(10.0), CHECKS).strangers == ()
    assert watched(followed(), alone(RIGHT), Looks(10.0), CHECKS).strangers == (1,)
    assert watched(watch, alone(RIGHT), Looks(40.0), CHECKS).strangers == (1,)


def test_of_one_that_is_hidden_in_part_nothing_is_learned():
    def sized(area: float) -> tuple[ObjectPresence, ...]:
        return (ObjectPresence(1, True, 0.9, area, LEFT),)

    watch = watched(IdentityWatch(), sized(0.1), Looks(), 2 * EVERY)
    before = watch.known[1]
    hidden = watched(watch, sized(0.07), Looks(8.0), EVERY).known[1]
    assert hidden.looks is before.looks and hidden.spread == before.spread
    seen = watched(watch, sized(0.09), Looks(8.0), EVERY).known[1]
    assert seen.looks is not before.looks and seen.spread > before.spread
    smaller = watched(watch, sized(0.07), Looks(), 10 * EVERY).known[1]
    assert smaller.whole


def test_one_that_suddenly_looks_otherwise_is_told_and_one_gets_used_to_it():
    """The mask may be on something else by then, or the light has changed."""
    watch = followed()
    slowly = watch
    for angle in np.linspace(0, 40, 80):
        slowly = watched(slowly, alone(), Looks(angle), EVERY)
        assert slowly.strangers == ()
    watch = watched(watch, alone(), Looks(40.0), EVERY + CHECKS)
    assert watch.strangers == (1,)
    watch = watched(watch, alone(), Looks(40.0), 2 * ENOUGH)
    assert watch.strangers == ()


def test_one_that_was_never_seen_is_known_by_what_it_looks_like_first():
    watch = watched(IdentityWatch(), alone(None), Looks(), 4)
    watch = watched(watch, alone(), Looks(30.0), 2 * EVERY)
    assert watch.strangers == () and not watch.known[1].doubt
    back = watched(watched(watch, alone(None), Looks()), alone(), Looks(30.0), CHECKS)
    assert back.strangers == ()
