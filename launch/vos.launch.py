# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start the node on a camera's images, and the camera's driver if asked to.

    ros2 launch vos_ros vos.launch.py image:=/camera/image_raw
    ros2 launch vos_ros vos.launch.py driver:=usb_cam video_device:=/dev/video0
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
from vos_ros.ros.launch_arguments import (
    given_parameters,
    parameter_arguments,
    process_arguments,
)
from vos_ros.ros.launch_driver import NAMESPACE, driver_arguments, driver_node, driver_of

IMAGE = "image"


def generate_launch_description() -> LaunchDescription:
    """Describe the arguments and the processes; nothing is started by this."""
    own = [
        DeclareLaunchArgument(
            "image",
            default_value=IMAGE,
            description="Topic of the camera's images. With image_transport:=compressed, without"
            " its ending /compressed. With a driver, it is the driver's.",
        ),
        DeclareLaunchArgument(
            "camera_info",
            default_value="",
            description="Topic of the camera's calibration. Not given: camera_info beside the"
            " images, as drivers have it.",
        ),
        DeclareLaunchArgument(
            "name",
            default_value="vos",
            description="Name of the node, and so of its topics and services: /vos/mask, ...",
        ),
        DeclareLaunchArgument(
            "namespace",
            default_value="",
            description="Namespace of the node, of the driver, and of topics given here that do"
            " not begin with /.",
        ),
        *process_arguments(),
        *driver_arguments(of_one=True),
    ]
    return LaunchDescription([*own, *parameter_arguments(), OpaqueFunction(function=_nodes)])


def _nodes(context: LaunchContext) -> list[Node]:
    driver = driver_of(context)
    if driver is None:
        return [_vos(context, LaunchConfiguration("image"))]
    for name, default in (("image", IMAGE), ("camera_info", "")):
        if LaunchConfiguration(name).perform(context) != default:
            raise ValueError(
                f"driver:={driver} has topics of its own, {NAMESPACE}/image_raw and"
                f" {NAMESPACE}/camera_info; leave out {name}:=, or the driver for a camera that"
                " runs already."
            )
    namespace = LaunchConfiguration("namespace").perform(context)
    return [
        driver_node(context, driver, namespace, NAMESPACE),
        _vos(context, f"{NAMESPACE}/image_raw"),
    ]


def _vos(context: LaunchContext, image: LaunchConfiguration | str) -> Node:
    remappings = [("image", image), ("image/compressed", [image, "/compressed"])]
    if LaunchConfiguration("camera_info").perform(context):
        remappings.append(("camera_info", LaunchConfiguration("camera_info")))
    return Node(
        package="vos_ros",
        executable="vos",
        name=LaunchConfiguration("name"),
        namespace=LaunchConfiguration("namespace"),
        parameters=[LaunchConfiguration("params_file"), given_parameters(context)],
        remappings=remappings,
        ros_arguments=["--log-level", LaunchConfiguration("log_level")],
        additional_env=transport_environment(os.environ),
        output="screen",
        emulate_tty=True,
    )
