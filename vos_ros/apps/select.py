# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A page on which people point out, in the live image, what the node is to follow.

    python -m vos_ros select
    ros2 run vos_ros select --image /camera/image_raw

Then open http://localhost:8642. Every option is a ROS parameter of the same name as well, so that a
launch file sets them like those of any node.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass

from vos_ros.apps.node_options import OptionError, given_options


@dataclass(frozen=True)
class Options:
    """How the page is served; the field names are those of the ROS parameters."""

    node: str = "vos"  # name of the node that is to follow
    image: str = "image"  # the camera's topic
    compressed: bool = False  # take sensor_msgs/CompressedImage from <image>/compressed
    address: str = "127.0.0.1"  # to listen on; another than a loopback one lets others in
    port: int = 8642  # 0: one that is free
    hosts: str = ""  # names, with commas between, under which browsers may know this machine
    rate: float = 15.0  # live pictures a second, at most
    width: int = 960  # of the live picture, pixels at most
    quality: int = 80  # of its JPEG, 1..100
    timeout: float = 30.0  # s for the node to answer a request

    def __post_init__(self) -> None:
        """Raise OptionError for values out of range."""
        if not self.node or not self.image:
            raise OptionError("node and image need a name each")
        if not 0 <= self.port <= 65535:
            raise OptionError(f"a port lies in 0..65535 (0: one that is free), not {self.port}")
        if not 0.1 <= self.rate <= 100.0:
            raise OptionError(f"the rate lies in 0.1..100 Hz, not {self.rate}")
        if not 64 <= self.width <= 8192:
            raise OptionError(f"the width lies in 64..8192 pixels, not {self.width}")
        if not 1 <= self.quality <= 100:
            raise OptionError(f"the JPEG quality lies in 1..100, not {self.quality}")
        if not 0.1 <= self.timeout <= 3600.0:
            raise OptionError(f"the timeout lies in 0.1..3600 s, not {self.timeout}")
        for name in self.host_names:
            if not re.fullmatch(r"[A-Za-z0-9._-]{1,253}", name):
                raise OptionError(f"'{name}' is no host name; give them with commas between")

    @property
    def host_names(self) -> list[str]:
        """The names in `hosts`."""
        return [name.strip() for name in self.hosts.split(",") if name.strip()]


def parser() -> argparse.ArgumentParser:
    """Return the command line; its destinations are the fields of Options."""
    built = argparse.ArgumentParser(
        prog="select",
        description="Serve a page on which people point out what the node is to follow.",
        epilog="ROS arguments (remapping, parameters) follow after --ros-args.",
    )
    add = built.add_argument
    add("--node", default="vos", help="the node that is to follow (default: %(default)s)")
    add("--image", default="image", metavar="TOPIC", help="the camera's (default: %(default)s)")
    add("--compressed", action="store_true", help="take images from TOPIC/compressed")
    add(
        "--address",
        default="127.0.0.1",
        help="to listen on (default: %(default)s, this machine alone). 0.0.0.0 lets everybody in"
        " who can reach this machine: there is no password, and nothing is encrypted",
    )
    add("--port", type=int, default=8642, help="default: %(default)s; 0: one that is free")
    add("--hosts", default="", help="names by which browsers may call this machine, with commas")
    add("--rate", type=float, default=15.0, help="pictures a second, at most (default: 15)")
    add("--width", type=int, default=960, help="of the live picture, at most (default: 960)")
    add("--quality", type=int, default=80, help="of its JPEG, 1..100 (default: %(default)s)")
    add("--timeout", type=float, default=30.0, help="seconds for the node's answers (default: 30)")
    return built


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal comes; 0 then, 2 when an option is bad or the port taken."""
    arguments, defaults = given_options(parser(), Options, argv)
    from vos_ros.apps.select_server import serve

    return serve(defaults, arguments)
