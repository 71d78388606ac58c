# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files name only what exists; checked without the launch libraries.

Stand-ins replace those; with them, test_launch.py really launches.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from launch_stand_ins import (  # noqa: F401 - a fixture is among them
    CAMERAS,
    LAUNCH,
    Recorded,
    actions,
    cameras_node,
    configurations,
    declared,
    of_kind,
    stand_ins,
    vos_node,
)

from vos_ros.apps.cli import ALIASES, COMMANDS
from vos_ros.apps.publish_video import Options
from vos_ros.ros.environment import MALLOC_SETTINGS, PROFILE_VARIABLES
from vos_ros.ros.parameters import BY_NAME, TABLE, show


@pytest.mark.parametrize("file", sorted(path.name for path in LAUNCH.glob("*.launch.py")))
def test_every_argument_is_described(file: str) -> None:
    arguments = of_kind(actions(file), "DeclareLaunchArgument")
    names = [argument.args[0] for argument in arguments]
    assert len(names) == len(set(names))
    for argument in arguments:
        assert argument.kwargs["description"].strip().endswith("."), argument.args[0]


def test_every_launch_file_is_tested_here() -> None:
    assert {path.name for path in LAUNCH.iterdir() if path.suffix == ".py"} == {
        "vos.launch.py",
        "cameras.launch.py",
        "demo.launch.py",
        "view.launch.py",
    }


@pytest.mark.parametrize("file", ["vos.launch.py", "cameras.launch.py"])
def test_every_parameter_of_the_node_is_an_argument(file: str) -> None:
    arguments = declared(file)
    assert set(BY_NAME) <= set(arguments)
    for parameter in TABLE:
        assert parameter.description in arguments[parameter.name].kwargs["description"]


def test_what_is_not_given_is_left_to_the_parameter_file() -> None:
    for name, node in (("vos.launch.py", vos_node()), ("cameras.launch.py", cameras_node())):
        file, overrides = node.kwargs["parameters"]
        assert list(configurations(file)) == ["params_file"]
        assert overrides == {}
        assert Path(declared(name)["params_file"].kwargs["default_value"]).is_file()


def test_what_is_given_reaches_the_node_with_its_type() -> None:
    node = vos_node(autostart="false", internal_size="320", overlay_alpha="1", weights="12")
    expected = {"autostart": False, "internal_size": 320, "overlay_alpha": 1.0, "weights": "12"}
    overrides = node.kwargs["parameters"][1]
    assert overrides == expected
    assert {name: type(value) for name, value in overrides.items()} == {
        name: BY_NAME[name].type for name in expected
    }


def test_what_is_given_reaches_every_camera() -> None:
    node = cameras_node(internal_size="320", batching="always")
    assert node.kwargs["parameters"][1] == {"internal_size": 320, "batching": "always"}
    assert node.kwargs["arguments"] == CAMERAS.split()
    # A name would be that of every node in the process.
    assert "name" not in node.kwargs and "remappings" not in node.kwargs


@pytest.mark.parametrize("cameras", ["", "front", "a=/x a=/y"])
def test_cameras_that_cannot_be_are_refused_before_anything_starts(cameras: str) -> None:
    with pytest.raises(ValueError, match="camera"):
        cameras_node(cameras=cameras)


