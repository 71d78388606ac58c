# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sample policy for SROS 2 allows what the node really offers, all of it and nothing else."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from stage import Stage, order

ROOT = Path(__file__).parents[1]
POLICY = ElementTree.parse(ROOT / "config" / "sros2_policy.xml").getroot()

#: what the node in the test has no use for: it takes raw images and the machine's time, and
#: nobody wants its calibration
SELDOM = {"image/compressed", "camera_info", "/clock"}
#: a node has a subscription to this, or not, by the version of rclpy
SOMETIMES = {"/parameter_events"}


def allowed(enclave: str, kind: str, use: str) -> list[str]:
    """The names that a policy allows, as it writes them."""
    rules = POLICY.findall(f"enclaves/enclave[@path='{enclave}']/profiles/profile/{kind}")
    named = [rule for rule in rules if rule.get(use) == "ALLOW"]
    return [entry.text for rule in named for entry in rule]


def resolved(name: str, namespace: str) -> str:
    """As ROS resolves a name for the node `vos` of a namespace."""
    if name.startswith("/"):
        return name
    return f"{namespace}/vos{name[1:]}" if name.startswith("~") else f"{namespace}/{name}"


@pytest.fixture
def stage(make_stage) -> Stage:
    """A node with all it ever has, topics of an object among them."""
    stage = make_stage().activate()
    stage.send(1)
    assert stage.call(order((1, 2))).success
    return stage


USES = [
    ("topics", "publish", "get_publisher_names_and_types_by_node"),
    ("topics", "subscribe", "get_subscriber_names_and_types_by_node"),
    ("services", "reply", "get_service_names_and_types_by_node"),
    ("services", "request", "get_client_names_and_types_by_node"),
]


def test_the_policy_allows_what_the_node_offers_and_nothing_else(stage):
    namespace = stage.node.get_namespace()
    for kind, use, ask in USES:
        offered = {name for name, _ in getattr(stage.node, ask)("vos", namespace)}
        listed = allowed("/vos", kind, use)
        patterns = {name: resolved(name, namespace) for name in listed}
        missing = [n for n in offered if not any(fnmatchcase(n, p) for p in patterns.values())]
        assert not missing, f"the policy does not let the node {use} {missing}"
        idle = {name for name, p in patterns.items() if not any(fnmatchcase(n, p) for n in offered)}
        assert idle <= SELDOM | SOMETIMES, f"the node does not {use} {idle}"


def test_others_are_allowed_only_what_the_node_offers():
    offered = {resolved(name, "") for name in allowed("/vos", "topics", "publish")}
    served = {resolved(name, "") for name in allowed("/vos", "services", "reply")}
    for enclave in ("/operator", "/viewer"):
        own = {name for name in allowed(enclave, "topics", "subscribe") if "/vos/" in name}
        assert own and own <= offered
        assert set(allowed(enclave, "topics", "publish")) == {"/parameter_events", "/rosout"}
    asked = set(allowed("/operator", "services", "request"))
    assert asked == {n for n in served if n.removeprefix("/vos/") in OURS}
    assert not POLICY.findall("enclaves/enclave[@path='/viewer']//services")


OURS = {
    "init_mask", "remove_object", "reset", "segment", "save_targets", "load_targets", "write_trace",
}  # fmt: skip


def test_nothing_is_forbidden_by_a_rule_that_reads_like_one_that_allows():
    """Every rule says ALLOW, and every element is one that the format knows."""
    known = {"policy", "enclaves", "enclave", "profiles", "profile", "topics", "topic", "services",
             "service"}  # fmt: skip
    assert {element.tag for element in POLICY.iter()} == known
    for rule in [*POLICY.iter("topics"), *POLICY.iter("services")]:
        assert set(rule.attrib.values()) == {"ALLOW"}
        assert set(rule.attrib) <= {"publish", "subscribe", "reply", "request"}


def test_the_document_tells_what_each_service_can_do():
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    for name in allowed("/vos", "services", "reply"):
        assert f"`{name}`" in text, name
    assert "config/sros2_policy.xml" in text


def test_every_service_of_the_sources_is_built():
    """What is not listed for CMake is there for nobody."""
    listed = (ROOT / "vos_msgs" / "CMakeLists.txt").read_text()
    for path in [*ROOT.glob("vos_msgs/srv/*.srv"), *ROOT.glob("vos_msgs/msg/*.msg")]:
        assert f"  {path.parent.name}/{path.name}\n" in listed
