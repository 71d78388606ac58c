# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters: one table, the YAML file that follows it, what is refused and in which words."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import rclpy
import yaml
from rcl_interfaces.msg import ParameterType
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from vos_ros.ros.declaration import DeclaredParameters
from vos_ros.ros.parameters import BY_NAME, TABLE, Changes, Parameter, Settings

YAML = Path(__file__).parents[1] / "config" / "vos.yaml"


@pytest.fixture(scope="module")
def context() -> Iterator[Context]:
    context = Context()
    rclpy.init(context=context)
    yield context
    rclpy.try_shutdown(context=context)


@pytest.fixture
def declare(context: Context) -> Iterator:
    nodes: list[Node] = []

    def make(configured: bool = False, **given) -> tuple[Node, DeclaredParameters]:
        overrides = [RosParameter(name, value=value) for name, value in given.items()]
        node = Node(f"owner_{len(nodes)}", context=context, parameter_overrides=overrides)
        nodes.append(node)
        return node, DeclaredParameters(node, lambda: configured)

    yield make
    for node in nodes:
        node.destroy_node()


def set_one(node: Node, name: str, value: object):
    return node.set_parameters([RosParameter(name, value=value)])[0]


def test_the_yaml_file_and_the_table_name_the_same_parameters_and_defaults():
    listed = yaml.safe_load(YAML.read_text())["/**"]["ros__parameters"]
    assert set(listed) == set(BY_NAME)
    for name, value in listed.items():
        assert type(value) is BY_NAME[name].type, name
        assert value == BY_NAME[name].default, name


def test_the_yaml_file_explains_every_parameter_and_tells_which_may_change():
    before = ""
    explained = {}
    for line in YAML.read_text().splitlines():
        stripped = line.strip()
        if stripped.startswith("#"):
            before += stripped + " "
        elif ":" in stripped:
            explained[stripped.split(":")[0]] = before
            before = ""
    for parameter in TABLE:
        text = explained[parameter.name]
        assert len(text) > 30, parameter.name
        assert ("Any time." in text) == (parameter.changes is Changes.ALWAYS), parameter.name
        for choice in parameter.choices:
            assert choice in text, (parameter.name, choice)


def test_settings_hold_one_value_for_each_entry_of_the_table():
    names = [item.name for item in dataclasses.fields(Settings)]
    assert names == [parameter.name for parameter in TABLE]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("parameter", TABLE, ids=lambda parameter: parameter.name)
def test_every_entry_is_described_and_its_default_allowed(parameter: Parameter):
    assert parameter.description.endswith(".")
    assert len(parameter.description) > 30
    assert parameter.problem(parameter.default) is None
    if parameter.type in (int, float):
        assert parameter.limits is not None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("internal_size", 63, "must be from 64 to 1440, and was given 63."),
        ("internal_size", 1441, "must be from 64 to 1440, and was given 1441."),
        ("internal_size", 288.0, "must be a whole number, such as 288, and was given 288.0."),
        ("internal_size", True, "must be a whole number, such as 288, and was given true."),
        ("region_margin", -0.1, "must be from 0.0 to 100.0, and was given -0.1."),
        ("region_smallest", 0.0, "must be from 0.01 to 1.0, and was given 0.0."),
        ("max_objects", 0, "must be from 1 to 255, and was given 0."),
        ("max_objects", 256, "must be from 1 to 255, and was given 256."),
        ("overlay_alpha", 1.5, "must be from 0.0 to 1.0, and was given 1.5."),
        ("overlay_alpha", math.nan, "must be from 0.0 to 1.0, and was given nan."),
        ("overlay_alpha", "much", "must be a number with a decimal point, such as 0.5,"),
        ("device", "gpu", "must be one of auto, cpu, cuda, cuda:N, and was given 'gpu'."),
        ("device", "cuda:", "must be one of auto, cpu, cuda, cuda:N"),
        ("precision", "float16", "must be one of auto, fp32, bf16, fp16"),
        ("image_transport", "theora", "must be one of raw, compressed"),
        ("autostart", "yes", "must be true or false, such as true, and was given 'yes'."),
        ("weights", 3, "must be text, such as '', and was given 3."),
        ("catch_up_limit", -1, "must be from 0 to 10000, and was given -1."),
    ],
)
def test_a_wrong_value_is_explained(name: str, value: object, words: str):
    problem = BY_NAME[name].problem(value)
    assert problem is not None
    assert problem.startswith(f"Parameter '{name}' must ")
    assert words in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("internal_size", 64),
        ("internal_size", 1440),
        ("max_objects", 255),
        ("overlay_alpha", 0.0),
        ("device", "cuda:1"),
        ("precision", "fp16"),
        ("weights", "/some/where.safetensors"),
        ("threads", 0),
    ],
)
def test_a_value_at_the_edge_is_allowed(name: str, value: object):
    assert BY_NAME[name].problem(value) is None


