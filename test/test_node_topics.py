# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topics beside the mask: the presence of each object, and the overlay."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from rclpy.parameter import Parameter
from sensor_msgs.msg import CompressedImage, Image
from stage import HEIGHT, WIDTH, Stage, header, order, picture, truth
from std_srvs.srv import Trigger

from vos_msgs.srv import RemoveObject
from vos_ros.ros import publishers, qos


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    return make_stage().activate()


def test_the_presence_topic_of_an_object_tells_late_listeners(stage: Stage):
    stage.follow_all()
    values = stage.latched(1)
    stage.until(lambda: values)
    assert values == [True]
    for number, objects in ((1, (1, 2)), (2, (2,)), (3, (2,)), (4, (1, 2))):
        stage.send(number, objects)
        stage.mask_of(number)
    stage.until(lambda: len(values) == 3)
    # It speaks when something changes: images 1 and 3 bring nothing new.
    assert values == [True, False, True]
    late = stage.latched(3)
    stage.until(lambda: late)
    assert late == [False]


def test_presence_topics_come_and_go_with_the_objects(stage: Stage):
    assert stage.presence_topics() == set()
    stage.follow_all()
    assert stage.presence_topics() == {1, 2, 3}
    stage.call(RemoveObject.Request(id=2))
    assert stage.presence_topics() == {1, 3}
    stage.call(order((2,)))
    assert stage.presence_topics() == {2}
    stage.call(Trigger.Request())
    assert stage.presence_topics() == set()


def test_the_overlay_is_drawn_only_while_somebody_looks(stage: Stage, monkeypatch):
    drawn: list[tuple] = []

    def draw(image, labels, objects, alpha, names):
        drawn.append((alpha, names, tuple(o.id for o in objects)))
        return image // 2

    monkeypatch.setattr(publishers, "draw_overlay", draw)
    stage.send(0)
    assert stage.call(order((1, 2), ids=[1, 2], names=["cup", ""])).success
    stage.mask_of(0)
    assert drawn == []
    listener = stage.client.create_subscription(
        Image, "vos/overlay", stage.overlays.append, qos.results()
    )
    stage.until(lambda: stage.client.count_publishers("vos/overlay"))
    stage.until(lambda: stage.node.count_subscribers("vos/overlay") == 1)
    stage.node.set_parameters([Parameter("overlay_alpha", value=0.25)])
    stage.send(1)
    stage.until(lambda: stage.overlays)
    assert drawn == [(0.25, {1: "cup"}, (1, 2))]
    overlay = stage.overlays[0]
    assert (overlay.header, overlay.encoding) == (header(1), "bgr8")
    pixels = np.frombuffer(overlay.data, np.uint8).reshape(HEIGHT, WIDTH, 3)
    assert np.array_equal(pixels, picture(1)[..., ::-1] // 2)
    stage.client.destroy_subscription(listener)
    stage.until(lambda: stage.node.count_subscribers("vos/overlay") == 0)
    stage.send(2)
    stage.mask_of(2)
    assert len(drawn) == 1


def test_the_real_overlay_is_drawn_from_the_image_and_the_mask(stage: Stage):
    stage.client.create_subscription(Image, "vos/overlay", stage.overlays.append, qos.results())
    stage.until(lambda: stage.node.count_subscribers("vos/overlay") == 1)
    stage.follow_all()
    stage.until(lambda: stage.overlays)
    pixels = np.frombuffer(stage.overlays[0].data, np.uint8).reshape(HEIGHT, WIDTH, 3)
    inside, outside = pixels[25, 9], pixels[1, 60]  # the tags of so small an image lie on it all
    assert tuple(outside) == (90, 90, 90)
    assert tuple(inside) != (30, 30, 200)


def test_the_compressed_overlay_is_the_raw_one_as_jpeg(stage: Stage, monkeypatch):
    monkeypatch.setattr(publishers, "draw_overlay", lambda image, *_: image // 2)
    compressed: list[CompressedImage] = []
    topic = "vos/overlay/compressed"
    stage.client.create_subscription(CompressedImage, topic, compressed.append, qos.results())
    stage.until(lambda: stage.node.count_subscribers(topic) == 1)
    stage.follow_all()
    stage.until(lambda: compressed)
    assert compressed[0].header == header(0)
    assert compressed[0].format == "bgr8; jpeg compressed bgr8"
    assert bytes(compressed[0].data[:3]) == b"\xff\xd8\xff"
    found = cv2.imdecode(np.frombuffer(compressed[0].data, np.uint8), cv2.IMREAD_COLOR)
    difference = np.abs(found.astype(int) - (picture(0)[..., ::-1] // 2))
    assert difference.mean() < 6
    assert stage.overlays == []  # nobody asked for the raw one


def test_a_drawing_that_fails_costs_no_mask(stage: Stage, monkeypatch):
    def fail(*_):
        raise RuntimeError("out of paint")

    monkeypatch.setattr(publishers, "draw_overlay", fail)
    stage.client.create_subscription(Image, "vos/overlay", stage.overlays.append, qos.results())
    stage.until(lambda: stage.node.count_subscribers("vos/overlay") == 1)
    stage.follow_all()
    assert stage.node.statistics.failed == 1
    stage.send(1)
    assert np.array_equal(stage.mask_of(1), truth())
