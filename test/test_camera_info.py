# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The calibration beside each mask: the camera's own, with the mask's header and size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from rclpy.context import Context
from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo
from stage import HEIGHT, WIDTH, Stage, header, order, picture
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from vos_ros.ros import camera_info, qos
from vos_ros.ros.camera_info import CameraInfoRelay
from vos_ros.ros.images import rgb_to_message
from vos_ros.ros.surviving import SurvivingNode
from vos_ros.ros.troubles import Troubles

K = [50.0, 0.0, 31.5, 0.0, 51.0, 23.5, 0.0, 0.0, 1.0]


def calibration(head: Header, focal: float = 50.0, width: int = WIDTH) -> CameraInfo:
    info = CameraInfo(header=head, width=width, height=HEIGHT, distortion_model="plumb_bob")
    info.k = [focal, *K[1:]]
    info.d = [0.1, -0.2, 0.0, 0.0, 0.05]
    info.p = [float(value) for value in range(12)]
    return info


class Calibrated:
    """A stage with a camera that sends its calibration, and somebody who wants it."""

    def __init__(self, stage: Stage, topic: str = "camera_info") -> None:
        self.stage = stage
        self.source: Publisher = stage.client.create_publisher(CameraInfo, topic, qos.camera())
        self.infos: list[CameraInfo] = []
        self.said: list[str] = []
        note = stage.node.troubles.note
        stage.node.troubles.note = lambda text, **rest: (self.said.append(text), note(text, **rest))

    def listen(self) -> None:
        """Want calibrations, and wait until the node does so too."""
        self.listener = self.stage.client.create_subscription(
            CameraInfo, "vos/camera_info", self.infos.append, qos.results()
        )
        self.stage.until(self.source.get_subscription_count, "the node to subscribe")

    def send(self, number: int, info: CameraInfo | None) -> None:
        """Send an image after its calibration, and wait for its mask."""
        relay: CameraInfoRelay = self.stage.node._pipeline._camera_info
        if info is not None:
            self.source.publish(info)
            self.stage.until(lambda: relay._known.newest == info, "the calibration to come")
        self.stage.send(number)
        self.stage.mask_of(number)

    def info_of(self, number: int) -> CameraInfo:
        """Wait for the calibration of an image's mask."""

        def found() -> CameraInfo | None:
            return next((info for info in self.infos if info.header == header(number)), None)

        self.stage.until(found, f"the calibration of image {number}")
        return found()


def following(stage: Stage) -> Calibrated:
    """An active node that follows its objects."""
    stage.activate()
    stage.send(0)
    assert stage.call(order()).success
    stage.mask_of(0)
    return Calibrated(stage)


@pytest.fixture
def calibrated(make_stage: Callable[..., Stage]) -> Calibrated:
    return following(make_stage())


def test_each_mask_has_the_calibration_with_its_images_stamp(calibrated: Calibrated) -> None:
    calibrated.listen()
    for number in (1, 2, 3):
        calibrated.send(number, calibration(header(number), focal=50.0 + number))
    for number in (1, 2, 3):
        info = calibrated.info_of(number)
        assert info == calibration(header(number), focal=50.0 + number)
    assert len(calibrated.infos) == 3
    assert calibrated.said == []


def test_a_driver_whose_stamps_differ_has_its_newest_calibration_sent(
    calibrated: Calibrated,
) -> None:
    calibrated.listen()
    other = Header(stamp=header(77).stamp, frame_id="elsewhere")
    calibrated.send(1, calibration(other))
    calibrated.send(2, None)
    for number in (1, 2):
        assert calibrated.info_of(number) == calibration(header(number))


def test_what_is_for_another_size_is_not_sent_and_that_is_said_once(
    calibrated: Calibrated,
) -> None:
    calibrated.listen()
    for number in (1, 2):
        calibrated.send(number, calibration(header(number), width=2 * WIDTH))
    calibrated.send(3, calibration(header(3)))
    calibrated.info_of(3)
    assert [info.header for info in calibrated.infos] == [header(3)]
    (said,) = calibrated.said
    assert f"for images of 128 x 48 pixels and the camera's are {WIDTH} x {HEIGHT}" in said


