# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files, launched: real processes, real topics."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

launch_pytest = pytest.importorskip(
    "launch_pytest", reason="launch_pytest comes with a ROS 2 installation, not with the wheels"
)

import rclpy  # noqa: E402
from launch import LaunchDescription, LaunchService  # noqa: E402
from launch.actions import (  # noqa: E402
    IncludeLaunchDescription,
    RegisterEventHandler,
    Shutdown,
)
from launch.event_handlers import OnProcessExit  # noqa: E402
from launch.launch_description_sources import PythonLaunchDescriptionSource  # noqa: E402
from lifecycle_msgs.srv import GetState  # noqa: E402
from rcl_interfaces.srv import GetParameters  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.qos import qos_profile_sensor_data  # noqa: E402
from sensor_msgs.msg import CompressedImage  # noqa: E402

from vos_ros.models import build_network  # noqa: E402
from vos_ros.weights import ModelCard, save_network  # noqa: E402

LAUNCH = Path(__file__).parents[1] / "launch"
RVIZ = LAUNCH.parent / "config" / "vos.rviz"
PATIENCE = 60.0  # s; loading PyTorch on a busy machine takes most of it


def included(file: str, exits: dict[str, int], **arguments: str) -> LaunchDescription:
    """One of our launch files with arguments; `exits` fills with the exit code of each process."""
    source = PythonLaunchDescriptionSource(str(LAUNCH / file))

    def note(event: object, _context: object) -> None:
        exits[Path(event.cmd[0]).name] = event.returncode

    return LaunchDescription(
        [
            RegisterEventHandler(OnProcessExit(on_exit=note)),
            IncludeLaunchDescription(source, launch_arguments=arguments.items()),
        ]
    )


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A weight file with random weights: launching does not ask how well they follow."""
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    network = build_network("gfddal", {"backbone": "efficientnet_lite0"})
    save_network(path, network, ModelCard("gfddal", {"backbone": "efficientnet_lite0"}))
    return str(path)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three frames of noise, as a folder."""
    folder = tmp_path_factory.mktemp("video")
    for number in range(3):
        noise = np.random.default_rng(number).integers(0, 256, (48, 64, 3), np.uint8)
        assert cv2.imwrite(str(folder / f"{number:05}.png"), noise)
    return str(folder)


@pytest.fixture
def exits() -> dict[str, int]:
    return {}


@pytest.fixture
def client() -> Iterator[Node]:
    rclpy.init()
    node = rclpy.create_node("client")
    yield node
    node.destroy_node()
    rclpy.try_shutdown()


def awaited(client: Node, condition: Callable[[], object]) -> None:
    """Spin until the condition holds; fail when it does not come to hold."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        rclpy.spin_once(client, timeout_sec=0.1)


def called(client: Node, kind: type, name: str, request: object) -> object:
    """The answer of a service."""
    service = client.create_client(kind, name)
    assert service.wait_for_service(PATIENCE)
    future = service.call_async(request)
    rclpy.spin_until_future_complete(client, future, timeout_sec=PATIENCE)
    assert future.done()
    return future.result()


@launch_pytest.fixture
def node_for_a_manager(exits: dict[str, int]) -> LaunchDescription:
    arguments = {"name": "eye", "namespace": "robot", "autostart": "false", "max_objects": "3"}
    return included("vos.launch.py", exits, **arguments)


@pytest.mark.launch(fixture=node_for_a_manager)
def test_the_node_starts_as_told_and_waits_for_its_manager(
    client: Node, exits: dict[str, int]
) -> Iterator[None]:
    request = GetParameters.Request(names=["max_objects", "autostart", "internal_size"])
    answer = called(client, GetParameters, "/robot/eye/get_parameters", request)
    given, autostart, from_file = answer.values
    assert (given.integer_value, autostart.bool_value) == (3, False)
    assert from_file.integer_value == 288
    answer = called(client, GetState, "/robot/eye/get_state", GetState.Request())
    assert answer.current_state.label == "unconfigured"
    yield  # what follows runs when everything was told to end
    assert exits == {"vos": 0}


@launch_pytest.fixture
def playing(video: str, weights: str) -> LaunchDescription:
    arguments = {
        "video": video,
        "rate": "20",
        "size": "32x24",
        "image": "/camera/front",
        "image_transport": "compressed",
        "weights": weights,
        "device": "cpu",
        "internal_size": "64",
    }
    return included("demo.launch.py", {}, **arguments)


@pytest.mark.launch(fixture=playing)
def test_the_demo_plays_into_the_active_node(client: Node) -> None:
    images: list[CompressedImage] = []
    topic = "/camera/front/compressed"
    client.create_subscription(CompressedImage, topic, images.append, qos_profile_sensor_data)

    def subscribed() -> set[str]:
        return {info.node_name for info in client.get_subscriptions_info_by_topic(topic)}

    # More frames than the clip has: it begins again. And the active node listens as well.
    awaited(client, lambda: len(images) > 3 and "vos" in subscribed())
    picture = cv2.imdecode(np.frombuffer(images[0].data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (24, 32, 3)


@launch_pytest.fixture
def playing_once(video: str, weights: str, exits: dict[str, int]) -> LaunchDescription:
    arguments = {"video": video, "loop": "false", "weights": weights, "device": "cpu"}
    return included("demo.launch.py", exits, **arguments)


@pytest.mark.launch(fixture=playing_once)
def test_the_end_of_the_clip_ends_everything(exits: dict[str, int], client: Node) -> Iterator[None]:
    awaited(client, lambda: "publish_video" in exits)
    yield
    assert exits == {"publish_video": 0, "vos": 0}


def stand_in(prefix: Path, package: str, executable: str = "") -> Path:
    """Put a package in the index whose executable writes down what it is given; return where.

    The files of parameters among its arguments go into a .yaml of the same name.
    """
    said = prefix / f"{package}.txt"
    program = prefix / "lib" / package / (executable or package)
    index = prefix / "share" / "ament_index" / "resource_index" / "packages"
    for folder in (program.parent, index):
        folder.mkdir(parents=True, exist_ok=True)
    (index / package).touch()
    program.write_text(
        f"""#!/bin/sh
