# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hands the table of parameters to a node, and watches over changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from vos_ros.ros.parameters import BY_NAME, TABLE, Changes, Parameter, Settings
from vos_ros.ros.unknown_parameters import unknown_sentences


class DeclaredParameters:
    """The node's parameters: declared from the table, checked at every change.

    A starting value that is not allowed does not stop the node from being built: the parameter
    gets its default and the sentence is kept in `problems` until a good value is set, so that
    configuring can be refused with the reason.

    Args:
        node: the node to declare on.
        configured: tells whether the node is configured now, which locks most parameters.
    """

    def __init__(self, node: Node, configured: Callable[[], bool]) -> None:
        self._node = node
        self._configured = configured
        self._problems: dict[str, str] = {}
        for parameter in TABLE:
            self._declare(parameter)
        self._settings = self._read()
        node.add_on_set_parameters_callback(self._check)
        node.add_post_set_parameters_callback(self._take)

    @property
    def settings(self) -> Settings:
        """The values of this moment."""
        return self._settings

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with starting values that were not corrected since, a sentence each."""
        return tuple(self._problems.values())

    @property
    def unknown(self) -> tuple[str, ...]:
        """A sentence on each starting value whose name is no parameter's."""
        # rclpy shows the values it was started with nowhere else.
        given = getattr(self._node, "_parameter_overrides", {})
        return unknown_sentences(
            [name for name in given if not self._node.has_parameter(name)], BY_NAME
        )

    def _declare(self, parameter: Parameter) -> None:
        given = self._starting_value(parameter)
        problem = parameter.problem(given)
        if problem is not None:
            self._problems[parameter.name] = problem
        self._node.declare_parameter(
            parameter.name,
            parameter.default if problem is not None else given,
            describe(parameter),
            ignore_override=True,
        )

    def _starting_value(self, parameter: Parameter) -> object:
        """The value from the command line or a file, of whatever type; else the default."""
        # Declaring with the true type would raise without saying what was given.
        self._node.declare_parameter(
            parameter.name, parameter.default, ParameterDescriptor(dynamic_typing=True)
        )
        given = self._node.get_parameter(parameter.name).value
        self._node.undeclare_parameter(parameter.name)
        # In a YAML file `1` is an integer; nobody who writes it for a fraction means harm.
        return float(given) if parameter.type is float and type(given) is int else given

    def _read(self) -> Settings:
        return Settings(**{name: self._node.get_parameter(name).value for name in BY_NAME})

    def _check(self, changes: Sequence[RosParameter]) -> SetParametersResult:
        for change in changes:
            parameter = BY_NAME.get(change.name)
            reason = None if parameter is None else self._refusal(parameter, change.value)
            if reason is not None:
                return SetParametersResult(successful=False, reason=reason)
        return SetParametersResult(successful=True)

    def _take(self, changes: Sequence[RosParameter]) -> None:
        for change in changes:
            self._problems.pop(change.name, None)
        self._settings = self._read()

    def _refusal(self, parameter: Parameter, value: object) -> str | None:
        if parameter.changes is Changes.UNCONFIGURED and self._configured():
            return (
                f"Parameter '{parameter.name}' is read when the node is configured: clean it up"
                " first, set the parameter, then configure it again."
            )
        return parameter.problem(value)


def describe(parameter: Parameter) -> ParameterDescriptor:
    """Return the ROS description of a parameter, for `ros2 param describe` and its like."""
    descriptor = ParameterDescriptor(
        name=parameter.name,
        description=parameter.description,
        read_only=parameter.read_only,
        additional_constraints=(
            f"one of {', '.join(parameter.choices)}" if parameter.choices else ""
        ),
    )
    if parameter.limits is not None and parameter.type is int:
        low, high = (int(limit) for limit in parameter.limits)
        descriptor.integer_range = [IntegerRange(from_value=low, to_value=high, step=1)]
    elif parameter.limits is not None:
        least, most = (float(limit) for limit in parameter.limits)
        descriptor.floating_point_range = [FloatingPointRange(from_value=least, to_value=most)]
    return descriptor
