# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whoever disagrees with the node on the quality of service is named, with what to do."""

from __future__ import annotations

import pytest
from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from stage import header, order, picture, truth
from test_node_log import heard, log_of

from vos_msgs.msg import ObjectPresenceArray
from vos_ros.ros.images import rgb_to_message
from vos_ros.ros.qos_events import falls_short


def profile(**policies) -> QoSProfile:
    return QoSProfile(depth=1, **policies)


@pytest.mark.parametrize(
    ("policy", "lower", "higher"),
    [
        ("reliability", ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE),
        ("durability", DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL),
        ("liveliness", LivelinessPolicy.AUTOMATIC, LivelinessPolicy.MANUAL_BY_TOPIC),
        ("deadline", Duration(seconds=2), Duration(seconds=1)),
        ("deadline", Duration(), Duration(seconds=1)),
        ("deadline", Duration(nanoseconds=2**63 - 1), Duration(seconds=1)),
    ],
)
def test_offering_less_than_is_asked_for_is_too_little(policy, lower, higher):
    less, more = profile(**{policy: lower}), profile(**{policy: higher})
    assert falls_short(less, more, policy)
    assert not any(falls_short(*pair, policy) for pair in ((less, less), (more, more)))
    assert not falls_short(more, less, policy)
    others = {"reliability", "durability", "liveliness", "deadline", "history"} - {policy}
    assert not any(falls_short(less, more, other) for other in others)


def test_a_shorter_lease_is_more_than_a_longer_one():
    less = profile(liveliness_lease_duration=Duration(seconds=3))
    more = profile(liveliness_lease_duration=Duration(seconds=1))
    assert falls_short(less, more, "liveliness")
    assert not falls_short(more, less, "liveliness")


def test_a_camera_that_offers_too_little_is_named_with_the_cure(make_stage):
    stage = make_stage(image_reliability="reliable")
    said = log_of(stage)
    assert stage.change("configure")
    assert stage.change("activate")
    base = stage.node.get_namespace()
    assert heard(stage, said, "offers 'best effort'") == (
        f"Node {base}/client offers 'best effort' reliability on {base}/image, and this node asks"
        " for 'reliable': no image will come from there. To mend it, set this node's"
        " image_reliability to best_effort, or have the camera offer 'reliable'."
    )


def test_a_reliable_camera_is_heard_reliably(make_stage):
    stage = make_stage(image_reliability="reliable")
    stage.client.destroy_publisher(stage.camera)
    stage.camera = stage.client.create_publisher(Image, "image", 10)
    stage.activate()
    stage.send_message(rgb_to_message(picture(0), header(0)))
    assert stage.call(order()).success
    assert (stage.mask_of(0) == truth()).all()


@pytest.mark.parametrize(
    ("kind", "topic", "asked", "words"),
    [
        (
            Image,
            "mask",
            profile(durability=DurabilityPolicy.TRANSIENT_LOCAL),
            "asks for 'transient local' durability on {topic}, and this node offers 'volatile':"
            " nothing will arrive there. To mend it, have that node ask for 'volatile'.",
        ),
        (
            ObjectPresenceArray,
            "presence",
            profile(deadline=Duration(seconds=0.5)),
            "asks for '0.5 s' deadline on {topic}, and this node offers 'endless': nothing will"
            " arrive there. To mend it, have that node ask for 'endless'.",
        ),
        (
            Image,
            "overlay",
            profile(liveliness=LivelinessPolicy.MANUAL_BY_TOPIC),
            "asks for 'manual by topic' liveliness on {topic}, and this node offers 'automatic':"
            " nothing will arrive there. To mend it, have that node ask for 'automatic'.",
        ),
    ],
    ids=["durability", "deadline", "liveliness"],
)
def test_a_subscriber_that_asks_too_much_is_named_with_the_cure(
    make_stage, kind, topic, asked, words
):
    stage = make_stage()
    said = log_of(stage)
    assert stage.change("configure")
    stage.client.create_subscription(kind, f"vos/{topic}", lambda _: None, asked)
    base = stage.node.get_namespace()
    line = heard(stage, said, "asks for")
    assert line == f"Node {base}/client " + words.format(topic=f"{base}/vos/{topic}")


def test_those_who_agree_are_not_spoken_of(make_stage):
    stage = make_stage().activate()
    said = log_of(stage)
    for reliability in (ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT):
        stage.client.create_subscription(
            Image, "vos/mask", stage.masks.append, profile(reliability=reliability)
        )
    stage.send(0)
    assert stage.call(order()).success
    stage.until(lambda: len(stage.masks) >= 3)
    heard(stage, said, "Active")
    assert not [line for line in said if "asks for" in line or "offers" in line]
