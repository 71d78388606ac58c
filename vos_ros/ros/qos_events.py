# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Says in plain words who on a topic asks for what the other does not offer, and what to do.

DDS does not connect two that disagree on the quality of service, and neither of them notices: to
whoever looks at it, the topic is merely quiet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rclpy.duration import Duration
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import (
    QoSCompatibility,
    QoSProfile,
    qos_check_compatible,
    qos_policy_name_from_kind,
)
from rclpy.topic_endpoint_info import TopicEndpointInfo

_POLICIES = {
    "DURABILITY": "durability",
    "DEADLINE": "deadline",
    "LIVELINESS": "liveliness",
    "RELIABILITY": "reliability",
}


def camera_events(node: Node, topic: str, asked: QoSProfile) -> SubscriptionEventCallbacks:
    """Callbacks for the subscription to the camera.

    Args:
        node: subscribes.
        topic: the topic's full name.
        asked: what the node asks for.
    """

    def incompatible(event: Any) -> None:
        policy = _policy(event)
        publishers = node.get_publishers_info_by_topic(topic)
        others = _disagreeing(publishers, lambda offered: (offered, asked))
        who, offered = _other(others, "A publisher", policy)
        wanted = _value(asked, policy)
        own = (
            "Set this node's image_reliability to best_effort, or have"
            if policy == "reliability"
            else "Have"
        )
        node.get_logger().warning(
            f"{who} offers {offered} {policy} on {topic}, and this node asks for {wanted}: no"
            f" image will come from there. {own} the camera publish with {wanted} {policy}."
        )

    return SubscriptionEventCallbacks(incompatible_qos=incompatible)


def result_events(node: Node, name: str, offered: QoSProfile) -> PublisherEventCallbacks:
    """Callbacks for one of the node's own topics.

    Args:
        node: publishes.
        name: the topic's name, such as `~/mask`.
        offered: what the node offers.
    """
    topic = node.resolve_topic_name(name)

    def incompatible(event: Any) -> None:
        policy = _policy(event)
        subscribers = node.get_subscriptions_info_by_topic(topic)
        others = _disagreeing(subscribers, lambda asked: (offered, asked))
        who, wanted = _other(others, "A subscriber", policy)
        given = _value(offered, policy)
        node.get_logger().warning(
            f"{who} asks for {wanted} {policy} on {topic}, and this node offers {given}: nothing"
            f" will arrive there. Have it subscribe with {given} {policy}."
        )

    return PublisherEventCallbacks(incompatible_qos=incompatible)


def _policy(event: Any) -> str:
    name = qos_policy_name_from_kind(event.last_policy_kind)
    return _POLICIES.get(name, name.lower().replace("_", " "))


def _disagreeing(
    endpoints: Iterable[TopicEndpointInfo],
    pair: Callable[[QoSProfile], tuple[QoSProfile, QoSProfile]],
) -> list[TopicEndpointInfo]:
    """Those of the others on a topic that do not come together with this node."""
    return [
        other
        for other in endpoints
        if qos_check_compatible(*pair(other.qos_profile))[0] is QoSCompatibility.ERROR
    ]


def _other(others: list[TopicEndpointInfo], unknown: str, policy: str) -> tuple[str, str]:
    """Who disagrees, and on what it insists; the one that came last, where there are several."""
    if not others:
        # Discovery may tell of the disagreement before it tells who it is.
        return unknown, "another"
    other = others[-1]
    name = f"{other.node_namespace.rstrip('/')}/{other.node_name}"
    return f"Node {name}", _value(other.qos_profile, policy)


def _value(profile: QoSProfile, policy: str) -> str:
    value = getattr(profile, policy, None)
    if isinstance(value, Duration):
        # Unspecified is zero in a profile of one's own and the largest number in a discovered one.
        bounded = 0 < value.nanoseconds < 2**62
        return f"a {value.nanoseconds / 1e9:g} s" if bounded else "an endless"
    return getattr(value, "name", str(value)).lower().replace("_", " ")
