# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Presence: decisions worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vos_ros.presence import ObjectPresence, PresenceSettings, PresenceTracker, Sight

BOX = (1, 2, 3, 4)


def decisions(tracker, scores, area=0.1, object_id=1):
    return [tracker.update(object_id, score, area, BOX).present for score in scores]


def test_an_object_appears_at_one_score_and_vanishes_below_a_lower_one():
    tracker = PresenceTracker(PresenceSettings(appear=0.7, vanish=0.5))
    scores = [0.60, 0.69, 0.70, 0.60, 0.50, 0.49, 0.60, 0.69, 0.90, 0.10, 0.65]
    expected = [False, False, True, True, True, False, False, False, True, False, False]
    assert decisions(tracker, scores) == expected


def test_an_object_shown_by_a_mask_is_present_until_it_vanishes():
    tracker = PresenceTracker(PresenceSettings(appear=0.7, vanish=0.5))
    tracker.begin([1])
    assert decisions(tracker, [0.55, 0.45, 0.55]) == [True, False, False]


def test_objects_are_told_apart():
    tracker = PresenceTracker(PresenceSettings(appear=0.7, vanish=0.5))
    tracker.begin([1, 200])
    assert decisions(tracker, [0.1], object_id=1) == [False]
    assert decisions(tracker, [0.6], object_id=200) == [True]
    assert decisions(tracker, [0.6], object_id=1) == [False]


@pytest.mark.parametrize("end", [lambda t: t.forget(1), lambda t: t.clear()])
def test_a_forgotten_object_begins_anew(end):
    tracker = PresenceTracker(PresenceSettings(appear=0.7, vanish=0.5))
    tracker.begin([1, 2])
    end(tracker)
    assert decisions(tracker, [0.6]) == [False]
    tracker.forget(99)  # was never there


def test_forgetting_one_leaves_the_others():
    tracker = PresenceTracker(PresenceSettings(appear=0.7, vanish=0.5))
    tracker.begin([1, 2])
    tracker.forget(1)
    assert decisions(tracker, [0.6], object_id=2) == [True]


def test_an_object_up_to_the_minimum_area_is_absent_whatever_its_score():
    tracker = PresenceTracker(PresenceSettings(appear=0.7, vanish=0.5, minimum_area=0.01))
    assert decisions(tracker, [1.0], area=0.01) == [False]
    assert decisions(tracker, [1.0], area=0.0101) == [True]
    assert decisions(tracker, [1.0], area=0.005) == [False]
    assert decisions(tracker, [0.6], area=0.02) == [False]  # it was absent in between


def test_an_object_without_a_pixel_is_absent_even_with_no_minimum():
    tracker = PresenceTracker(PresenceSettings(minimum_area=0))
    assert decisions(tracker, [1.0], area=0.0) == [False]


def test_a_score_that_is_no_number_is_no_presence():
    tracker = PresenceTracker()
    tracker.begin([1])
    assert decisions(tracker, [float("nan")]) == [False]


def test_every_row_of_statistics_becomes_an_entry():
    tracker = PresenceTracker(PresenceSettings(appear=0.7, vanish=0.5))
    rows = np.array([[0.9, 50, 3, 4, 10, 20], [0.25, 0, 0, 0, 0, 0]], np.float32)
    first, second = tracker.observe(Sight((200, 3), rows, 1000))
    assert first == ObjectPresence(200, True, pytest.approx(0.9), 0.05, (3, 4, 10, 20))
    assert second == ObjectPresence(3, False, 0.25, 0.0, (0, 0, 0, 0), absent_frames=1)
    assert all(type(value) is int for value in first.box)


def test_an_absent_object_covers_nothing_unless_it_is_to_be_shown_all_the_same():
    hidden = PresenceTracker().update(1, 0.6, 0.1, BOX)
    shown = PresenceTracker(PresenceSettings(hide=False)).update(1, 0.6, 0.1, BOX)
    assert (hidden.present, hidden.area_fraction, hidden.box) == (False, 0.0, (0, 0, 0, 0))
    assert (shown.present, shown.area_fraction, shown.box) == (False, 0.1, BOX)


def test_frames_since_it_was_present_are_counted():
    tracker = PresenceTracker()
    tracker.begin([1])
    scores = [0.9, 0.4, 0.6, float("nan"), 0.7, 0.1]
    found = [tracker.update(1, score, 0.1, BOX) for score in scores]
    assert [entry.absent_frames for entry in found] == [0, 1, 2, 3, 0, 1]
    assert [entry.sound for entry in found] == [True, True, True, False, True, True]
    assert tracker.update(2, 0.1, 0.1, BOX).absent_frames == 1  # never seen so far
    copy = tracker.copy()
    assert copy.update(1, 0.1, 0.1, BOX).absent_frames == 2
    assert tracker.update(1, 0.1, 0.1, BOX).absent_frames == 2


def test_an_object_lingers_for_some_frames_after_it_was_present():
    tracker = PresenceTracker(PresenceSettings(linger=2))
    tracker.begin([1])
    found = [tracker.update(1, score, 0.1, BOX) for score in [0.9, 0.1, 0.1, 0.1, 0.9, 0.1]]
    assert [entry.lingers for entry in found] == [False, True, True, False, False, True]
    assert not tracker.update(2, 0.1, 0.1, BOX).lingers  # never seen so far


def test_a_return_is_believed_after_as_many_frames_in_a_row_as_asked_for():
    tracker = PresenceTracker(PresenceSettings(confirm=3))
    tracker.begin([1])
    scores = [0.4, 0.9, 0.9, 0.6, 0.9, 0.9, 0.9, 0.6, 0.4]
    expected = [False, False, False, False, False, False, True, True, False]
    assert decisions(tracker, scores) == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"appear": 0.4, "vanish": 0.5}, r"vanish \(0.5\) must not be above appear \(0.4\)"),
        ({"appear": 1.1}, "both must be within 0..1"),
        ({"vanish": -0.1}, "both must be within 0..1"),
        ({"appear": float("nan")}, "both must be within 0..1"),
        ({"minimum_area": 1.0}, r"minimum_area \(1.0\) must be within 0..1"),
        ({"minimum_area": -1e-9}, "minimum_area"),
        ({"confirm": 0}, r"confirm \(0\) must be 1 frame or more"),
        ({"linger": -1}, r"linger \(-1\) must be 0 frames or more"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        PresenceSettings(**settings)
