# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a robot has to move to face an object and keep its distance. No ROS here.

Speeds are those of REP 103: forward and to the left are positive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FACING = 0.5
"""Radians off the middle from which on the robot only turns."""


@dataclass(frozen=True)
class Sight:
    """Where the object is.

    Attributes:
        bearing: angle to it, in radians; positive to the right, as columns count.
        closeness: its distance as a share of the wanted one: above 1 is too far.
        cut_off: whether an edge of the image cuts it off: it is larger, and so nearer, than it
            looks.
    """

    bearing: float
    closeness: float
    cut_off: bool = False


@dataclass(frozen=True)
class Law:
    """How fast to move for how much there is to do.

    Attributes:
        turn_gain: radians a second for each radian off the middle.
        drive_gain: metres a second for an object twice as far as wanted.
        max_turn: radians a second, at most.
        max_drive: metres a second, at most.
        dead_turn: radians off the middle that are let alone.
        dead_drive: share of the wanted distance that is let alone.
        reverse: whether to back away from what is too near; nobody looks where that leads.
    """

    turn_gain: float = 1.0
    drive_gain: float = 0.3
    max_turn: float = 0.5
    max_drive: float = 0.2
    dead_turn: float = 0.05
    dead_drive: float = 0.1
    reverse: bool = False


@dataclass(frozen=True)
class Motion:
    """Speeds.

    Attributes:
        drive: metres a second, forward.
        turn: radians a second, to the left.
    """

    drive: float = 0.0
    turn: float = 0.0


STOP = Motion()


def steer(sight: Sight, law: Law) -> Motion:
    """The speeds for a sight: turn towards it, and the more it is faced the faster to it."""
    if not (math.isfinite(sight.bearing) and math.isfinite(sight.closeness)):
        return STOP
    turn = drive = 0.0
    if abs(sight.bearing) > law.dead_turn:
        turn = _within(-law.turn_gain * sight.bearing, law.max_turn)
    error = sight.closeness - 1.0
    if abs(error) > law.dead_drive:
        facing = max(0.0, 1.0 - abs(sight.bearing) / FACING)
        drive = facing * _within(law.drive_gain * error, law.max_drive)
    if (drive > 0 and sight.cut_off) or (drive < 0 and not law.reverse):
        drive = 0.0
    return Motion(drive, turn)


def sight_in_mask(
    labels: np.ndarray, object_id: int, field_of_view: float, area: float
) -> Sight | None:
    """Where an object is by its mask alone: nearer means larger.

    Args:
        labels: H x W integers; 0 background, else ids.
        object_id: which.
        field_of_view: of the image's width, in radians.
        area: share of the image that the object has at the wanted distance, above 0. Areas go with
            the square of the distance.

    Returns:
        None when the object is not there.
    """
    own = labels == object_id
    in_column = np.count_nonzero(own, axis=0)
    pixels = int(in_column.sum())
    if not pixels:
        return None
    width = labels.shape[1]
    middle = float(in_column @ np.arange(width)) / pixels
    # From -1 at the image's left side to 1 at its right one.
    offset = (2.0 * middle + 1.0) / width - 1.0
    return Sight(
        bearing=math.atan(offset * math.tan(field_of_view / 2.0)),
        closeness=math.sqrt(area / (pixels / labels.size)),
        cut_off=bool(in_column[0] or in_column[-1] or own[0].any() or own[-1].any()),
    )


def sight_at_point(point: tuple[float, float, float], distance: float) -> Sight:
    """Where an object is by its place.

    Args:
        point: x, y, z in the camera's optical frame, in metres.
        distance: the wanted one along the ground, in metres, above 0.
    """
    x, _, z = point
    return Sight(bearing=math.atan2(x, z), closeness=math.hypot(x, z) / distance)


def _within(value: float, most: float) -> float:
    return max(-most, min(most, value))
