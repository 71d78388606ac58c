# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera under the default settings of Fast DDS loses large images; the node finds that out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from stage import Stage
from test_node_log import heard, log_of

from vos_ros.ros import camera
from vos_ros.ros.environment import PROFILE_VARIABLES

CAMERA = """
import sys, time
import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

rclpy.init(args=sys.argv)
node = rclpy.create_node("camera")
camera = node.create_publisher(Image, "image", qos_profile_sensor_data)
message = Image(width=1280, height=720, step=3 * 1280, encoding="rgb8")
message.data.frombytes(bytes(3 * 1280 * 720))
while rclpy.ok():
    message.header.stamp = node.get_clock().now().to_msg()
    camera.publish(message)
    time.sleep(0.03)
"""


@pytest.fixture
def stage(make_stage) -> Stage:
    return make_stage().activate()


@pytest.fixture
def lossy_camera(stage: Stage) -> Iterator[subprocess.Popen[bytes]]:
    """A camera of 1280 x 720 pixels at 30 Hz, started without the profile of this package."""
    place = ["--ros-args", "-r", f"__ns:={stage.node.get_namespace()}"]
    environment = {k: v for k, v in os.environ.items() if k not in PROFILE_VARIABLES}
    child = subprocess.Popen([sys.executable, "-c", CAMERA, *place], env=environment)
    yield child
    child.kill()
    child.wait()


def test_images_lost_on_the_way_are_noticed(stage, lossy_camera, monkeypatch):
    said = log_of(stage)
    line = heard(stage, said, "were lost on their way here")
    assert f"images on {stage.node.get_namespace()}/image were lost" in line
    assert PROFILE_VARIABLES[0] in line
    figures = stage.node.statistics
    assert figures.lost >= 5
    stage.until(lambda: stage.node.statistics.lost > figures.lost)
    assert len([line for line in said if "were lost" in line]) == 1
    assert camera.WATCH_SECONDS == 1.0