def test_everything_is_declared_with_type_range_and_description(declare):
    node, declared = declare()
    types = {
        bool: ParameterType.PARAMETER_BOOL,
        int: ParameterType.PARAMETER_INTEGER,
        float: ParameterType.PARAMETER_DOUBLE,
        str: ParameterType.PARAMETER_STRING,
    }
    for parameter in TABLE:
        descriptor = node.describe_parameter(parameter.name)
        assert node.get_parameter(parameter.name).value == parameter.default
        assert descriptor.type == types[parameter.type]
        assert descriptor.description == parameter.description
        assert descriptor.read_only == (parameter.changes is Changes.NEVER)
        ranges = [*descriptor.integer_range, *descriptor.floating_point_range]
        if parameter.limits is None:
            assert not ranges
        else:
            assert [(r.from_value, r.to_value) for r in ranges] == [parameter.limits]
    assert declared.settings == Settings()
    assert declared.problems == ()


def test_starting_values_are_taken(declare):
    _, declared = declare(internal_size=192, device="cpu", overlay_alpha=0.25, autostart=False)
    assert declared.settings == Settings(
        internal_size=192, device="cpu", overlay_alpha=0.25, autostart=False
    )


def test_a_whole_number_is_taken_for_a_fraction(declare):
    _, declared = declare(overlay_alpha=1)
    assert declared.settings.overlay_alpha == 1.0
    assert isinstance(declared.settings.overlay_alpha, float)
    assert declared.problems == ()


def test_wrong_starting_values_are_kept_as_sentences_until_they_are_put_right(declare):
    node, declared = declare(internal_size=5, device="gpu", max_objects="many")
    assert len(declared.problems) == 3
    for words in ("was given 5.", "was given 'gpu'.", "was given 'many'."):
        assert any(words in problem for problem in declared.problems)
    assert declared.settings == Settings()
    assert set_one(node, "internal_size", 256).successful
    assert not set_one(node, "device", "tpu").successful
    assert len(declared.problems) == 2
    assert set_one(node, "device", "cpu").successful
    assert set_one(node, "max_objects", 3).successful
    assert declared.problems == ()
    assert declared.settings == Settings(internal_size=256, device="cpu", max_objects=3)


def test_a_change_is_seen_at_once_and_a_wrong_one_changes_nothing(declare):
    node, declared = declare(configured=True)
    assert set_one(node, "overlay_alpha", 0.75).successful
    assert declared.settings.overlay_alpha == 0.75
    result = set_one(node, "overlay_alpha", 1.25)
    assert not result.successful
    assert "1.25" in result.reason
    assert declared.settings.overlay_alpha == 0.75


def test_a_set_of_changes_is_taken_whole_or_not_at_all(declare):
    node, declared = declare()
    result = node.set_parameters_atomically(
        [RosParameter("overlay_alpha", value=0.1), RosParameter("device", value="abacus")]
    )
    assert not result.successful
    assert "'abacus'" in result.reason
    assert declared.settings == Settings()


def test_what_is_read_on_configuring_is_locked_while_configured(declare):
    node, _ = declare(configured=True)
    for parameter in TABLE:
        result = set_one(node, parameter.name, parameter.default)
        assert result.successful == (parameter.changes is Changes.ALWAYS), parameter.name
        if parameter.changes is Changes.UNCONFIGURED:
            assert "is read when the node is configured: clean it up first" in result.reason


def test_the_start_parameter_can_never_be_changed(declare):
    node, _ = declare()
    assert not set_one(node, "autostart", False).successful


def test_parameters_of_others_are_let_alone(declare):
    node, declared = declare()
    node.declare_parameter("somebody_elses", 3)
    assert set_one(node, "somebody_elses", 4).successful
    assert declared.settings == Settings()
