# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The driver of a camera as part of a launch file: its arguments, its node, and what is refused."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vos_ros.ros.environment import transport_environment
from vos_ros.ros.launch_packages import check_installed

if TYPE_CHECKING:
    from launch import LaunchContext
    from launch.actions import DeclareLaunchArgument
    from launch_ros.actions import Node

NONE = "none"
NAMESPACE = "camera"
"""Where the driver of a single camera is, and so what its topics begin with."""


@dataclass(frozen=True)
class Driver:
    """A package with a driver. All publish `image_raw` and `camera_info`.

    Attributes:
        executable: in the package of the driver's name.
        size: makes the parameters for a size of images in pixels.
        defaults: parameters that it is not to decide for itself; {name} is the camera's name.
    """

    executable: str
    size: Callable[[int, int], dict[str, Any]]
    defaults: Mapping[str, str]


DRIVERS = {
    "usb_cam": Driver(
        "usb_cam_node_exe",
        lambda width, height: {"image_width": width, "image_height": height},
        # It comes with a calibration of some camera, which it would pass off as that of any; with
        # none given, it looks for one by the camera's name.
        {"camera_info_url": "", "camera_name": "{name}", "frame_id": "{name}_optical_frame"},
    ),
    "v4l2_camera": Driver(
        "v4l2_camera_node",
        lambda width, height: {"image_size": [width, height]},
        {"camera_frame_id": "{name}_optical_frame"},
    ),
}
"""The drivers that can be started, by the name of their package."""

_ONLY_WITH = ("video_device", "camera_size", "calibration", "driver_params_file")
"""Arguments that mean nothing without a driver."""


def driver_arguments(of_one: bool) -> list[DeclareLaunchArgument]:
    """The arguments about drivers.

    Args:
        of_one: whether there is one camera; of several each has its device in another argument.
    """
    from launch.actions import DeclareLaunchArgument

    device = DeclareLaunchArgument(
        "video_device",
        default_value="",
        description="The camera's device, for the driver. Not given: as in driver_params_file,"
        " else /dev/video0.",
    )
    return [
        DeclareLaunchArgument(
            "driver",
            default_value=NONE,
            choices=[NONE, *DRIVERS],
            description="The package of a camera driver to start as well, where it is installed;"
            " none where the camera runs already.",
        ),
        *([device] if of_one else []),
        DeclareLaunchArgument(
            "camera_size",
            default_value="",
            description="WIDTHxHEIGHT of the driver's images, in pixels, such as 640x480. Not"
            " given: as in driver_params_file, else the driver's own.",
        ),
        DeclareLaunchArgument(
            "calibration",
            default_value="",
            description="URL of the calibration for the driver to send, such as"
            " file:///home/me/camera.yaml; with several cameras {name} in it is the camera's name."
            " Not given: as in driver_params_file, else the file that the calibrator saved in"
            " ~/.ros/camera_info.",
        ),
        DeclareLaunchArgument(
            "driver_params_file",
            default_value="",
            description="Parameter file for the driver: pixel format, rate, exposure, ...",
        ),
    ]


def driver_of(context: LaunchContext) -> str | None:
    """The driver asked for, and installed; None for none.

    Raises:
        ValueError: arguments for a driver, and none to start.
        RuntimeError: it is not installed.
    """
    driver = _given(context, "driver")
    if driver == NONE:
        idle = [name for name in _ONLY_WITH if _given(context, name)]
        if idle:
            raise ValueError(
                f"{idle[0]}:= is for a driver, and none is started; give driver:="
                f"{' or driver:='.join(DRIVERS)} as well, or leave it out."
            )
        return None
    check_installed(driver, f"driver:={driver}")
    return driver


def driver_node(
    context: LaunchContext, driver: str, namespace: str, name: str, device: str = ""
) -> Node:
    """The driver of a camera, in a namespace of the camera's name.

    Args:
        context: has the arguments.
        driver: one of `DRIVERS`.
        namespace: of everything.
        name: of the camera.
        device: path of the camera's device; "" is as `video_device` says.

    Raises:
        ValueError: a size that is none.
    """
    from launch_ros.actions import Node

    kind = DRIVERS[driver]
    given: dict[str, Any] = {}
    device = device or _given(context, "video_device")
    if device:
        given["video_device"] = device
    if _given(context, "camera_size"):
        given.update(kind.size(*_size(_given(context, "camera_size"))))
    if _given(context, "calibration"):
        given["camera_info_url"] = _given(context, "calibration").replace("{name}", name)
    file = _given(context, "driver_params_file")
    defaults = {key: value.replace("{name}", name) for key, value in kind.defaults.items()}
    return Node(
        package=driver,
        executable=kind.executable,
        name="driver",
        namespace=f"{namespace.rstrip('/')}/{name}" if namespace else name,
        parameters=[defaults, *([file] if file else []), given],
        additional_env=transport_environment(os.environ),
        output="screen",
        emulate_tty=True,
    )


def refuse_devices(cameras: list[str]) -> None:
    """Raise ValueError, with a sentence, where a device stands for a topic and nobody drives it."""
    for text in cameras:
        device = text.partition("=")[2]
        if device.startswith("/dev/"):
            raise ValueError(
                f"'{text}': {device} is a device and no topic; give driver:="
                f"{' or driver:='.join(DRIVERS)} as well, or the topic of a camera that runs."
            )


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,4})[xX]([1-9]\d{0,4})", text)
    if match is None:
        raise ValueError(
            f"camera_size is WIDTHxHEIGHT in pixels, such as 640x480, and was given '{text}'."
        )
    return int(match[1]), int(match[2])


def _given(context: LaunchContext, name: str) -> str:
    """What an argument was given, or its default; "" where there is no such argument."""
    from launch.substitutions import LaunchConfiguration

    return str(LaunchConfiguration(name, default="").perform(context))
