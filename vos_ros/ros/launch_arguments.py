# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What launch files have in common: the node's parameters as their arguments, by the same names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import yaml

from vos_ros.ros.parameters import TABLE, Parameter, Value
from vos_ros.share import share_path

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


def process_arguments() -> list[DeclareLaunchArgument]:
    """The arguments for a process with nodes of ours: its parameter file and its log."""
    from launch.actions import DeclareLaunchArgument

    return [
        DeclareLaunchArgument(
            "params_file",
            default_value=str(share_path("config/vos.yaml")),
            description="Parameter file, for what is not given here.",
        ),
        DeclareLaunchArgument(
            "log_level",
            default_value="info",
            choices=["debug", "info", "warn", "error", "fatal"],
            description="The least severe messages shown.",
        ),
    ]


def given_parameters(context: LaunchContext) -> dict[str, Value]:
    """The values of the parameters given as arguments, by name.

    Raises:
        ValueError: a value is not allowed, or does not go with another; the message says what
            would be right.
    """
    from launch.substitutions import LaunchConfiguration

    texts = {p: LaunchConfiguration(p.name).perform(context) for p in TABLE}
    values = {p.name: value_of(p, text) for p, text in texts.items() if text}
    refuse_together(values)
    return values


def refuse_together(values: Mapping[str, Value]) -> None:
    """Raise ValueError, with a sentence, for values that do not go together.

    The node would refuse them too, but only once it is being configured.
    """
    device, precision = str(values.get("device", "")), values.get("precision")
    openvino = values.get("runtime") == "openvino"
    if openvino and device.startswith("cuda"):
        raise ValueError(
            f"runtime:=openvino computes on the CPU alone, not with device:={device}; give"
            " runtime:=torch for the GPU, or device:=cpu."
        )
    if values.get("runtime") == "cudagraphs" and device == "cpu":
        raise ValueError(
            "runtime:=cudagraphs is for CUDA devices, not for device:=cpu; give runtime:=openvino"
            " or torch, or leave it out."
        )
    if precision == "fp16" and (device == "cpu" or openvino):
        other = "runtime:=openvino" if openvino else "device:=cpu"
        raise ValueError(
            f"precision:=fp16 is for CUDA devices, not for {other}; give precision:=bf16 or fp32,"
            " or leave it out."
        )
    vanish, appear = values.get("presence_vanish"), values.get("presence_appear")
    if isinstance(vanish, float) and isinstance(appear, float) and vanish > appear:
        raise ValueError(
            f"presence_vanish:={vanish:g} must not be above presence_appear:={appear:g}."
        )


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
