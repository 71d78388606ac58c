# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS side of `follow`: sights of the object in, commands to the robot's base out."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import Any

from geometry_msgs.msg import PointStamped, Twist, TwistStamped, Vector3
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.node import Node
from sensor_msgs.msg import Image

from vos_msgs.msg import ObjectPresenceArray
from vos_ros.apps.follow import AREA, Options
from vos_ros.apps.node_options import declared_options
from vos_ros.pairing import Pairing
from vos_ros.ros import qos
from vos_ros.ros.images import ImageError, mask_to_labels
from vos_ros.ros.requests import nanoseconds, sentence
from vos_ros.steering import STOP, Law, Motion, Sight, sight_at_point, sight_in_mask, steer

_WARN_SECONDS = 5.0
_LAST_WORD_SECONDS = 1.0
MASK, PRESENCE = "mask", "presence"


class FollowNode(Node):
    """Publishes commands on `cmd_vel` at a steady rate, of standing still if need be.

    Args:
        defaults: value of each field of Options where no ROS parameter is given.
        rest: as for any node.

    Raises:
        OptionError: a parameter has an impossible value.
    """

    def __init__(self, defaults: Mapping[str, object], **rest: Any) -> None:
        super().__init__("follow", **rest)
        self.options = options = declared_options(self, Options, defaults)
        self._law = Law(**{field.name: getattr(options, field.name) for field in fields(Law)})
        self._sight: Sight | None = None
        self._seen = -math.inf
        self._gone = -1  # stamp of the newest image, in ns, if the object is not in it
        self._doing = ""
        self._kind = TwistStamped if options.stamped else Twist
        self._publisher = self.create_publisher(self._kind, "cmd_vel", 1)
        presence = f"{options.node}/presence", qos.results()
        subscribe = self.create_subscription
        if options.by == AREA:
            self._pairing = Pairing((MASK, PRESENCE), self._look)
            subscribe(Image, f"{options.node}/mask", partial(self._take, MASK), qos.results())
            subscribe(ObjectPresenceArray, presence[0], partial(self._take, PRESENCE), presence[1])
        else:
            subscribe(PointStamped, options.point, self._take_point, qos.results())
            subscribe(ObjectPresenceArray, presence[0], self._take_presence, presence[1])
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0 / options.rate, self._command, clock=steady)

    def close(self) -> None:
        """Leave the robot standing."""
        self._send(STOP)
        # A writer that vanishes takes what is under way with it.
        self._publisher.wait_for_all_acked(Duration(seconds=_LAST_WORD_SECONDS))

    def _take(self, what: str, message: Image | ObjectPresenceArray) -> None:
        self._pairing.take(what, nanoseconds(message.header.stamp), message)

    def _look(self, mask: Image, presence: ObjectPresenceArray) -> None:
        """See where the object is in a mask."""
        options, sight = self.options, None
        try:
            if self._is_present(presence):
                field = math.radians(options.field_of_view)
                sight = sight_in_mask(mask_to_labels(mask), options.id, field, options.area)
        except ImageError as error:
            self.get_logger().warning(sentence(error), throttle_duration_sec=_WARN_SECONDS)
        self._note(sight)

    def _take_point(self, message: PointStamped) -> None:
        """See where the object is in space, unless it is known to have left since."""
        if nanoseconds(message.header.stamp) < self._gone:
            return
        point = message.point
        self._note(sight_at_point((point.x, point.y, point.z), self.options.distance))

    def _take_presence(self, message: ObjectPresenceArray) -> None:
        if self._is_present(message):
            self._gone = -1
            return
        self._gone = nanoseconds(message.header.stamp)
        self._note(None)

    def _is_present(self, message: ObjectPresenceArray) -> bool:
        return any(item.present for item in message.objects if item.id == self.options.id)

    def _note(self, sight: Sight | None) -> None:
        self._sight, self._seen = sight, time.monotonic()

    def _command(self) -> None:
        late = time.monotonic() - self._seen > self.options.timeout
        if late:
            doing = f"no news of object {self.options.id}, standing still"
        elif self._sight is None:
            doing = f"object {self.options.id} is out of sight, standing still"
        else:
            doing = f"following object {self.options.id}"
        if doing != self._doing:
            self._doing = doing
            self.get_logger().info(f"{doing[0].upper()}{doing[1:]}.")
        known = None if late else self._sight
        self._send(STOP if known is None else steer(known, self._law))

    def _send(self, motion: Motion) -> None:
        twist = Twist(linear=Vector3(x=motion.drive), angular=Vector3(z=motion.turn))
        if self._kind is Twist:
            self._publisher.publish(twist)
            return
        stamped = TwistStamped(twist=twist)
        stamped.header.stamp = self.get_clock().now().to_msg()
        self._publisher.publish(stamped)
