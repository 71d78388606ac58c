# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""docs/fusion.md tells the options of the examples, and figures of theirs that hold."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from document_tables import table_rows

from vos_ros.apps import centroid, follow
from vos_ros.centroid import find_centroid
from vos_ros.pinhole import Pinhole

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/fusion.md").read_text(encoding="utf-8")
COMMANDS = {"centroid": centroid, "follow": follow}


def section(name: str) -> str:
    return TEXT.split(f"\n## {name}: ")[1].split("\n## ")[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_told_with_its_default(name: str) -> None:
    told = {k: v.strip("`") for k, v in table_rows(section(name), "option").items()}
    options = fields(COMMANDS[name].Options)
    expected = {f"--{field.name.replace('_', '-')}": str(field.default) for field in options}
    assert told == expected


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_lines_are_understood(name: str) -> None:
    lines = re.findall(rf"(?:ros2 run|python -m) vos_ros {name} ([^\n#]*)", TEXT)
    assert len(lines) >= 2
    for line in lines:
        given = line.split("--ros-args")[0].split()
        if given != ["--help"]:
            COMMANDS[name].Options(**vars(COMMANDS[name].parser().parse_args(given)))


def test_the_defaults_of_the_command_line_are_those_of_the_options() -> None:
    for module in COMMANDS.values():
        assert module.Options(**vars(module.parser().parse_args([]))) == module.Options()


def test_the_examples_are_python() -> None:
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert blocks
    for block in blocks:
        ast.parse(block)


def test_a_balls_point_lies_a_seventh_of_its_diameter_behind_its_nearest() -> None:
    """By the depths that its pixels have, seen from afar."""
    away, radius, focal = 10.0, 0.5, 2000.0
    rows, columns = np.mgrid[:240, :240].astype(float)
    x, y = (columns - 119.5) / focal, (rows - 119.5) / focal
    a = x**2 + y**2 + 1
    inside = away**2 - a * (away**2 - radius**2)
    depth = (away - np.sqrt(np.maximum(inside, 0))) / a
    camera = Pinhole(240, 240, focal, focal, 119.5, 119.5)
    found = find_centroid((inside > 0).astype(np.uint8), 1, depth, camera)
    assert (found.point[2] - (away - radius)) / (2 * radius) == pytest.approx(1 / 7, abs=0.01)
