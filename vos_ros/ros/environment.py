# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The environment variables under which camera images pass between processes undropped and quickly.

Said here once: the commands, the launch files and the tests take them from here. Needs no ROS.
"""

import ctypes
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from vos_ros.share import share_path

PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
"""Under these names Fast DDS looks for its settings: in Jazzy, and in Kilted and later."""

MALLOC_SETTINGS: dict[str, str] = {
    "MALLOC_MMAP_THRESHOLD_": str(256 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(512 * 2**20),
    "MALLOC_TOP_PAD_": str(64 * 2**20),
}
"""With these (in bytes) glibc keeps blocks of an image's size instead of asking the kernel for
fresh pages at every message; receiving a 1920x1080 image then takes a third of the time.

glibc reads them when a process starts, so they act on the processes started afterwards;
`keep_large_blocks` is for the one that runs already.
"""

_MALLOPT = {"MALLOC_MMAP_THRESHOLD_": -3, "MALLOC_TRIM_THRESHOLD_": -1, "MALLOC_TOP_PAD_": -2}
"""Variable -> the number of the same setting for mallopt(3), from <malloc.h>."""


def transport_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What is missing in `environment` for images to pass whole and quickly.

    Settings that a person made stand: with either profile variable set, neither is returned.
    """
    missing = {name: value for name, value in MALLOC_SETTINGS.items() if name not in environment}
    if not any(environment.get(name) for name in PROFILE_VARIABLES):
        profile = str(share_path("config/fastdds.xml"))
        missing.update({name: profile for name in PROFILE_VARIABLES})
    return missing


def keep_large_blocks() -> None:
    """Have glibc do in this process what the `MALLOC_SETTINGS` in its environment say.

    It has read them itself if they were there when the process started. Elsewhere than with glibc
    this does nothing.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    for name, number in _MALLOPT.items():
        value = os.environ.get(name, "")
        if set_option is not None and value.isascii() and value.isdigit():
            set_option(number, min(int(value), 2**31 - 1))


def complete_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What is missing in `environment` for our programs to run, the transport's settings included.

    Besides those: where the ROS wheels of a virtual environment are (`AMENT_PREFIX_PATH`; an
    installed ROS sets it itself), and a folder for logs where there is no home to write them to,
    without which rclpy does not start.
    """
    missing = transport_environment(environment)
    wheels = Path(sys.prefix, "share", "ament_index").is_dir()
    if wheels and not environment.get("AMENT_PREFIX_PATH"):
        missing["AMENT_PREFIX_PATH"] = sys.prefix
    if not environment.get("ROS_LOG_DIR") and not environment.get("ROS_HOME"):
        if not os.access(environment.get("HOME", ""), os.W_OK):
            missing["ROS_LOG_DIR"] = str(Path(tempfile.gettempdir(), f"vos_ros-log-{os.getuid()}"))
    return missing
