# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of a program that are parameters of its ROS node as well."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from rclpy.node import Node

Options = TypeVar("Options")
"""A dataclass, whose fields are the options."""


class OptionError(ValueError):
    """An option has an impossible value; the message is a sentence for the person who gave it."""


def given_options(
    parser: argparse.ArgumentParser, options: type, argv: Sequence[str] | None
) -> tuple[list[str], dict[str, object]]:
    """Read a command line whose options are parameters, and which may have ROS arguments as well.

    Args:
        parser: its destinations are the fields of the options, its `prog` names the program.
        options: a dataclass.
        argv: without the program's name; None is the process's own.

    Returns:
        The whole command line, for the ROS arguments in it, and the value of each field.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if "-h" in arguments or "--help" in arguments:
        parser.parse_args(["--help"])
    # ROS comes only now: --help and what imports such a program for its options must not need it.
    from rclpy.utilities import remove_ros_args

    given = parser.parse_args(remove_ros_args([parser.prog, *arguments])[1:])
    return arguments, {field.name: getattr(given, field.name) for field in fields(options)}


def declared_options(
    node: Node,
    options: type[Options],
    defaults: Mapping[str, object],
    changing: Collection[str] = (),
) -> Options:
    """The options, by the node's parameters where those are given.

    Args:
        node: declares a parameter for each.
        options: what to make.
        defaults: of every field; each says of which type its option is.
        changing: options whose setting while the node runs is the node's to take or refuse.

    Raises:
        OptionError: when a parameter is of another type. A whole number will do for a float.
    """
    from rcl_interfaces.msg import ParameterDescriptor

    values = {}
    for name in (field.name for field in fields(cast(Any, options))):
        default = defaults[name]
        # Types are checked here: rclpy's own error for `rate:=10` does not say what to write.
        # The others are read here and never again, so that setting them later is refused.
        anything = ParameterDescriptor(dynamic_typing=True, read_only=name not in changing)
        value = node.declare_parameter(name, default, anything).value
        if isinstance(default, float) and type(value) is int:
            value = float(value)
        if type(value) is not type(default):
            kind = type(default).__name__
            raise OptionError(f"the parameter {name} is of type {kind}, not '{value}'")
        values[name] = value
    return options(**values)
