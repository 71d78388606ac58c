# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sample policy for SROS 2 allows what the node really offers, all of it and nothing else."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import fields
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from rclpy.node import Node
from stage import Stage, order

from vos_ros.apps.centroid import Options as CentroidOptions
from vos_ros.apps.centroid_node import CentroidNode
from vos_ros.apps.follow import Options as FollowOptions
from vos_ros.apps.follow_node import FollowNode
from vos_ros.apps.policy import GuardedNode, main, policy
from vos_ros.ros.onlooker import Onlooker

ROOT = Path(__file__).parents[1]
POLICY = ElementTree.parse(ROOT / "config" / "sros2_policy.xml").getroot()

#: what the node in the test has no use for: it takes raw images and the machine's time, and
#: nobody wants its calibration
SELDOM = {"image/compressed", "camera_info", "/clock"}
#: a node has a subscription to this, or not, by the version of rclpy
SOMETIMES = {"/parameter_events"}


def allowed(enclave: str, kind: str, use: str, policy: ElementTree.Element = POLICY) -> list[str]:
    """The names that a policy allows, as it writes them."""
    rules = policy.findall(f"enclaves/enclave[@path='{enclave}']/profiles/profile/{kind}")
    named = [rule for rule in rules if rule.get(use) == "ALLOW"]
    return [entry.text for rule in named for entry in rule]


def resolved(name: str, namespace: str, node: str = "vos") -> str:
    """As ROS resolves a name for a node of a namespace."""
    if name.startswith("/"):
        return name
    base = namespace.rstrip("/")
    return f"{base}/{node}{name[1:]}" if name.startswith("~") else f"{base}/{name}"


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


def hold(node: Node, enclave: str, policy: ElementTree.Element, seldom=SELDOM) -> None:
    """Fail unless a profile allows just what a node has."""
    name, namespace = node.get_name(), node.get_namespace()
    for kind, use, ask in USES:
        offered = {each for each, _ in getattr(node, ask)(name, namespace)}
        listed = allowed(enclave, kind, use, policy)
        patterns = {each: resolved(each, namespace, name) for each in listed}
        missing = [n for n in offered if not any(fnmatchcase(n, p) for p in patterns.values())]
        assert not missing, f"the policy does not let {name} {use} {missing}"
        idle = {n for n, p in patterns.items() if not any(fnmatchcase(o, p) for o in offered)}
        assert idle <= seldom | SOMETIMES, f"{name} does not {use} {idle}"


def test_the_policy_allows_what_the_node_offers_and_nothing_else(stage):
    hold(stage.node, "/vos", POLICY)


def of_stage(stage: Stage) -> ElementTree.Element:
    """The policy that is written for the stage's node."""
    node = GuardedNode.read(stage.node.get_fully_qualified_name())
    return policy([node], "/robot")


def test_the_policy_that_is_written_for_a_node_in_a_namespace_allows_what_it_offers(stage):
    written = of_stage(stage)
    hold(stage.node, "/robot", written)
    assert allowed("/vos", "topics", "publish", written) == []


def options(kind: type, **given: object) -> dict[str, object]:
    return {field.name: field.default for field in fields(kind)} | given


@pytest.mark.parametrize("program", ["select", "centroid", "follow"])
def test_the_policy_allows_the_programs_beside_the_node_what_they_have(stage, program):
    """All that they ever have, whichever way they go."""
    where = {"context": stage.node.context, "namespace": stage.node.get_namespace()}
    if program == "select":
        node = Onlooker("vos", "image", False, lambda sight: None, **where)
        node.wanted = True
        beside, seldom = [node], SELDOM
    elif program == "centroid":
        beside, seldom = [CentroidNode(options(CentroidOptions), **where)], {"/clock"}
    else:
        beside = [FollowNode(options(FollowOptions, by=by), **where) for by in ("area", "depth")]
        seldom = {"/clock"}
    for each in beside:
        stage.executor.add_node(each)
    try:
        last = beside[-1]
        stage.until(lambda: len(last.get_subscriber_names_and_types_by_node(
            last.get_name(), last.get_namespace())) >= 2)  # fmt: skip
        # Both of `follow` have one name, so that what is asked of either is of both.
        hold(last, f"/{program}", of_stage(stage), seldom)
    finally:
        for each in beside:
            stage.executor.remove_node(each)
            each.destroy_node()


def test_for_a_node_of_the_usual_name_the_sample_comes_out(capsys):
    assert main([]) == 0
    found = ElementTree.fromstring(capsys.readouterr().out.partition("?>")[2])
    assert [entry.tag for entry in found.iter()] == [entry.tag for entry in POLICY.iter()]
    for one, other in zip(found.iter(), POLICY.iter(), strict=True):
        assert one.attrib == other.attrib and (one.text or "").strip() == (other.text or "").strip()


def test_several_cameras_have_a_profile_each_and_others_may_see_all_of_them(capsys):
    cameras = ["/robot/front=/front/image_raw", "rear=back/image"]
    assert main([*cameras, "--enclave", "/cameras"]) == 0
    found = ElementTree.fromstring(capsys.readouterr().out.partition("?>")[2])
    profiles = found.findall("enclaves/enclave[@path='/cameras']/profiles/profile")
    assert [dict(each.attrib) for each in profiles] == [
        {"ns": "/robot", "node": "front"},
        {"ns": "/", "node": "rear"},
    ]
    seen = [[entry.text for entry in each.find("topics")] for each in profiles]
    assert seen[0][:3] == ["/front/image_raw", "/front/image_raw/compressed", "/front/camera_info"]
    assert seen[1][:3] == ["back/image", "back/image/compressed", "back/camera_info"]
    own = [allowed("/cameras", "topics", "publish", found), allowed("/vos", "topics", "publish")]
    assert own[0] == own[1] * 2
    for enclave in ("/operator", "/viewer", "/select", "/centroid", "/follow"):
        for kind, use in (("topics", "subscribe"), ("services", "request")):
            before = [n for n in allowed(enclave, kind, use) if n.startswith("/vos/")]
            after = allowed(enclave, kind, use, found)
            assert not [name for name in after if name.startswith("/vos/")]
            for name in before:
                assert after.count(f"/robot/front{name.removeprefix('/vos')}") == 1
                assert after.count(f"/rear{name.removeprefix('/vos')}") == 1
    images = [n for n in allowed("/operator", "topics", "subscribe", found) if "image" in n]
    assert images == [
        "/front/image_raw", "/back/image",
        "/front/image_raw/compressed", "/back/image/compressed",
    ]  # fmt: skip


@pytest.mark.parametrize("odd", ["", "a-b", "front=", "front=/x y", "/robot/", "a//b", "front=<x>"])
def test_what_is_no_node_is_refused(odd, capsys):
    with pytest.raises(SystemExit) as ended:
        main([odd])
    assert ended.value.code == 2 and "is no node" in capsys.readouterr().err


def test_two_nodes_of_one_name_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(["vos=/a/image", "/vos=/b/image"])
    assert "same name" in capsys.readouterr().err


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
