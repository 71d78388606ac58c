# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start a node for each of several cameras, in one process that holds the network once.

    ros2 launch vos_ros cameras.launch.py cameras:='front=/front/image_raw rear=/rear/image_raw'
    ros2 launch vos_ros cameras.launch.py driver:=usb_cam cameras:='rear=/dev/video0'
    ros2 launch vos_ros cameras.launch.py --show-args

Every parameter of the node is an argument here, by the same name, and is that of every camera. One
that is not given keeps the value of the parameter file, which may have values for each.
"""

import os

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from vos_ros.ros.camera_choice import read_cameras, read_devices
from vos_ros.ros.environment import transport_environment
from vos_ros.ros.launch_arguments import (
    given_parameters,
    parameter_arguments,
    process_arguments,
)
from vos_ros.ros.launch_driver import driver_arguments, driver_node, driver_of, refuse_devices


def generate_launch_description() -> LaunchDescription:
    """Describe the arguments and the processes; nothing is started by this."""
    own = [
        DeclareLaunchArgument(
            "cameras",
            description="The cameras, with spaces between: NAME=TOPIC, the name of the node and the"
            " topic of its images (with image_transport:=compressed, without its ending"
            " /compressed). With a driver, NAME=DEVICE, such as front=/dev/video0.",
        ),
        DeclareLaunchArgument(
            "namespace",
            default_value="",
            description="Namespace of the nodes and drivers, and of topics of images that do not"
            " begin with /.",
        ),
        *process_arguments(),
        *driver_arguments(of_one=False),
    ]
    return LaunchDescription([*own, *parameter_arguments(), OpaqueFunction(function=_cameras)])


def _cameras(context: LaunchContext) -> list[Node]:
    listed = LaunchConfiguration("cameras").perform(context).split()
    driver = driver_of(context)
    if driver is None:
        refuse_devices(listed)
        read_cameras(listed)
        return [_process(context, listed)]
    chosen = read_devices(listed)
    namespace = LaunchConfiguration("namespace").perform(context)
    return [
        *(driver_node(context, driver, namespace, one.name, one.device) for one in chosen),
        _process(context, [f"{one.name}={one.camera.topic}" for one in chosen]),
    ]


def _process(context: LaunchContext, cameras: list[str]) -> Node:
    # Without a name: each node in the process has one of its own.
    return Node(
        package="vos_ros",
        executable="cameras",
        namespace=LaunchConfiguration("namespace"),
        arguments=cameras,
        parameters=[LaunchConfiguration("params_file"), given_parameters(context)],
        ros_arguments=["--log-level", LaunchConfiguration("log_level")],
        additional_env=transport_environment(os.environ),
        output="screen",
        emulate_tty=True,
    )
