# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The container file names only what exists. That it builds is not tested, as it says itself."""

from __future__ import annotations

import re
import shlex
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml
from launch_stand_ins import LAUNCH, declared, stand_ins  # noqa: F401

from vos_ros.apps.cli import ALIASES, COMMANDS
from vos_ros.ros.launch_driver import DRIVERS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docker/Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "docker/compose.yaml").read_text(encoding="utf-8"))
DOCUMENT = (ROOT / "docs/container.md").read_text(encoding="utf-8")
DISTRIBUTION = "jazzy"


def instructions() -> list[list[str]]:
    """Each instruction as its words, lines that go on joined and comments left out."""
    lines = [line for line in TEXT.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [shlex.split(line) for line in joined.splitlines() if line.strip()]


def copied() -> list[str]:
    found = []
    for name, *words in instructions():
        if name == "COPY":
            *sources, _ = [word for word in words if not word.startswith("--")]
            found += sources
    return found


def commands() -> list[list[str]]:
    """Every `ros2` command that the container is told to run, here and in the document."""
    given = [service["command"] for service in COMPOSE["services"].values()]
    given += re.findall(r"ros2 (?:run|launch) vos_ros [^\n`]*", DOCUMENT)
    words = [shlex.split(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", command)) for command in given]
    words += [words_of(text) for text in re.findall(r"^CMD (\[.*\])$", TEXT, re.MULTILINE)]
    return words


def words_of(text: str) -> list[str]:
    """A list of words as JSON, which YAML reads as well."""
    return yaml.safe_load(text)


def test_it_says_that_it_was_not_built() -> None:
    assert "NOT BUILT BY ITS AUTHORS" in TEXT.split("FROM")[0]
    assert "It was not built by its authors" in DOCUMENT


def test_what_is_copied_exists_and_is_not_left_out() -> None:
    rules = (ROOT / ".dockerignore").read_text().split("\n")
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    assert rules[1] == "*", "all is left out first"
    for source in copied():
        assert (ROOT / source).exists(), source
        assert source in let_in or source.split("/")[0] in let_in, source
    assert let_in <= {*copied()}


def test_all_that_is_installed_is_copied() -> None:
    """The folders that setup.py installs files from, the packages, and their manifests."""
    setup = (ROOT / "setup.py").read_text()
    folders = set(re.findall(r'tree\("(\w+)"\)', setup)) | set(re.findall(r'glob\("(\w+)/', setup))
    assert folders == {"config", "launch", "weights"}
    needed = {*folders, "resource", "vos_ros", "vos_msgs", "package.xml", "setup.py", "setup.cfg"}
    assert needed <= {*copied()}


def words_after(*names: str) -> list[str]:
    """What follows such words in an instruction, up to the next command of its shell."""
    found = []
    for _, *words in instructions():
        for place in range(len(words)):
            if tuple(words[place : place + len(names)]) == names:
                rest = words[place + len(names) :]
                end = next((i for i, word in enumerate(rest) if word in ("&&", ";")), len(rest))
                found += rest[:end]
    return found


def test_packages_of_pip_are_those_without_a_rosdep_key() -> None:
    given = words_after("pip", "install")
    names = {word for word in given if not word.startswith(("-", "$"))}
    wanted = (ROOT / "requirements.in").read_text().splitlines()
    pinned = next(line for line in wanted if line.startswith("torch=="))
    assert names == {pinned, "safetensors", "openvino", "rosbags"}
    assert {name.partition("=")[0] for name in names} <= {line.partition("=")[0] for line in wanted}


def test_only_pytorch_is_kept_from_rosdep() -> None:
    manifest = ElementTree.parse(ROOT / "package.xml").getroot()
    depends = {element.text for element in manifest if element.tag == "exec_depend"}
    arguments = words_after("rosdep", "install")
    assert arguments[arguments.index("--skip-keys") + 1] == "python3-torch"
    assert "python3-torch" in depends
    for kind in {element.tag.removesuffix("_depend") for element in manifest} & {"build", "exec"}:
        assert kind in arguments
    messages = ElementTree.parse(ROOT / "vos_msgs/package.xml").getroot()
    kinds = {e.tag.removesuffix("_depend") for e in messages if e.tag.endswith("_depend")}
    assert kinds - {"member_of_group", "test"} - {""} <= {*arguments}
    paths = {word.removeprefix("src/vos_ros") for word in arguments if word.startswith("src/")}
    assert paths == {"", "/vos_msgs"}


def test_packages_of_apt_are_of_the_distribution_and_have_a_driver() -> None:
    names = [word for word in words_after("apt-get", "install") if not word.startswith("-")]
    ros = {name for name in names if name.startswith("ros-")}
    assert all(name.startswith(f"ros-{DISTRIBUTION}-") for name in ros)
    drivers = {f"ros-{DISTRIBUTION}-{name.replace('_', '-')}" for name in DRIVERS}
    assert ros & drivers
    assert ["FROM", f"ros:{DISTRIBUTION}-ros-base"] in instructions()
    entry = (ROOT / "docker/entrypoint.sh").read_text()
    installed = words_after("--install-base")[0]
    assert f"/opt/ros/{DISTRIBUTION}/setup.bash" in entry and f"{installed}/setup.bash" in entry


def test_a_shell_that_sources_ros_allows_for_variables_that_are_not_set() -> None:
    shells = [words_of(text) for text in re.findall(r"^SHELL (\[.*\])$", TEXT, re.MULTILINE)]
    (entry,) = re.findall(r"^set (.*)$", (ROOT / "docker/entrypoint.sh").read_text(), re.MULTILINE)
    switches = [word for words in (*shells, entry.split()) for word in words if word[0] == "-"]
    assert switches and not any("u" in word for word in switches)


def test_what_is_run_exists_and_takes_the_arguments_it_is_given() -> None:
    found = commands()
    assert len(found) >= 6
    for program, verb, package, what, *rest in found:
        assert (program, package) == ("ros2", "vos_ros")
        if verb == "run":
            assert ALIASES.get(what, what) in COMMANDS
            continue
        assert (LAUNCH / what).is_file()
        names = {word.partition(":=")[0] for word in rest if ":=" in word}
        assert names <= {*declared(what)}, rest


def test_the_camera_it_is_given_is_the_one_it_opens() -> None:
    camera = COMPOSE["services"]["camera"]
    (device,) = camera["devices"]
    host, inside = device.split(":")
    assert host == inside and f"video_device:={inside}" in camera["command"]
    packages = words_after("apt-get", "install")
    driver = re.search(r"driver:=(\w+)", camera["command"])[1]
    assert f"ros-{DISTRIBUTION}-{driver.replace('_', '-')}" in packages


def test_services_reach_the_host_and_only_one_has_the_gpu() -> None:
    services = COMPOSE["services"]
    for service in services.values():
        assert (service["network_mode"], service["ipc"]) == ("host", "host")
        dockerfile = service["build"]["context"], service["build"]["dockerfile"]
        assert (ROOT / "docker" / dockerfile[0] / dockerfile[1]).is_file()
    with_gpu = [name for name, service in services.items() if "deploy" in service]
    on_gpu = [name for name, service in services.items() if "device:=cuda" in service["command"]]
    assert with_gpu == on_gpu == ["gpu"]
    assert services["gpu"]["build"]["args"].keys() <= set(re.findall(r"^ARG (\w+)", TEXT, re.M))


@pytest.mark.parametrize("name", re.findall(r"\]\(\.\./([^)#]+)", DOCUMENT))
def test_the_document_names_files_that_exist(name: str) -> None:
    assert (ROOT / name).is_file()