for given in "$@"; do
    echo "$given" >> '{said}'
    case "$given" in
        *launch_params*) {{ echo '---'; cat "$given"; }} >> '{said.with_suffix(".yaml")}' ;;
    esac
done
"""
    )
    program.chmod(0o755)
    return said


@pytest.mark.parametrize(
    ("viewer", "package", "expected"),
    [
        ("rviz", "rviz2", {"/vos/overlay:=/head/eye/overlay", str(RVIZ)}),
        ("rqt", "rqt_image_view", {"/head/eye/overlay"}),
    ],
)
def test_a_viewer_is_started_on_the_topics_of_the_node(
    viewer: str, package: str, expected: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = stand_in(tmp_path, package)
    paths = [str(tmp_path), *filter(None, [os.environ.get("AMENT_PREFIX_PATH")])]
    monkeypatch.setenv("AMENT_PREFIX_PATH", os.pathsep.join(paths))
    service = LaunchService()
    exits: dict[str, int] = {}
    service.include_launch_description(
        included("view.launch.py", exits, viewer=viewer, namespace="head", name="eye")
    )
    assert service.run() == 0
    assert expected <= set(said.read_text().splitlines())


def test_a_driver_is_started_in_its_cameras_namespace_with_its_parameters(
    tmp_path: Path, weights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = stand_in(tmp_path, "usb_cam", "usb_cam_node_exe")
    paths = [str(tmp_path), *filter(None, [os.environ.get("AMENT_PREFIX_PATH")])]
    monkeypatch.setenv("AMENT_PREFIX_PATH", os.pathsep.join(paths))
    service = LaunchService()
    arguments = {"driver": "usb_cam", "namespace": "robot", "camera_size": "320x240"}
    description = included("vos.launch.py", {}, **arguments, weights=weights, autostart="false")
    # The driver's stand-in ends when it has said everything.
    description.add_action(
        RegisterEventHandler(
            OnProcessExit(
                target_action=lambda action: "usb_cam" in " ".join(action.process_details["cmd"]),
                on_exit=Shutdown(),
            )
        )
    )
    service.include_launch_description(description)
    assert service.run() == 0
    assert {"__node:=driver", "__ns:=/robot/camera"} <= set(said.read_text().splitlines())
    given = {
        name: value
        for part in yaml.safe_load_all(said.with_suffix(".yaml").read_text())
        for name, value in part["/robot/camera/driver"]["ros__parameters"].items()
    }
    assert given == {
        "camera_info_url": "",
        "camera_name": "camera",
        "frame_id": "camera_optical_frame",
        "image_width": 320,
        "image_height": 240,
    }


@pytest.mark.parametrize(
    ("file", "arguments"),
    [
        ("vos.launch.py", {"driver": "v4l2_camera"}),  # which is not installed
        ("vos.launch.py", {"video_device": "/dev/video1"}),
        ("vos.launch.py", {"runtime": "openvino", "device": "cuda"}),
        ("cameras.launch.py", {"cameras": "front=/dev/video0"}),
    ],
)
def test_what_does_not_go_together_ends_the_launch(
    file: str, arguments: dict[str, str], tmp_path: Path
) -> None:
    service = LaunchService()
    exits: dict[str, int] = {}
    service.include_launch_description(included(file, exits, **arguments))
    assert service.run() == 1
    assert exits == {}


def test_a_viewer_that_is_not_installed_ends_the_launch() -> None:
    service = LaunchService()
    service.include_launch_description(included("view.launch.py", {}, viewer="rqt"))
    assert service.run() == 1
