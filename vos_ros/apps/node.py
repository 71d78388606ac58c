# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m vos_ros node`: the node that follows objects in a camera's images."""

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped; return the exit status.

    `argv` is what `ros2 run` passes on, such as `--ros-args -p device:=cpu`.
    """
    from vos_ros.ros.environment import keep_large_blocks
    from vos_ros.ros.node import main as run_node

    keep_large_blocks()
    return run_node(argv)
