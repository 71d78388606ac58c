# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node says in its log, as /rosout carries it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from rcl_interfaces.msg import Log
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage, Image
from stage import Stage, header, order, picture

from vos_ros.ros import images
from vos_ros.ros.images import rgb_to_compressed, rgb_to_message

TRANSPORTS = ("raw", "compressed")


def message(transport: str, number: int, scale: int = 1) -> Image | CompressedImage:
    """The camera's image of this number, enlarged by a whole factor."""
    image = np.kron(picture(number), np.ones((scale, scale, 1), np.uint8))
    if transport == "raw":
        return rgb_to_message(image, header(number))
    return rgb_to_compressed(image, header(number), "jpeg")


def log_of(stage: Stage) -> list[str]:
    """Begin to listen to what the node says, from its first word on; the list grows."""
    said: list[str] = []
    own = stage.node.get_logger().name

    def hear(entry: Log) -> None:
        if entry.name == own:
            said.append(entry.msg)

    profile = QoSProfile(depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    stage.client.create_subscription(Log, "/rosout", hear, profile)
    return said


def heard(stage: Stage, said: list[str], words: str) -> str:
    """Wait for a line with these words and return it."""

    def found() -> str | None:
        return next((line for line in said if words in line), None)

    stage.until(found, f"the log to say {words!r}")
    return found() or ""


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_changed_size_is_reported(make_stage: Callable[..., Stage], transport: str):
    stage = make_stage(image_transport=transport).activate()
    said = log_of(stage)
    for number, scale in enumerate((1, 1, 2)):
        stage.send_message(message(transport, number, scale))
    assert heard(stage, said, "pixels and now") == (
        "The camera's images were 64 x 48 pixels and now are 128 x 96; going on with the new size."
    )


@pytest.mark.parametrize("following", [False, True])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_broken_frame_is_counted_and_reported(
    make_stage: Callable[..., Stage], transport: str, following: bool
):
    stage = make_stage(image_transport=transport).activate()
    said = log_of(stage)
    stage.send_message(message(transport, 0))
    if following:
        assert stage.call(order()).success
    broken = message(transport, 1)
    broken.data = broken.data[:200]
    stage.send_message(broken)
    words = "carries 200 bytes" if transport == "raw" else "cut off: its 200 bytes of JPEG"
    line = heard(stage, said, words)
    assert line.startswith("A camera image was skipped. The ")
    assert line.endswith(".")
    figures = stage.node.statistics
    assert (figures.received, figures.rejected, figures.idle) == (2, 1, 1)
    # It is no frame that a mask could refer to.
    assert "No frame with the stamp" in stage.call(order(number=1)).message


def test_a_frame_that_cannot_be_decoded_is_reported(make_stage: Callable[..., Stage]):
    stage = make_stage(image_transport="compressed").activate()
    said = log_of(stage)
    stage.send_message(message("compressed", 0))
    assert stage.call(order()).success
    broken = message("compressed", 1)
    broken.data = broken.data[:300] + broken.data[-2:]
    stage.send_message(broken)
    assert "begin like JPEG but" in heard(stage, said, "A camera image was skipped.")
    assert stage.node.statistics.rejected == 1


@pytest.mark.parametrize("used, by", [(True, "cv_bridge"), (False, "this package's own code")])
def test_configuring_tells_how_images_are_converted(
    make_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch, used: bool, by: str
):
    monkeypatch.setattr(images, "bridge_is_used", lambda: used)
    stage = make_stage()
    said = log_of(stage)
    assert stage.change("configure")
    assert heard(stage, said, "Configured: colours.").endswith(f" Images are converted by {by}.")
