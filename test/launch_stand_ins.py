# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for the launch libraries, which come with a ROS installation only."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

LAUNCH = Path(__file__).parents[1] / "launch"


class Recorded:
    """Stands for any class of the launch libraries: keeps what it was made of."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs

    def perform(self, context: dict[str, str]) -> str:
        """The text of a LaunchConfiguration; the context is a plain dictionary here."""
        return context.get(self.args[0], self.kwargs.get("default"))


def recorder(name: str) -> type[Recorded]:
    return type(name, (Recorded,), {})


NAMES = {
    "launch": ["LaunchContext", "LaunchDescription"],
    "launch.actions": [
        "DeclareLaunchArgument",
        "IncludeLaunchDescription",
        "LogInfo",
        "OpaqueFunction",
        "Shutdown",
    ],
    "launch.launch_description_sources": ["PythonLaunchDescriptionSource"],
    "launch.substitutions": ["EqualsSubstitution", "LaunchConfiguration"],
    "launch_ros": [],
    "launch_ros.actions": ["Node"],
    "launch_ros.parameter_descriptions": ["ParameterValue"],
}


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    for module_name, classes in NAMES.items():
        module = ModuleType(module_name)
        for name in classes:
            setattr(module, name, recorder(name))
        monkeypatch.setitem(sys.modules, module_name, module)


def actions(file: str) -> list[Recorded]:
    return runpy.run_path(str(LAUNCH / file))["generate_launch_description"]().args[0]


def of_kind(found: list[Recorded], kind: str) -> list[Recorded]:
    return [action for action in found if type(action).__name__ == kind]


def declared(file: str) -> dict[str, Recorded]:
    return {a.args[0]: a for a in of_kind(actions(file), "DeclareLaunchArgument")}


def started(file: str, **given: str) -> list[Recorded]:
    """The processes that a launch file starts when these arguments are given."""
    arguments = declared(file).items()
    defaults = {name: argument.kwargs.get("default_value") for name, argument in arguments}
    (opaque,) = of_kind(actions(file), "OpaqueFunction")
    return opaque.kwargs["function"]({**defaults, **given})


def vos_node(**given: str) -> Recorded:
    """The one process that vos.launch.py starts when these arguments are given."""
    (node,) = started("vos.launch.py", **given)
    return node


CAMERAS = "front=/front/image_raw rear=rear/image_raw"


def cameras_node(**given: str) -> Recorded:
    """The one process that cameras.launch.py starts when these arguments are given."""
    (node,) = started("cameras.launch.py", **{"cameras": CAMERAS, **given})
    return node


def configurations(thing: Any) -> Iterator[str]:
    """Names of all launch configurations used anywhere inside."""
    if isinstance(thing, Recorded):
        if type(thing).__name__ == "LaunchConfiguration":
            yield thing.args[0]
        thing = [*thing.args, *thing.kwargs.values()]
    if isinstance(thing, dict):
        thing = [*thing.keys(), *thing.values()]
    if isinstance(thing, (list, tuple)):
        for part in thing:
            yield from configurations(part)
