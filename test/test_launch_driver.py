# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Launch files that start a camera's driver as well, without the launch libraries."""

from __future__ import annotations

import os

import pytest
from launch_stand_ins import stand_ins, started  # noqa: F401

from vos_ros.ros.environment import PROFILE_VARIABLES


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The packages that are installed; empty at first."""
    there: set[str] = set()
    packages = pytest.importorskip("ament_index_python.packages")

    def prefix(package: str) -> str:
        if package not in there:
            raise packages.PackageNotFoundError(package)
        return "/opt"

    monkeypatch.setattr(packages, "get_package_prefix", prefix)
    monkeypatch.setenv("ROS_DISTRO", "kilted")
    return there


DRIVERS = [
    (
        "usb_cam",
        "usb_cam_node_exe",
        {"image_width": 320, "image_height": 240},
        {
            "camera_info_url": "",
            "camera_name": "camera",
            "frame_id": "camera_optical_frame",
        },
    ),
    (
        "v4l2_camera",
        "v4l2_camera_node",
        {"image_size": [320, 240]},
        {"camera_frame_id": "camera_optical_frame"},
    ),
]


@pytest.mark.parametrize(("driver", "executable", "size", "defaults"), DRIVERS)
def test_a_driver_is_started_beside_the_node_and_they_meet(
    driver: str, executable: str, size: dict, defaults: dict, installed: set[str]
) -> None:
    installed.add(driver)
    camera, node = started("vos.launch.py", driver=driver, namespace="robot")
    assert (camera.kwargs["package"], camera.kwargs["executable"]) == (driver, executable)
    assert camera.kwargs["namespace"] == "robot/camera"
    assert camera.kwargs["parameters"] == [defaults, {}]
    # Drivers publish image_raw, image_raw/compressed and camera_info in their namespace.
    assert node.kwargs["remappings"] == [
        ("image", "camera/image_raw"),
        ("image/compressed", ["camera/image_raw", "/compressed"]),
    ]
    camera, _ = started(
        "vos.launch.py", driver=driver, video_device="/dev/video3", camera_size="320x240",
        calibration="file:///of/{name}.yaml", driver_params_file="/my.yaml",
    )  # fmt: skip
    given = {"video_device": "/dev/video3", "camera_info_url": "file:///of/camera.yaml", **size}
    # What is given here goes before the file, and the file before what is not.
    assert camera.kwargs["parameters"] == [defaults, "/my.yaml", given]
    assert camera.kwargs["namespace"] == "camera"
    assert PROFILE_VARIABLES[0] in {*camera.kwargs["additional_env"], *os.environ}


def test_several_cameras_have_a_driver_each(installed: set[str]) -> None:
    installed.add("v4l2_camera")
    left, right, process = started(
        "cameras.launch.py", driver="v4l2_camera", namespace="/robot/", calibration="file:/{name}",
        cameras="left=/dev/video0 right=/dev/v4l/by-id/usb-A:B.1-index0",
    )  # fmt: skip
    assert process.kwargs["arguments"] == ["left=left/image_raw", "right=right/image_raw"]
    for node, name, device in (
        (left, "left", "/dev/video0"), (right, "right", "/dev/v4l/by-id/usb-A:B.1-index0"),
    ):  # fmt: skip
        assert node.kwargs["namespace"] == f"/robot/{name}"
        defaults, given = node.kwargs["parameters"]
        assert defaults == {"camera_frame_id": f"{name}_optical_frame"}
        assert given == {"video_device": device, "camera_info_url": f"file:/{name}"}


REFUSED = [
    ("vos", {"driver": "usb_cam", "image": "/my"}, ValueError, "topics of its own.+ out image:="),
    ("vos", {"driver": "usb_cam", "camera_info": "/my"}, ValueError, "leave out camera_info:="),
    ("vos", {"video_device": "/dev/video1"}, ValueError, "video_device:= is for a driver"),
    ("vos", {"calibration": "file:///x"}, ValueError, "give driver:=usb_cam or driver:=v4l2"),
    ("vos", {"driver": "usb_cam", "camera_size": "big"}, ValueError, "such as 640x480, .+ 'big'"),
    ("vos", {"driver": "v4l2_camera"}, RuntimeError, "apt install ros-kilted-v4l2-camera"),
    ("cameras", {"cameras": "a=/dev/video0"}, ValueError, "/dev/video0 is a device and no topic"),
    ("cameras", {"cameras": "a=/x", "camera_size": "2x2"}, ValueError, "camera_size:= is for"),
    ("cameras", {"cameras": "", "driver": "usb_cam"}, ValueError, "no camera is named"),
    ("cameras", {"cameras": "a=video0", "driver": "usb_cam"}, ValueError, "the path of its device"),
    ("cameras", {"cameras": "a=/v0 a=/v1", "driver": "usb_cam"}, ValueError, "a name of its own"),
    ("cameras", {"cameras": "a=/v0 b=/v0", "driver": "usb_cam"}, ValueError, "a device of its own"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "given", "kind", "words"), REFUSED, ids=[r[3] for r in REFUSED])
def test_what_does_not_go_with_a_driver_is_refused_before_anything_starts(
    file: str, given: dict[str, str], kind: type, words: str, installed: set[str]
) -> None:
    installed.add("usb_cam")
    with pytest.raises(kind, match=words):
        started(f"{file}.launch.py", **given)
