# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node's parameters as arguments of launch files, which all have them by the same names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from vos_ros.ros.parameters import TABLE, Parameter, Value

if TYPE_CHECKING:
    from launch import LaunchContext
    from launch.actions import DeclareLaunchArgument


def parameter_arguments() -> list[DeclareLaunchArgument]:
    """An argument for every parameter. One that is not given leaves it to the parameter file."""
    # Here, for it comes with a ROS installation only.
    from launch.actions import DeclareLaunchArgument

    return [
        DeclareLaunchArgument(
            parameter.name,
            default_value="",
            description=f"{parameter.description} Not given: as in params_file.",
        )
        for parameter in TABLE
    ]


def given_parameters(context: LaunchContext) -> dict[str, Value]:
    """The values of the parameters given as arguments, by name.

    Raises:
        ValueError: a value is not allowed; the message says what would be.
    """
    from launch.substitutions import LaunchConfiguration

    texts = {p: LaunchConfiguration(p.name).perform(context) for p in TABLE}
    return {p.name: value_of(p, text) for p, text in texts.items() if text}


def value_of(parameter: Parameter, text: str) -> Value:
    """The value that an argument's text means; ValueError, with a sentence, when it is none."""
    # YAML would read 1e-5, and so what Python prints for it, as a text.
    read = yaml.safe_load if parameter.type is bool else parameter.type
    try:
        value = read(text)
    except (ValueError, yaml.YAMLError):
        value = text
    problem = parameter.problem(value)
    if problem:
        raise ValueError(problem)
    return value
