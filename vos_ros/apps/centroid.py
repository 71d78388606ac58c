# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tell where a followed object is in space, out of its mask and the depth camera's image.

    python -m vos_ros centroid --depth /camera/aligned_depth_to_color/image_raw
    ros2 run vos_ros centroid --id 2 --ros-args -r depth:=/camera/depth/image_rect

Publishes geometry_msgs/PointStamped on `~/point`, in the camera's optical frame. Every option is a
ROS parameter of the same name as well, so that a launch file sets them like those of any node.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from vos_ros.apps.node_options import OptionError, given_options


@dataclass(frozen=True)
class Options:
    """What to look for and where; the field names are those of the ROS parameters."""

    node: str = "vos"  # name of the node whose masks are taken
    id: int = 1  # of the object
    depth: str = "depth"  # topic of the depth images
    unit: float = 0.001  # m in a unit of 16UC1
    slop: float = 0.0  # s by which the stamps of mask and depth may differ
    erode: int = 2  # pixels left out along the object's edge
    fewest: int = 10  # pixels with a depth that are needed
    rectified: bool = False  # the images that the node sees are rectified

    def __post_init__(self) -> None:
        """Raise OptionError for values out of range."""
        if not self.node or not self.depth:
            raise OptionError("node and depth need a name each")
        if not 1 <= self.id <= 255:
            raise OptionError(f"an id lies in 1..255, not {self.id}")
        if not 0.0 < self.unit <= 1.0:
            raise OptionError(f"the unit is above 0 and up to 1 m, not {self.unit}")
        if not 0.0 <= self.slop <= 10.0:
            raise OptionError(f"the slop lies in 0..10 s, not {self.slop}")
        if not 0 <= self.erode <= 100:
            raise OptionError(f"erode lies in 0..100 pixels, not {self.erode}")
        if self.fewest < 1:
            raise OptionError(f"at least one pixel is needed, not {self.fewest}")


def parser() -> argparse.ArgumentParser:
    """Return the command line; its destinations are the fields of Options."""
    built = argparse.ArgumentParser(
        prog="centroid",
        description="Tell where a followed object is, out of its mask and a depth image.",
        epilog="ROS arguments (remapping, parameters) follow after --ros-args.",
    )
    add = built.add_argument
    add("--node", default="vos", help="the node whose masks are taken (default: %(default)s)")
    add("--id", type=int, default=1, help="of the object, 1..255 (default: %(default)s)")
    add(
        "--depth",
        default="depth",
        metavar="TOPIC",
        help="depth images, registered to the camera's (default: %(default)s)",
    )
    add("--unit", type=float, default=0.001, help="metres in a unit of 16UC1 (default: 0.001)")
    add(
        "--slop",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="by which the stamps of mask and depth may differ (default: 0, they are the same)",
    )
    add(
        "--erode",
        type=int,
        default=2,
        metavar="PIXELS",
        help="left out along the object's edge, where depths are mixed (default: %(default)s)",
    )
    add("--fewest", type=int, default=10, help="pixels with a depth needed (default: %(default)s)")
    add("--rectified", action="store_true", help="the images that the node sees are rectified")
    return built


def main(argv: Sequence[str] | None = None) -> int:
    """Publish points until a signal comes; 0 then, 2 when an option is bad."""
    arguments, defaults = given_options(parser(), Options, argv)
    from vos_ros.apps.centroid_node import CentroidNode
    from vos_ros.apps.running import run_until_signal

    return run_until_signal(
        "centroid", lambda context: CentroidNode(defaults, context=context), arguments
    )
