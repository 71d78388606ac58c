# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""docs/launch.md tells every argument of every launch file, and refuses what they refuse."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from document_tables import table_rows
from launch_stand_ins import LAUNCH, declared, stand_ins  # noqa: F401

from vos_ros.ros.parameters import BY_NAME

ROOT = LAUNCH.parent
TEXT = (ROOT / "docs/launch.md").read_text(encoding="utf-8")
FILES = sorted(path.name for path in LAUNCH.glob("*.launch.py"))


def section(file: str) -> str:
    """What is under the heading of a launch file."""
    return re.split(r"\n##+ ", TEXT.split(f"\n### {file}\n")[1])[0]


def told(file: str) -> dict[str, str]:
    """Argument -> default, of the table of a launch file."""
    return {name: value.strip("`") for name, value in table_rows(section(file), "argument").items()}


def own(file: str) -> dict[str, str]:
    """Argument -> default, as the launch file has them, the node's parameters left out."""
    found = {}
    for name, argument in declared(file).items():
        if name not in BY_NAME:
            default = argument.kwargs.get("default_value")
            default = "must be given" if default is None else default
            found[name] = str(default).removeprefix(f"{ROOT}/")
    return found


@pytest.mark.parametrize("file", ["vos.launch.py", "demo.launch.py", "view.launch.py"])
def test_every_argument_is_told_with_its_default(file: str) -> None:
    assert told(file) == own(file)


def test_several_cameras_have_the_arguments_of_one_but_those_that_are_named() -> None:
    first = section("cameras.launch.py").split("|")[0]
    without = set(re.findall(r"`(\w+)`", first))
    assert without == {"image", "camera_info", "name", "video_device"}
    shared = {name: value for name, value in told("vos.launch.py").items() if name not in without}
    assert {**shared, **told("cameras.launch.py")} == own("cameras.launch.py")


def test_every_launch_file_has_its_section() -> None:
    assert [file for file in FILES if f"\n### {file}\n" not in TEXT] == []


def test_arguments_in_the_text_exist() -> None:
    known = {name for file in FILES for name in declared(file)}
    used = set(re.findall(r"[`\s](\w+):=", TEXT))
    assert len(used) > 10
    assert used <= known


def test_the_examples_are_python() -> None:
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        ast.parse(block)


def test_the_example_gives_arguments_that_exist() -> None:
    example = re.search(r"launch_arguments=\{(.*?)\}", TEXT, re.DOTALL)
    names = set(re.findall(r'"(\w+)":', example[1]))
    assert len(names) == 3
    assert names <= set(declared("vos.launch.py"))


def test_executables_in_the_text_exist() -> None:
    for file in re.findall(r"(?:launch vos_ros |`)(\w+\.launch\.py)", TEXT):
        assert Path(LAUNCH, file).is_file()
