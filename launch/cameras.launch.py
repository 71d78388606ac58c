# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start a node for each of several cameras, in one process that holds the network once.

    ros2 launch vos_ros cameras.launch.py cameras:='front=/front/image_raw rear=/rear/image_raw'
    ros2 launch vos_ros cameras.launch.py --show-args

Every parameter of the node is an argument here, by the same name, and is that of every camera. One
that is not given keeps the value of the parameter file, which may have values for each.
"""

import os

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from vos_ros.ros.camera_choice import read_cameras
from vos_ros.ros.environment import transport_environment
from vos_ros.ros.launch_arguments import given_parameters, parameter_arguments
from vos_ros.share import share_path


def generate_launch_description() -> LaunchDescription:
    """Describe the arguments and the process; nothing is started by this."""
    own = [
        DeclareLaunchArgument(
            "cameras",
            description="The cameras, with spaces between: NAME=TOPIC, the name of the node and the"
            " topic of its images (with image_transport:=compressed, without its ending"
            " /compressed).",
        ),
        DeclareLaunchArgument(
            "namespace",
            default_value="",
            description="Namespace of the nodes, and of topics of images that do not begin with /.",
        ),
        DeclareLaunchArgument(
            "params_file",
            default_value=str(share_path("config/vos.yaml")),
            description="File with the nodes' parameters.",
        ),
        DeclareLaunchArgument(
            "log_level",
            default_value="info",
            choices=["debug", "info", "warn", "error", "fatal"],
            description="The least severe messages shown.",
        ),
    ]
    return LaunchDescription([*own, *parameter_arguments(), OpaqueFunction(function=_cameras)])


def _cameras(context: LaunchContext) -> list[Node]:
    named = LaunchConfiguration("cameras").perform(context).split()
    read_cameras(named)
    # Without a name: each node in the process has one of its own.
    return [
        Node(
            package="vos_ros",
            executable="cameras",
            namespace=LaunchConfiguration("namespace"),
            arguments=named,
            parameters=[LaunchConfiguration("params_file"), given_parameters(context)],
            ros_arguments=["--log-level", LaunchConfiguration("log_level")],
            additional_env=transport_environment(os.environ),
            output="screen",
            emulate_tty=True,
        )
    ]
