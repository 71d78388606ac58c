# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""docs/interface.md and the README tell of the topics and services that the node really has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sensor_msgs.msg import CameraInfo
from stage import Stage, order

from vos_ros.ros import qos

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/interface.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
#: what rclpy gives to every node, or to every lifecycle node
EVERYBODYS = {
    "/clock", "/parameter_events", "/rosout", "~/transition_event", "~/change_state", "~/get_state",
    "~/get_available_states", "~/get_available_transitions", "~/get_transition_graph",
    "~/get_parameters", "~/get_parameter_types", "~/set_parameters", "~/set_parameters_atomically",
    "~/describe_parameters", "~/list_parameters", "~/get_type_description",
}  # fmt: skip


def table(text: str, first: str) -> dict[str, list[str]]:
    """The table whose head begins with `first`: the name in a row -> the cells after it."""
    found = {}
    for line in text[text.index(f"\n| {first} |") :].splitlines()[3:]:
        if not line.startswith("|"):
            break
        name, *rest = (cell.strip() for cell in line.strip("|").split("|"))
        found[name.strip("`")] = [cell.strip("`") for cell in rest]
    return found


def relative(name: str, namespace: str) -> str:
    """A full name as the documents write it."""
    name = name.replace(f"{namespace}/vos/", "~/").removeprefix(f"{namespace}/")
    return re.sub(r"object_\d+$", "object_<id>", name)


@pytest.fixture(scope="module", params=["raw", "compressed"])
def stage(request: pytest.FixtureRequest, context) -> Iterator[Stage]:
    """A node with all it ever has, an object's topic and the camera's calibration among them."""
    stage = Stage(context, f"/told_{request.param}", image_transport=request.param).activate()
    (stage.send if request.param == "raw" else stage.send_compressed)(1)
    assert stage.call(order((1,))).success
    stage.client.create_subscription(CameraInfo, "vos/camera_info", lambda _: None, qos.results())
    stage.until(lambda: stage.node.count_subscribers("camera_info"))
    yield stage
    stage.close()


def topics(stage: Stage) -> dict[str, list[str]]:
    """Name -> direction, type and quality of service of every topic of the node's own."""
    node, found = stage.node, {}
    space = node.get_namespace()
    for direction, listed, told in (
        ("out", node.get_publisher_names_and_types_by_node, node.get_publishers_info_by_topic),
        ("in", node.get_subscriber_names_and_types_by_node, node.get_subscriptions_info_by_topic),
    ):
        for name, (kind,) in listed("vos", space):
            ends = [end for end in told(name) if end.node_name == "vos"]
            ends = [end for end in ends if end.node_namespace == space]
            profile = ends[0].qos_profile
            words = f"{profile.reliability.name}, {profile.durability.name}"
            words = words.replace("_", " ").lower()
            found[relative(name, space)] = [direction, kind, words]
    return {name: row for name, row in found.items() if name not in EVERYBODYS}


def test_every_topic_of_the_node_is_told_with_its_type_and_quality(stage: Stage) -> None:
    told = {name: row[:3] for name, row in table(TEXT, "topic").items()}
    real = topics(stage)
    assert len(real) >= 7
    assert {name: told.get(name) for name in real} == real
    # Of the two that images come in on, a node has the one that its parameter says.
    assert {name for name in told if name not in real} <= {"image", "image/compressed"}


def test_every_service_of_the_node_is_told_with_its_type(stage: Stage) -> None:
    space = stage.node.get_namespace()
    listed = stage.node.get_service_names_and_types_by_node("vos", space)
    real = {relative(name, space): kind for name, (kind,) in listed}
    real = {name: kind for name, kind in real.items() if name not in EVERYBODYS}
    assert {name: row[0] for name, row in table(TEXT, "service").items()} == real


def test_the_first_page_names_all_of_them() -> None:
    for first in ("topic", "service"):
        for name in table(TEXT, first):
            assert f"`{name}`" in README, name
