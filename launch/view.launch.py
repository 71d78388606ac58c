# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Look at what a running node sees, in RViz, Foxglove or rqt.

    ros2 launch vos_ros view.launch.py                              # RViz
    ros2 launch vos_ros view.launch.py viewer:=foxglove             # a bridge for Foxglove
    ros2 launch vos_ros view.launch.py viewer:=rqt namespace:=head

Starts the viewer alone, on the machine with the screen; the node runs where it runs.
"""

import os

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from vos_ros.ros.environment import transport_environment
from vos_ros.ros.launch_packages import check_installed
from vos_ros.share import share_path

PACKAGES = {"rviz": "rviz2", "foxglove": "foxglove_bridge", "rqt": "rqt_image_view"}
"""Viewer -> the package that it is in. None of them is needed by the node."""

TOPICS = ("overlay", "overlay/compressed", "mask", "presence", "confidence")
"""Topics of the node, which the configurations know under `/vos`."""


def generate_launch_description() -> LaunchDescription:
    """Describe the arguments and the viewer; nothing is started by this."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "viewer",
                default_value="rviz",
                choices=list(PACKAGES),
                description="What to look with: rviz, foxglove (a bridge that Foxglove connects"
                " to) or rqt (one image, the lightest).",
            ),
            DeclareLaunchArgument("name", default_value="vos", description="Name of the node."),
            DeclareLaunchArgument(
                "namespace", default_value="", description="Namespace of the node."
            ),
            DeclareLaunchArgument(
                "address",
                default_value="127.0.0.1",
                description="Address that the bridge for Foxglove listens on: this machine alone,"
                " or 0.0.0.0 for all that reach it, who then see what the camera sees.",
            ),
            DeclareLaunchArgument(
                "port", default_value="8765", description="Port of the bridge for Foxglove."
            ),
            OpaqueFunction(function=_viewer),
        ]
    )


def _viewer(context: LaunchContext) -> list[LogInfo | Node]:
    viewer = LaunchConfiguration("viewer").perform(context)
    check_installed(PACKAGES[viewer], f"viewer:={viewer}")
    name = LaunchConfiguration("name").perform(context)
    namespace = LaunchConfiguration("namespace").perform(context).strip("/")
    node = f"/{namespace}/{name}" if namespace else f"/{name}"
    make = {"rviz": _rviz, "foxglove": _foxglove, "rqt": _rqt}[viewer]
    return make(node, context)


def _rviz(node: str, _context: LaunchContext) -> list[LogInfo | Node]:
    return [
        _started(
            "rviz",
            "rviz2",
            arguments=["-d", str(share_path("config/vos.rviz"))],
            remappings=[(f"/vos/{topic}", f"{node}/{topic}") for topic in TOPICS],
        )
    ]


def _foxglove(node: str, context: LaunchContext) -> list[LogInfo | Node]:
    layout = share_path("config/foxglove_layout.json")
    port = int(LaunchConfiguration("port").perform(context))
    told = f"Foxglove: open a connection to ws://localhost:{port} and import the layout {layout}"
    if node != "/vos":
        told += f", in which /vos stands for {node}"
    parameters = {"port": port, "address": LaunchConfiguration("address").perform(context)}
    return [
        LogInfo(msg=told),
        _started("foxglove", "foxglove_bridge", parameters=[parameters]),
    ]


def _rqt(node: str, _context: LaunchContext) -> list[LogInfo | Node]:
    return [_started("rqt", "rqt_image_view", arguments=[f"{node}/overlay"])]


def _started(viewer: str, executable: str, **more: object) -> Node:
    return Node(
        package=PACKAGES[viewer],
        executable=executable,
        additional_env=transport_environment(os.environ),
        output="screen",
        **more,
    )
