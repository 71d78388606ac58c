# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`follow` beside a node that follows: what the robot's base is told, and when to stand still."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields

import pytest
from geometry_msgs.msg import Point, PointStamped, Twist, TwistStamped
from sensor_msgs.msg import Image
from stage import Stage, header, order, truth

from vos_msgs.msg import ObjectPresence, ObjectPresenceArray
from vos_ros.apps.follow import Options
from vos_ros.apps.follow_node import FollowNode
from vos_ros.apps.node_options import OptionError
from vos_ros.ros import qos
from vos_ros.steering import Law, Motion, sight_at_point, sight_in_mask, steer

LONG = 10.0
"""Seconds of patience of the watchdog, where it is to be out of the way."""
STANDING = Motion(0.0, 0.0)


class Base:
    """A stage, `follow` on it, and the robot's base that listens."""

    def __init__(self, stage: Stage, kind: type = Twist, **options: object) -> None:
        self.stage = stage
        self.motions: list[Motion] = []
        self.messages: list[Twist | TwistStamped] = []
        stage.client.create_subscription(kind, "cmd_vel", self._take, 10)
        defaults = {field.name: field.default for field in fields(Options)} | options
        self.node = FollowNode(
            defaults, context=stage.client.context, namespace=stage.node.get_namespace()
        )
        stage.executor.add_node(self.node)
        stage.until(lambda: self.motions, "a first command")

    def _take(self, message: Twist | TwistStamped) -> None:
        self.messages.append(message)
        self.motions.append(motion_of(message))

    def until(self, motion: Motion) -> None:
        """Wait until the base is told to move so."""
        self.motions.clear()
        self.stage.until(lambda: self.motions and near(self.motions[-1], motion), f"{motion}")


def motion_of(message: Twist | TwistStamped) -> Motion:
    twist = message.twist if isinstance(message, TwistStamped) else message
    unused = twist.linear.y, twist.linear.z, twist.angular.x, twist.angular.y
    assert unused == (0.0, 0.0, 0.0, 0.0)
    return Motion(twist.linear.x, twist.angular.z)


def near(one: Motion, other: Motion) -> bool:
    return math.isclose(one.drive, other.drive, abs_tol=1e-6) and math.isclose(
        one.turn, other.turn, abs_tol=1e-6
    )


@pytest.fixture
def make_base(make_stage: Callable[..., Stage]) -> Iterator[Callable[..., Base]]:
    bases: list[Base] = []

    def make(kind: type = Twist, **options: object) -> Base:
        bases.append(Base(make_stage().activate(), kind, **options))
        return bases[-1]

    yield make
    for base in bases:
        base.stage.executor.remove_node(base.node)
        base.node.destroy_node()


def follow_all(base: Base) -> None:
    stage = base.stage
    stage.until(lambda: stage.client.count_subscribers("vos/mask") == 2)
    stage.send(0)
    assert stage.call(order()).success
    stage.mask_of(0)


@pytest.mark.parametrize("object_id", [1, 3])
def test_the_robot_is_turned_and_driven_as_the_mask_says(
    make_base: Callable[..., Base], object_id: int
) -> None:
    base = make_base(id=object_id, area=0.2, timeout=LONG)
    follow_all(base)
    sight = sight_in_mask(truth(), object_id, math.radians(60), 0.2)
    expected = steer(sight, Law())
    # The first object is left of the middle, the third a little right of it; both are too small.
    assert expected.turn * (1 if object_id == 1 else -1) > 0 and expected.drive > 0
    base.until(expected)


def test_it_stands_still_until_the_object_is_seen_and_when_it_is_gone(
    make_base: Callable[..., Base],
) -> None:
    base = make_base(id=1, area=0.2, timeout=LONG)
    assert base.motions == [STANDING] * len(base.motions)
    follow_all(base)
    moving = steer(sight_in_mask(truth(), 1, math.radians(60), 0.2), Law())
    base.until(moving)
    base.stage.send(1, (2, 3))
    base.stage.mask_of(1)
    base.until(STANDING)
    base.stage.send(2)
    base.until(moving)


def test_it_stands_still_when_masks_stop(make_base: Callable[..., Base]) -> None:
    base = make_base(id=1, area=0.2, timeout=1.0)
    follow_all(base)
    base.until(steer(sight_in_mask(truth(), 1, math.radians(60), 0.2), Law()))
    base.until(STANDING)  # nothing else is sent


def test_an_object_that_nobody_follows_moves_nothing(make_base: Callable[..., Base]) -> None:
    base = make_base(id=9, area=0.2, timeout=LONG)
    follow_all(base)
    base.until(STANDING)
    assert set(base.motions) == {STANDING}


def test_a_mask_that_cannot_be_read_stops_it(make_base: Callable[..., Base]) -> None:
    base = make_base(id=1, area=0.2, timeout=LONG, node="other")
    mask = base.stage.client.create_publisher(Image, "other/mask", qos.results())
    presence = base.stage.client.create_publisher(
        ObjectPresenceArray, "other/presence", qos.results()
    )
    base.stage.until(lambda: mask.get_subscription_count() and presence.get_subscription_count())
    there = [ObjectPresence(id=1, present=True)]
    presence.publish(ObjectPresenceArray(header=header(1), objects=there))
    mask.publish(Image(header=header(1), height=2, width=2, encoding="rgb8", step=6))
    base.until(STANDING)


