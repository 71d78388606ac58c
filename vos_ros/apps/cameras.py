# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m vos_ros cameras`: follow objects in the images of several cameras, in one process."""

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run a node for each camera until all are stopped; return the exit status.

    `argv` names the cameras, such as `front=/front/image_raw`, and may go on with `--ros-args`.
    """
    from vos_ros.ros.cameras import main as run_cameras
    from vos_ros.ros.environment import keep_large_blocks

    keep_large_blocks()
    return run_cameras(argv)
