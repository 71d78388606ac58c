# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start the node on a camera's images.

    ros2 launch vos_ros vos.launch.py image:=/camera/image_raw
    ros2 launch vos_ros vos.launch.py --show-args

Every parameter of the node is an argument here, by the same name. One that is not given keeps the
value of the parameter file.
"""

import os

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from vos_ros.ros.environment import transport_environment
from vos_ros.ros.launch_arguments import given_parameters, parameter_arguments
from vos_ros.share import share_path


def generate_launch_description() -> LaunchDescription:
    """Describe the arguments and the node; nothing is started by this."""
    own = [
        DeclareLaunchArgument(
            "image",
            default_value="image",
            description="Topic of the camera's images. With image_transport:=compressed, without"
            " its ending /compressed.",
        ),
        DeclareLaunchArgument(
            "name",
            default_value="vos",
            description="Name of the node, and so of its topics and services: /vos/mask, ...",
        ),
        DeclareLaunchArgument(
            "namespace", default_value="", description="Namespace of the node and of `image`."
        ),
        DeclareLaunchArgument(
            "params_file",
            default_value=str(share_path("config/vos.yaml")),
            description="File with the node's parameters.",
        ),
        DeclareLaunchArgument(
            "log_level",
            default_value="info",
            choices=["debug", "info", "warn", "error", "fatal"],
            description="The least severe messages shown.",
        ),
    ]
    return LaunchDescription([*own, *parameter_arguments(), OpaqueFunction(function=_node)])


def _node(context: LaunchContext) -> list[Node]:
    image = LaunchConfiguration("image")
    return [
        Node(
            package="vos_ros",
            executable="vos",
            name=LaunchConfiguration("name"),
            namespace=LaunchConfiguration("namespace"),
            parameters=[LaunchConfiguration("params_file"), given_parameters(context)],
            remappings=[("image", image), ("image/compressed", [image, "/compressed"])],
            ros_arguments=["--log-level", LaunchConfiguration("log_level")],
            additional_env=transport_environment(os.environ),
            output="screen",
            emulate_tty=True,
        )
    ]