def test_where_none_comes_none_is_sent_and_that_is_said_once(
    calibrated: Calibrated, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibrated.listen()
    calibrated.send(1, None)
    assert calibrated.said == []  # it may still come
    monkeypatch.setattr(camera_info, "PATIENCE", 0.0)
    for number in (2, 3):
        calibrated.send(number, None)
    topic = f"{calibrated.stage.node.get_namespace()}/camera_info"
    assert calibrated.said == [
        f"No calibration has come on {topic}, so that ~/camera_info has none to send. Is"
        " `camera_info` to be remapped to the camera's?"
    ]
    assert calibrated.infos == []


def test_nothing_is_taken_in_while_nobody_wants_it(calibrated: Calibrated) -> None:
    calibrated.stage.send(1)
    calibrated.stage.mask_of(1)
    assert calibrated.source.get_subscription_count() == 0
    calibrated.listen()
    calibrated.stage.client.destroy_subscription(calibrated.listener)
    calibrated.stage.until(lambda: not calibrated.source.get_subscription_count())


def test_it_is_taken_in_only_while_the_node_is_active(calibrated: Calibrated) -> None:
    calibrated.listen()
    assert calibrated.stage.change("deactivate")
    calibrated.stage.until(lambda: not calibrated.source.get_subscription_count())
    calibrated.infos.clear()
    assert calibrated.stage.change("activate")
    calibrated.stage.until(calibrated.source.get_subscription_count)
    calibrated.stage.until(calibrated.stage.camera.get_subscription_count)
    calibrated.send(9, calibration(header(9)))
    assert calibrated.info_of(9) == calibration(header(9))
    assert calibrated.stage.change("deactivate") and calibrated.stage.change("cleanup")
    assert calibrated.stage.client.count_publishers("vos/camera_info") == 0


def test_a_mask_that_is_sent_again_has_its_calibration_again(calibrated: Calibrated) -> None:
    calibrated.listen()
    calibrated.send(1, calibration(header(1)))
    calibrated.info_of(1)
    assert calibrated.stage.call(Trigger.Request()).success  # all are forgotten: an empty mask
    calibrated.stage.until(lambda: len(calibrated.infos) == 2)
    assert calibrated.infos[1] == calibrated.infos[0]


def test_compressed_images_have_the_calibration_of_their_camera(make_stage) -> None:
    stage = make_stage(image_transport="compressed").activate()
    stage.send_compressed(0)
    assert stage.call(order(image=rgb_to_message(picture(0), header(0)))).success
    calibrated = Calibrated(stage)
    calibrated.listen()
    calibrated.source.publish(calibration(header(1)))
    relay = stage.node._pipeline._camera_info
    stage.until(lambda: relay._known.newest)
    stage.send_compressed(1)
    assert calibrated.info_of(1) == calibration(header(1))
    labels = stage.mask_of(1)
    assert np.shape(labels) == (calibrated.infos[0].height, calibrated.infos[0].width)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, "/ns/camera_info"),
        ({"image": "/front/image_raw"}, "/front/camera_info"),
        ({"image": "front/image_raw"}, "/ns/front/camera_info"),
        ({"image": "/front/image_raw", "camera_info": "/info/of/front"}, "/info/of/front"),
        ({"image": "/front/image_raw", "/front/camera_info": "/other"}, "/other"),
    ],
)
def test_it_is_beside_the_images_or_where_it_is_remapped_to(
    context: Context, rules: dict[str, str], expected: str
) -> None:
    remaps = [text for rule in rules.items() for text in ("-r", ":=".join(rule))]
    node = SurvivingNode(
        "relaying", context=context, namespace="/ns", cli_args=["--ros-args", *remaps]
    )
    images = node.resolve_topic_name("image")
    relay = CameraInfoRelay(node, images, Troubles())
    assert relay.topic == expected
    relay.destroy()
    node.destroy_node()