class Pointing(Base):
    """A base that goes by points, which are given."""

    def point(self, x: float, z: float, present: bool = True) -> None:
        """Say that the object is at a place, or that it is out of sight."""
        if not hasattr(self, "_points"):
            client = self.stage.client
            self._points = client.create_publisher(PointStamped, "centroid/point", qos.results())
            self._presence = client.create_publisher(
                ObjectPresenceArray, "vos/presence", qos.results()
            )
            self.stage.until(
                lambda: (
                    self._points.get_subscription_count()
                    and self._presence.get_subscription_count() >= 2
                )
            )
        if present:
            self._points.publish(PointStamped(header=header(1), point=Point(x=x, y=0.3, z=z)))
        else:
            gone = [ObjectPresence(id=1, present=False)]
            self._presence.publish(ObjectPresenceArray(header=header(1), objects=gone))


@pytest.fixture
def pointing(make_stage: Callable[..., Stage]) -> Iterator[Pointing]:
    base = Pointing(make_stage(), by="depth", distance=2.0, timeout=LONG, reverse=True)
    yield base
    base.stage.executor.remove_node(base.node)
    base.node.destroy_node()


@pytest.mark.parametrize(("x", "z"), [(0.0, 2.5), (0.4, 2.5), (-0.3, 1.2)])
def test_by_depth_it_goes_to_the_point_and_keeps_its_distance(
    pointing: Pointing, x: float, z: float
) -> None:
    pointing.point(x, z)
    expected = steer(sight_at_point((x, 0.0, z), 2.0), Law(reverse=True))
    assert expected != STANDING
    pointing.until(expected)


def test_by_depth_it_stands_still_when_the_object_is_gone_or_where_it_should_be(
    pointing: Pointing,
) -> None:
    pointing.point(0.0, 3.0)
    pointing.until(Motion(0.15, 0.0))
    pointing.point(0.0, 0.0, present=False)
    pointing.until(STANDING)
    pointing.point(0.0, 3.0)
    pointing.until(Motion(0.15, 0.0))
    pointing.point(0.0, 2.0)
    pointing.until(STANDING)


def test_by_depth_a_point_that_comes_late_does_not_bring_the_object_back(
    pointing: Pointing,
) -> None:
    def told(stamp: int, present: bool) -> None:
        there = [ObjectPresence(id=1, present=present)]
        pointing.node._take_presence(ObjectPresenceArray(header=header(stamp), objects=there))

    def pointed(stamp: int) -> None:
        pointing.node._take_point(PointStamped(header=header(stamp), point=Point(x=0.0, z=3.0)))

    told(2, present=False)
    pointed(1)  # it was looked for in the depth image meanwhile
    pointing.motions.clear()
    pointing.stage.until(lambda: len(pointing.motions) >= 5, "commands from after that")
    assert pointing.motions[-1] == STANDING
    told(3, present=True)
    pointed(3)
    pointing.until(Motion(0.15, 0.0))


def test_stamped_commands_have_the_time_of_now(make_base: Callable[..., Base]) -> None:
    base = make_base(TwistStamped, stamped=True)
    stamp = base.messages[-1].header.stamp
    assert abs(base.stage.client.get_clock().now().nanoseconds / 1e9 - stamp.sec) < 60


def test_the_options_of_the_law_have_its_defaults() -> None:
    options = {field.name: field.default for field in fields(Options)}
    assert {field.name: field.default for field in fields(Law)}.items() <= options.items()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"by": "sound"}, "told by area or by depth, not by 'sound'"),
        ({"id": 256}, "an id lies in 1..255, not 256"),
        ({"area": 0.0}, "area lies in 0.0001..1 of the image, not 0"),
        ({"distance": -1.0}, "distance lies in 0.05..100 m, not -1"),
        ({"max_drive": float("nan")}, "max_drive lies in 0..10 m/s, not nan"),
        ({"timeout": 60.0}, "timeout lies in 0.05..10 s, not 60"),
        ({"point": ""}, "node and point need a name each"),
    ],
)
def test_an_impossible_option_is_told(options: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        Options(**options)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_its_last_word_is_to_stand_still(number: int, make_stage: Callable[..., Stage]) -> None:
    stage = make_stage()
    space = stage.node.get_namespace()
    motions: list[Motion] = []
    stage.client.create_subscription(
        Twist, "cmd_vel", lambda message: motions.append(motion_of(message)), 10
    )
    points = stage.client.create_publisher(PointStamped, "centroid/point", qos.results())
    child = subprocess.Popen(
        [sys.executable, "-u", "-m", "vos_ros", "follow", "--by", "depth", "--timeout", "10",
         "--ros-args", "-r", f"__ns:={space}"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        stage.until(lambda: points.get_subscription_count() or child.poll() is not None)
        points.publish(PointStamped(header=header(1), point=Point(z=5.0)))
        stage.until(lambda: motions and motions[-1].drive > 0)
        child.send_signal(number)
        stage.until(lambda: child.poll() is not None)
        stage.until(lambda: motions[-1] == STANDING, "the last word")
        said, _ = child.communicate(timeout=60)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 0, said
