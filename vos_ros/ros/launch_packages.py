# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packages of others that launch files can start, where they are installed."""

from __future__ import annotations

import os


def check_installed(package: str, wanted_by: str) -> None:
    """Say what to install where a package is missing.

    Args:
        package: its name.
        wanted_by: the launch argument that needs it, such as ``viewer:=rviz``.

    Raises:
        RuntimeError: it is not installed; the message says how to.
    """
    # Here, for launch files alone need it.
    from ament_index_python.packages import PackageNotFoundError, get_package_prefix

    try:
        get_package_prefix(package)
    except PackageNotFoundError as error:
        distribution = os.environ.get("ROS_DISTRO", "jazzy")
        binary = f"ros-{distribution}-{package.replace('_', '-')}"
        raise RuntimeError(
            f"{wanted_by} needs the package {package}, which is not installed: sudo apt install"
            f" {binary}"
        ) from error
