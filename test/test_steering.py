# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a robot is steered: signs, limits, and where it comes to rest."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vos_ros.steering import FACING, STOP, Law, Sight, sight_at_point, sight_in_mask, steer

LAW = Law(
    turn_gain=1.5, drive_gain=0.5, max_turn=0.8, max_drive=0.4, dead_turn=0.02, dead_drive=0.05
)
BACKWARDS = dataclasses.replace(LAW, reverse=True)
FIELD = math.radians(60)


def test_it_turns_towards_the_object() -> None:
    assert steer(Sight(0.2, 1.0), LAW).turn == pytest.approx(-0.3)  # to the right, REP 103
    assert steer(Sight(-0.2, 1.0), LAW).turn == pytest.approx(0.3)


def test_it_goes_to_what_is_too_far_and_backs_away_only_if_told() -> None:
    assert steer(Sight(0.0, 1.4), LAW).drive == pytest.approx(0.2)
    assert steer(Sight(0.0, 0.6), LAW) == STOP
    assert steer(Sight(0.0, 0.6), BACKWARDS).drive == pytest.approx(-0.2)


def test_it_stands_still_where_it_should_be() -> None:
    assert steer(Sight(0.0, 1.0), BACKWARDS) == STOP
    assert steer(Sight(0.019, 1.049), BACKWARDS) == STOP
    assert steer(Sight(-0.019, 0.951), BACKWARDS) == STOP


def test_it_turns_first_and_drives_the_more_it_faces_the_object() -> None:
    speeds = [steer(Sight(bearing, 3.0), LAW).drive for bearing in (0, 0.1, 0.25, 0.4, FACING, 1.0)]
    assert speeds == sorted(speeds, reverse=True)
    assert speeds[0] == LAW.max_drive and speeds[2] == pytest.approx(LAW.max_drive / 2)
    assert speeds[-2:] == [0.0, 0.0]


def test_it_does_not_drive_at_what_it_sees_only_a_part_of() -> None:
    part = Sight(0.3, 2.0, cut_off=True)
    assert steer(part, LAW).drive == 0.0
    assert steer(part, LAW).turn < 0
    assert steer(dataclasses.replace(part, closeness=0.5), BACKWARDS).drive < 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_stops_it(value: float) -> None:
    assert steer(Sight(value, 2.0), LAW) == STOP
    assert steer(Sight(0.1, value), LAW) == STOP


@given(
    st.floats(-10, 10), st.floats(0, 1e6), st.booleans(), st.floats(0, 3), st.floats(0, 3),
    st.floats(0, 1e3), st.floats(0, 1e3), st.booleans(),
)  # fmt: skip
def test_no_limit_is_ever_passed(bearing, closeness, cut, most_turn, most_drive, gain, other, back):
    law = Law(gain, other, most_turn, most_drive, reverse=back)
    motion = steer(Sight(bearing, closeness, cut), law)
    assert abs(motion.turn) <= most_turn
    assert (-most_drive if back else 0.0) <= motion.drive <= most_drive


@pytest.mark.parametrize("start", [(4.0, 2.0, 0.0), (3.0, -2.5, 1.0), (0.9, 0.1, 0.0)])
def test_a_robot_steered_by_it_comes_to_rest_before_the_object(start) -> None:
    """A unicycle, by Euler's method; the object is at the origin of x, y and is seen at x, z."""
    x, y, heading, wanted, step = *start, 1.0, 0.05
    heading += math.atan2(-y, -x)  # facing it at first, but for the third number
    for _ in range(4000):
        ahead = -x * math.cos(heading) - y * math.sin(heading)
        left = x * math.sin(heading) - y * math.cos(heading)
        motion = steer(sight_at_point((-left, 0.0, ahead), wanted), BACKWARDS)
        heading += motion.turn * step
        x += motion.drive * math.cos(heading) * step
        y += motion.drive * math.sin(heading) * step
    assert motion == STOP
    assert math.hypot(x, y) == pytest.approx(wanted, rel=1.1 * LAW.dead_drive)


def test_a_point_has_the_bearing_and_distance_along_the_ground() -> None:
    sight = sight_at_point((1.0, -7.0, 1.0), 2.0)
    assert sight == Sight(pytest.approx(math.pi / 4), pytest.approx(math.sqrt(2) / 2))
    assert sight_at_point((0.0, 0.0, 3.0), 1.5) == Sight(0.0, 2.0)


def shown(left: int, right: int, top: int = 40, bottom: int = 60) -> np.ndarray:
    labels = np.ones((100, 200), np.uint8)
    labels[top:bottom, left:right] = 7
    return labels


def test_a_mask_in_the_middle_is_straight_ahead() -> None:
    sight = sight_in_mask(shown(90, 110), 7, FIELD, 0.02)
    assert sight.bearing == pytest.approx(0.0)
    assert sight.closeness == pytest.approx(1.0)  # 400 of 20000 pixels
    assert not sight.cut_off


def test_the_bearing_is_that_of_a_pinhole_camera_with_this_field_of_view() -> None:
    focal = 100 / math.tan(FIELD / 2)  # pixels
    for left, right in ((0, 2), (150, 160), (198, 200)):
        sight = sight_in_mask(shown(left, right), 7, FIELD, 0.02)
        middle = (left + right - 1) / 2 - 99.5
        assert sight.bearing == pytest.approx(math.atan(middle / focal))


def test_an_object_twice_as_far_has_a_quarter_of_the_area() -> None:
    near = sight_in_mask(shown(80, 120, 30, 70), 7, FIELD, 0.02)
    far = sight_in_mask(shown(90, 110, 40, 60), 7, FIELD, 0.02)
    assert far.closeness == pytest.approx(2 * near.closeness)


@pytest.mark.parametrize(
    "edges", [(0, 30), (170, 200), (90, 110, 0, 20), (90, 110, 80, 100)], ids=str
)
def test_what_an_edge_of_the_image_cuts_off_is_known(edges: tuple[int, ...]) -> None:
    assert sight_in_mask(shown(*edges), 7, FIELD, 0.02).cut_off


def test_what_is_not_in_the_mask_is_not_seen() -> None:
    assert sight_in_mask(shown(0, 30), 2, FIELD, 0.02) is None
