# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Have a robot turn towards a followed object and keep its distance.

    python -m vos_ros follow --area 0.05
    ros2 run vos_ros follow --by depth --distance 1.2 --ros-args -r cmd_vel:=/base/cmd_vel

Publishes geometry_msgs/Twist on `cmd_vel`. The robot stands still whenever the object is not in
sight or nothing comes. It looks at the object alone: what is in the way is for others to see.
Every option is a ROS parameter of the same name as well.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields

from vos_ros.apps.node_options import OptionError, given_options

AREA, DEPTH = "area", "depth"


@dataclass(frozen=True)
class Options:
    """Whom to follow and how; the field names are those of the ROS parameters."""

    node: str = "vos"  # name of the node that follows in the images
    id: int = 1  # of the object
    by: str = AREA  # how the distance is told: by the object's area, or by `point`
    area: float = 0.05  # share of the image that the object has at the wanted distance
    field_of_view: float = 60.0  # of the image's width, degrees; by area alone
    point: str = "centroid/point"  # topic of the object's place; by depth alone
    distance: float = 1.0  # m, the wanted one; by depth alone
    turn_gain: float = 1.0  # rad/s for each rad off the middle
    drive_gain: float = 0.3  # m/s for an object twice as far as wanted
    max_turn: float = 0.5  # rad/s
    max_drive: float = 0.2  # m/s
    dead_turn: float = 0.05  # rad off the middle that are let alone
    dead_drive: float = 0.1  # share of the wanted distance that is let alone
    reverse: bool = False  # back away from what is too near
    timeout: float = 0.5  # s without news of the object, after which the robot stands still
    rate: float = 20.0  # Hz
    stamped: bool = False  # TwistStamped in place of Twist

    def __post_init__(self) -> None:
        """Raise OptionError for values out of range."""
        if not self.node or not self.point:
            raise OptionError("node and point need a name each")
        if not 1 <= self.id <= 255:
            raise OptionError(f"an id lies in 1..255, not {self.id}")
        if self.by not in (AREA, DEPTH):
            raise OptionError(f"a distance is told by {AREA} or by {DEPTH}, not by '{self.by}'")
        for name, low, high, unit in (
            ("area", 1e-4, 1.0, "of the image"),
            ("field_of_view", 1.0, 170.0, "degrees"),
            ("distance", 0.05, 100.0, "m"),
            ("turn_gain", 0.0, 100.0, "rad/s for each rad"),
            ("drive_gain", 0.0, 100.0, "m/s"),
            ("max_turn", 0.0, 10.0, "rad/s"),
            ("max_drive", 0.0, 10.0, "m/s"),
            ("dead_turn", 0.0, 1.0, "rad"),
            ("dead_drive", 0.0, 1.0, "of the distance"),
            ("timeout", 0.05, 10.0, "s"),
            ("rate", 1.0, 100.0, "Hz"),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise OptionError(f"{name} lies in {low:g}..{high:g} {unit}, not {value:g}")


_HELP = {
    "node": "name of the node that follows in the images",
    "id": "of the object, 1..255",
    "by": "what tells the distance: the object's area in the mask, or its depth on `point`",
    "area": "share of the image that the object has at the wanted distance",
    "field_of_view": "of the image's width, in degrees; by area alone",
    "point": "topic of the object's place, from `centroid`; by depth alone",
    "distance": "the wanted one, in metres; by depth alone",
    "turn_gain": "rad/s for each rad off the middle",
    "drive_gain": "m/s for an object twice as far as wanted",
    "max_turn": "rad/s at most",
    "max_drive": "m/s at most",
    "dead_turn": "rad off the middle that are let alone",
    "dead_drive": "share of the wanted distance that is let alone",
    "reverse": "back away from what is too near; nobody looks where that leads",
    "timeout": "seconds without news of the object, after which the robot stands still",
    "rate": "commands a second",
    "stamped": "publish TwistStamped in place of Twist",
}


def parser() -> argparse.ArgumentParser:
    """Return the command line; its destinations are the fields of Options."""
    built = argparse.ArgumentParser(
        prog="follow",
        description="Have a robot turn towards a followed object and keep its distance.",
        epilog="ROS arguments (remapping, parameters) follow after --ros-args.",
    )
    for field in fields(Options):
        option, text = f"--{field.name.replace('_', '-')}", _HELP[field.name]
        if isinstance(field.default, bool):
            built.add_argument(option, action="store_true", help=text)
        else:
            built.add_argument(
                option,
                type=type(field.default),
                default=field.default,
                choices=(AREA, DEPTH) if field.name == "by" else None,
                help=f"{text} (default: %(default)s)",
            )
    return built


def main(argv: Sequence[str] | None = None) -> int:
    """Steer until a signal comes; 0 then, 2 when an option is bad."""
    arguments, defaults = given_options(parser(), Options, argv)
    from vos_ros.apps.follow_node import FollowNode
    from vos_ros.apps.running import run_until_signal

    return run_until_signal(
        "follow", lambda context: FollowNode(defaults, context=context), arguments
    )
