# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The configurations of RViz and Foxglove show what the node really publishes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from stage import Stage

CONFIG = Path(__file__).parents[1] / "config"
RVIZ = yaml.safe_load((CONFIG / "vos.rviz").read_text())
LAYOUT = json.loads((CONFIG / "foxglove_layout.json").read_text())
PANELS: dict[str, dict] = LAYOUT["configById"]

#: panel -> the types it shows
SHOWN = {
    "rviz_default_plugins/Image": {"sensor_msgs/msg/Image"},
    "Image": {"sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"},
    "DiagnosticSummary": {"diagnostic_msgs/msg/DiagnosticArray"},
}
NUMBERS = {"float", "double", "boolean"} | {
    f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)
}


@pytest.fixture(scope="module")
def offered(context) -> Iterator[dict[str, str]]:
    """Topics and services that an active node has, by the name they have where it is `/vos`."""
    stage = Stage(context, "/seen").activate()
    node = stage.node
    found = node.get_publisher_names_and_types_by_node("vos", "/seen")
    found += node.get_service_names_and_types_by_node("vos", "/seen")
    yield {name.removeprefix("/seen"): kind for name, (kind,) in found}
    stage.close()


def displays() -> list[dict]:
    return RVIZ["Visualization Manager"]["Displays"]


def test_rviz_shows_images_that_there_are(offered: dict[str, str]) -> None:
    shown = [(entry["Class"], entry["Topic"]["Value"]) for entry in displays()]
    assert len(shown) == len(set(shown)) >= 2
    for kind, topic in shown:
        assert offered[topic] in SHOWN[kind], topic


def test_rviz_asks_for_no_more_than_the_node_offers() -> None:
    """Reliable and volatile, as `qos.results` says, serve whoever asks for that or less."""
    for entry in displays():
        assert entry["Topic"]["Reliability Policy"] in ("Best Effort", "Reliable")
        assert entry["Topic"]["Durability Policy"] == "Volatile"


def test_what_costs_is_off_until_somebody_wants_it() -> None:
    enabled = {entry["Topic"]["Value"]: entry["Enabled"] for entry in displays()}
    assert enabled == {"/vos/overlay": True, "/vos/confidence": False}


def kind_of(panel: str) -> str:
    return panel.split("!")[0]


def leaves(layout: Any) -> Iterator[str]:
    if isinstance(layout, str):
        yield layout
    else:
        assert layout["direction"] in ("row", "column")
        assert 0 < layout["splitPercentage"] < 100
        yield from leaves(layout["first"])
        yield from leaves(layout["second"])


def test_every_panel_of_the_layout_has_its_place() -> None:
    assert sorted(leaves(LAYOUT["layout"])) == sorted(PANELS)
    assert {kind_of(panel) for panel in PANELS} >= {"Image", "Plot", "DiagnosticSummary"}


def paths() -> list[tuple[str, str]]:
    """The kind of panel and the message path, of every path in the layout."""
    found = []
    for panel, config in PANELS.items():
        found += [(kind_of(panel), entry["value"]) for entry in config.get("paths", [])]
        found += [
            (kind_of(panel), config[k]) for k in ("topicPath", "topicToRender") if k in config
        ]
        if "imageMode" in config:
            found.append((kind_of(panel), config["imageMode"]["imageTopic"]))
    return found


def definition(kind: str, of: str) -> Any:
    """The class of a message or service type, such as std_msgs/msg/Bool."""
    package, _, name = kind.split("/")
    return getattr(import_module(f"{package}.{of}"), name)


def type_at(message_type: str, fields: list[str]) -> str:
    """The type of a field of a message, as its definition writes it."""
    for field in fields:
        name = re.sub(r"\[[^\]]*\]$", "", field)
        known = definition(message_type, "msg").get_fields_and_field_types()
        assert name in known, f"{message_type} has no {name}"
        message_type = known[name]
        if field != name:
            (message_type,) = re.fullmatch(r"sequence<(.+)>", message_type).groups()
        if "/" in message_type and "/msg/" not in message_type:
            message_type = message_type.replace("/", "/msg/")
    return message_type


@pytest.mark.parametrize(("kind", "path"), paths())
def test_every_path_of_the_layout_leads_to_a_field(
    kind: str, path: str, offered: dict[str, str]
) -> None:
    topic, *fields = path.split(".")
    assert topic in offered
    found = type_at(offered[topic], fields)
    if kind == "Plot":
        assert found in NUMBERS
    else:
        assert found in SHOWN.get(kind, {found})


def test_every_panel_is_checked_here() -> None:
    services = [panel for panel, config in PANELS.items() if "serviceName" in config]
    assert len(services) + len(paths()) == len(PANELS)


def test_services_of_the_layout_exist_and_take_what_is_sent(offered: dict[str, str]) -> None:
    calls = [config for panel, config in PANELS.items() if kind_of(panel) == "CallService"]
    assert calls
    for config in calls:
        request = definition(offered[config["serviceName"]], "srv").Request
        assert set(json.loads(config["requestPayload"])) <= set(
            request.get_fields_and_field_types()
        )