@pytest.mark.parametrize("written", [str, show], ids=["python", "plain"])
def test_every_default_may_be_given_as_it_is_written(written) -> None:
    # An empty argument is one that is not given.
    defaults = {p.name: p.default for p in TABLE if p.default != ""}
    texts = {name: written(value).strip("'") for name, value in defaults.items()}
    assert vos_node(**texts).kwargs["parameters"][1] == defaults


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("presence_minimum_area", "tiny"),
        ("overlay_alpha", "nan"),
        ("autostart", "perhaps"),
        ("internal_size", "12.5"),
        ("internal_size", "{"),
        ("overlay_alpha", "2"),
        ("precision", "int8"),
    ],
)
def test_a_bad_value_is_refused_before_anything_starts(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' must be .+ given '?{text}"):
        vos_node(**{name: text})


TOGETHER = [
    ({"runtime": "openvino", "device": "cuda:1"}, "on the CPU alone, not with device:=cuda:1"),
    ({"precision": "fp16", "device": "cpu"}, "for CUDA devices, not for device:=cpu"),
    ({"precision": "fp16", "runtime": "openvino"}, "for CUDA devices, not for runtime:=openvino"),
    ({"runtime": "cudagraphs", "device": "cpu"}, "is for CUDA devices, not for device:=cpu"),
    ({"presence_vanish": "0.8", "presence_appear": "0.6"}, "not be above presence_appear:=0.6"),
]  # fmt: skip


@pytest.mark.parametrize("start", [vos_node, cameras_node])
@pytest.mark.parametrize(("given", "words"), TOGETHER, ids=[words for _, words in TOGETHER])
def test_values_that_do_not_go_together_are_refused_before_anything_starts(
    start, given: dict[str, str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        start(**given)
    for name in given:  # each by itself is fine
        start(**{name: given[name]})


def test_the_calibration_is_beside_the_images_unless_told_otherwise() -> None:
    assert "camera_info" not in dict(vos_node().kwargs["remappings"])
    rules = dict(vos_node(camera_info="/info").kwargs["remappings"])
    assert list(configurations(rules["camera_info"])) == ["camera_info"]


@pytest.mark.parametrize("file", ["vos.launch.py", "cameras.launch.py", "demo.launch.py"])
def test_only_declared_arguments_are_used(file: str) -> None:
    known = set(declared(file)) | set(declared("vos.launch.py"))
    nodes = of_kind(actions(file), "Node")
    if file != "demo.launch.py":
        nodes.append(vos_node() if file == "vos.launch.py" else cameras_node())
        known = set(declared(file))
    assert nodes
    assert set(configurations(nodes)) <= known


def test_the_demo_declares_nothing_a_second_time() -> None:
    assert not set(declared("demo.launch.py")) & set(declared("vos.launch.py"))


def test_the_demo_includes_the_node() -> None:
    (include,) = of_kind(actions("demo.launch.py"), "IncludeLaunchDescription")
    assert Path(include.args[0].args[0]) == LAUNCH / "vos.launch.py"


def test_the_demo_sets_only_options_that_the_publisher_has() -> None:
    (camera,) = of_kind(actions("demo.launch.py"), "Node")
    (parameters,) = camera.kwargs["parameters"]
    options = {field.name: field for field in dataclasses.fields(Options)}
    assert set(parameters) <= set(options)
    for name, value in parameters.items():
        assert value.kwargs["value_type"] is type(options[name].default), name


def test_camera_and_node_meet_on_one_topic() -> None:
    (camera,) = of_kind(actions("demo.launch.py"), "Node")
    for node in (camera, vos_node()):
        (raw_from, raw_to), (compressed_from, (base, ending)) = node.kwargs["remappings"]
        assert (raw_from, compressed_from, ending) == ("image", "image/compressed", "/compressed")
        assert list(configurations([raw_to, base])) == ["image", "image"]
        assert list(configurations(node.kwargs["namespace"])) == ["namespace"]


def test_executables_exist_and_get_the_transport_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in (*PROFILE_VARIABLES, *MALLOC_SETTINGS):
        monkeypatch.delenv(name, raising=False)
    (camera,) = of_kind(actions("demo.launch.py"), "Node")
    for node in (camera, vos_node(), cameras_node()):
        assert node.kwargs["package"] == "vos_ros"
        executable = node.kwargs["executable"]
        assert ALIASES.get(executable, executable) in COMMANDS
        environment = node.kwargs["additional_env"]
        assert set(environment) == {*PROFILE_VARIABLES, *MALLOC_SETTINGS}
        assert Path(environment[PROFILE_VARIABLES[0]]).is_file()


def viewer(monkeypatch: pytest.MonkeyPatch, installed: bool = True, **given: str) -> list[Recorded]:
    """What view.launch.py starts when these arguments are given."""

    def prefix(package: str) -> str:
        if not installed:
            raise packages.PackageNotFoundError(package)
        return "/opt"

    packages = pytest.importorskip("ament_index_python.packages")
    monkeypatch.setattr(packages, "get_package_prefix", prefix)
    arguments = {k: a.kwargs["default_value"] for k, a in declared("view.launch.py").items()}
    (opaque,) = of_kind(actions("view.launch.py"), "OpaqueFunction")
    return opaque.kwargs["function"]({**arguments, **given})


def test_rviz_is_shown_the_topics_of_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    (node,) = viewer(monkeypatch, namespace="/head/", name="eye")
    assert (node.kwargs["package"], node.kwargs["executable"]) == ("rviz2", "rviz2")
    option, config = node.kwargs["arguments"]
    assert option == "-d" and Path(config) == LAUNCH.parent / "config" / "vos.rviz"
    remapped = dict(node.kwargs["remappings"])
    shown = re.findall(r"Value: (/\S+)", Path(config).read_text())
    assert shown
    assert [remapped[topic] for topic in shown] == [f"/head/eye{t[4:]}" for t in shown]


def test_foxglove_gets_a_bridge_that_only_this_machine_reaches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told, node = viewer(monkeypatch, viewer="foxglove", port="9000", name="eye")
    assert node.kwargs["package"] == "foxglove_bridge"
    assert node.kwargs["parameters"] == [{"port": 9000, "address": "127.0.0.1"}]
    said = told.kwargs["msg"]
    assert "ws://localhost:9000" in said and "/vos stands for /eye" in said
    assert str(LAUNCH.parent / "config" / "foxglove_layout.json") in said


def test_rqt_shows_the_overlay(monkeypatch: pytest.MonkeyPatch) -> None:
    (node,) = viewer(monkeypatch, viewer="rqt", namespace="head")
    assert node.kwargs["arguments"] == ["/head/vos/overlay"]


@pytest.mark.parametrize("name", ["rviz", "foxglove", "rqt"])
def test_a_viewer_that_is_not_installed_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DISTRO", "kilted")
    assert name in declared("view.launch.py")["viewer"].kwargs["choices"]
    with pytest.raises(RuntimeError, match=f"viewer:={name} needs .+ apt install ros-kilted-"):
        viewer(monkeypatch, installed=False, viewer=name)
