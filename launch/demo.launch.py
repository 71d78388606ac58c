# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Play a video as a camera, and start the node on it.

    ros2 launch vos_ros demo.launch.py video:=/path/to/clip.mp4
    ros2 launch vos_ros demo.launch.py --show-args

What to follow is then told to the service ~/init_mask. The arguments of vos.launch.py are arguments
here too.
"""

import os

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import EqualsSubstitution, LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from vos_ros.ros.environment import transport_environment
from vos_ros.share import share_path

ARGUMENTS = {
    "video": (str, None, "Video file, or folder with one image file a frame."),
    "rate": (float, "0.0", "Frames a second; 0 is the clip's own rate."),
    "size": (str, "", "WIDTHxHEIGHT of the frames in pixels, such as 640x480; empty: as they are."),
    "loop": (bool, "true", "Start again at the end of the clip; false ends everything there."),
    "hold": (bool, "false", "Repeat the first frame until the service ~/start is called."),
}
"""Name of a parameter of publish_video -> its type, its default and its meaning."""


def generate_launch_description() -> LaunchDescription:
    """Describe the arguments and the two nodes; nothing is started by this."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (_, default, description) in ARGUMENTS.items()
    ]
    vos = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(share_path("launch/vos.launch.py")))
    )
    parameters = {
        name: ParameterValue(LaunchConfiguration(name), value_type=kind)
        for name, (kind, _, _) in ARGUMENTS.items()
    }
    compressed = EqualsSubstitution(LaunchConfiguration("image_transport"), "compressed")
    parameters["compressed"] = ParameterValue(compressed, value_type=bool)
    image = LaunchConfiguration("image")
    camera = Node(
        package="vos_ros",
        executable="publish_video",
        namespace=LaunchConfiguration("namespace"),
        parameters=[parameters],
        remappings=[("image", image), ("image/compressed", [image, "/compressed"])],
        additional_env=transport_environment(os.environ),
        output="screen",
        on_exit=Shutdown(reason="the video is over"),
    )
    # In this order: the camera uses arguments that vos.launch.py declares.
    return LaunchDescription([*declared, vos, camera])
