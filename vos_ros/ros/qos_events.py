# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Says in plain words who on a topic asks for what the other does not offer, and what to do.

DDS does not connect two that disagree on the quality of service, and neither of them notices: to
whoever looks at it, the topic is merely quiet.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import count
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    LivelinessPolicy,
    QoSProfile,
    ReliabilityPolicy,
    qos_policy_name_from_kind,
)
from rclpy.topic_endpoint_info import TopicEndpointInfo

LOOK_SECONDS = 0.1
LOOKS = 20
"""Discovery may tell that somebody disagrees before it tells who: so long it is asked again."""

ENDLESS = 2**62
"""Nanoseconds from which on a time is no bound; discovery has the largest number there is."""


def camera_events(node: Node, topic: str, asked: QoSProfile) -> SubscriptionEventCallbacks:
    """Callbacks for the subscription to the camera.

    Args:
        node: subscribes.
        topic: the topic's full name.
        asked: what the node asks for.
    """

    def say(other: TopicEndpointInfo | None, policy: str) -> None:
        who, offered = _name(other, "A publisher"), _value(other, policy)
        wanted = _show(asked, policy)
        own = "set this node's image_reliability to best_effort, or " * (policy == "reliability")
        node.get_logger().warning(
            f"{who} offers {offered} {policy} on {topic}, and this node asks for {wanted}: no image"
            f" will come from there. To mend it, {own}have the camera offer {wanted}."
        )

    watch = _Disagreements(
        node,
        lambda: node.get_publishers_info_by_topic(topic),
        lambda offered, policy: falls_short(offered, asked, policy),
        say,
    )
    return SubscriptionEventCallbacks(incompatible_qos=watch.notice)


def result_events(node: Node, name: str, offered: QoSProfile) -> PublisherEventCallbacks:
    """Callbacks for one of the node's own topics.

    Args:
        node: publishes.
        name: the topic's name, such as `~/mask`.
        offered: what the node offers.
    """
    topic = node.resolve_topic_name(name)

    def say(other: TopicEndpointInfo | None, policy: str) -> None:
        who, asked = _name(other, "A subscriber"), _value(other, policy)
        given = _show(offered, policy)
        node.get_logger().warning(
            f"{who} asks for {asked} {policy} on {topic}, and this node offers {given}: nothing"
            f" will arrive there. To mend it, have that node ask for {given}."
        )

    watch = _Disagreements(
        node,
        lambda: node.get_subscriptions_info_by_topic(topic),
        lambda asked, policy: falls_short(offered, asked, policy),
        say,
    )
    return PublisherEventCallbacks(incompatible_qos=watch.notice)


class _Disagreements:
    """Finds out who disagrees when the transport says that somebody does.

    Args:
        node: whose executor does the looking.
        others: tells who is on the other side of the topic.
        disagrees: tells whether one of them, by its profile, disagrees on a policy.
        say: takes each that does not, once, and the policy; None when it cannot be found out.
    """

    def __init__(
        self,
        node: Node,
        others: Callable[[], list[TopicEndpointInfo]],
        disagrees: Callable[[QoSProfile, str], bool],
        say: Callable[[TopicEndpointInfo | None, str], None],
    ) -> None:
        self._node = node
        self._others = others
        self._disagrees = disagrees
        self._say = say
        self._said: set[tuple[int, ...]] = set()

    def notice(self, event: Any) -> None:
        """Look who it is, now or as soon as it is known."""
        policy = qos_policy_name_from_kind(event.last_policy_kind).lower()
        if self._tell(policy):
            return
        looks = count(1)

        def look() -> None:
            found, last = self._tell(policy), next(looks) == LOOKS
            if found or last:
                self._node.destroy_timer(timer)
            if last and not found:
                self._say(None, policy)

        timer = self._node.create_timer(
            LOOK_SECONDS, look, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def _tell(self, policy: str) -> bool:
        """Say who disagrees and was not said to yet; return whether there was one."""
        found = False
        for other in self._others():
            key = tuple(other.endpoint_gid)
            if key not in self._said and self._disagrees(other.qos_profile, policy):
                self._said.add(key)
                self._say(other, policy)
                found = True
        return found


def falls_short(offered: QoSProfile, asked: QoSProfile, policy: str) -> bool:
    """Whether what a publisher offers is less than a subscriber asks for (DDS 1.4, 2.2.3).

    rclpy's own comparison takes times that were left open for the shortest there are.

    Args:
        offered: the publisher's profile.
        asked: the subscriber's profile.
        policy: reliability, durability, deadline or liveliness; for any other it is False.
    """
    given, wanted = getattr(offered, policy, None), getattr(asked, policy, None)
    if policy == "deadline":
        return _bound(asked.deadline) < _bound(offered.deadline)
    highest = {
        "reliability": ReliabilityPolicy.RELIABLE,
        "durability": DurabilityPolicy.TRANSIENT_LOCAL,
        "liveliness": LivelinessPolicy.MANUAL_BY_TOPIC,
    }.get(policy)
    lease = policy == "liveliness" and _bound(asked.liveliness_lease_duration) < _bound(
        offered.liveliness_lease_duration
    )
    return highest is not None and (wanted == highest != given or lease)


def _bound(time: Duration) -> float:
    """A time in nanoseconds; endless when it is left open, which in a profile of one's own is 0."""
    return time.nanoseconds if 0 < time.nanoseconds < ENDLESS else math.inf


def _name(other: TopicEndpointInfo | None, unknown: str) -> str:
    if other is None:
        return unknown
    return f"Node {other.node_namespace.rstrip('/')}/{other.node_name}"


def _value(other: TopicEndpointInfo | None, policy: str) -> str:
    return "another" if other is None else _show(other.qos_profile, policy)


def _show(profile: QoSProfile, policy: str) -> str:
    value = getattr(profile, policy, None)
    if isinstance(value, Duration):
        return "'endless'" if math.isinf(_bound(value)) else f"'{_bound(value) / 1e9:g} s'"
    return f"'{getattr(value, 'name', str(value)).lower().replace('_', ' ')}'"
