# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a small node until a signal comes, and lets it put things in order before it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Protocol

import rclpy
from rclpy.context import Context
from rclpy.exceptions import NameValidationException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from vos_ros.apps.node_options import OptionError
from vos_ros.ros.environment import keep_large_blocks
from vos_ros.ros.exit_signals import ExitSignals


class Ending(Protocol):
    """A node that has something to do before it ends."""

    def close(self) -> None:
        """Do it. The transport still works."""


def run_until_signal(
    program: str, make: Callable[[Context], Node], arguments: Sequence[str]
) -> int:
    """Run a node until SIGINT or SIGTERM, close it if it is `Ending`, and destroy it.

    Args:
        program: its name, for complaints.
        make: makes the node; OptionError when it was given an impossible value, or rclpy's own
            where a name is none.
        arguments: the whole command line, for the ROS arguments in it.

    Returns:
        The exit status: 0 after a signal, 2 for an impossible value.
    """
    keep_large_blocks()
    signals = ExitSignals()
    signals.install()
    context = Context()
    # rclpy's own handlers would take the transport away before the node has said its last.
    rclpy.init(
        args=list(arguments), context=context, signal_handler_options=SignalHandlerOptions.NO
    )
    try:
        node = make(context)
    except (OptionError, NameValidationException) as error:
        print(f"{program}: {error}", file=sys.stderr)
        rclpy.try_shutdown(context=context)
        return 2
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        while context.ok() and not signals.came:
            executor.spin_once(timeout_sec=0.1)
    except ExternalShutdownException:
        pass
    finally:
        close = getattr(node, "close", None)
        if close is not None and context.ok():
            close()
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown(context=context)
    return 0
