# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node does on demand: how sure labels are, one image at a time or every Nth.

And what it says of objects that are out of sight or could not be computed.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from stage import HEIGHT, WIDTH, Stage, header, order, stamp, truth
from std_srvs.srv import Trigger

from vos_ros.ros import qos


@pytest.fixture
def stage(make_stage) -> Stage:
    """An active node."""
    return make_stage().activate()


def follow_all(stage: Stage) -> None:
    stage.send(0)
    assert stage.call(order()).success
    stage.mask_of(0)


def presence(stage: Stage, number: int) -> dict:
    """The presence of each object in the image of a number, by id."""
    stage.until(lambda: any(p.header == header(number) for p in stage.presences))
    found = next(p for p in stage.presences if p.header == header(number))
    return {entry.id: entry for entry in found.objects}


def test_the_confidence_is_asked_for_and_sent_only_while_somebody_listens(stage: Stage):
    asked: list[bool] = []
    segment = stage.segmenter._segment

    def with_confidence(image):
        asked.append(stage.segmenter.with_confidence)
        result = segment(image)
        if not asked[-1]:
            return result
        sure = np.linspace(0, 1, WIDTH * HEIGHT, dtype=np.float32).reshape(HEIGHT, WIDTH)
        return dataclasses.replace(result, confidence=sure)

    stage.segmenter._segment = with_confidence
    follow_all(stage)
    assert asked == [False]
    images: list[Image] = []
    listener = stage.client.create_subscription(
        Image, "vos/confidence", images.append, qos.results()
    )
    stage.until(lambda: stage.client.count_publishers("vos/confidence"))
    stage.until(lambda: stage.node.count_subscribers("vos/confidence") == 1)
    stage.send(1)
    stage.until(lambda: images)
    (image,) = images
    assert (image.header, image.encoding, image.step) == (header(1), "32FC1", 4 * WIDTH)
    pixels = np.frombuffer(image.data, np.float32).reshape(image.height, image.width)
    np.testing.assert_array_equal(pixels.ravel(), np.linspace(0, 1, WIDTH * HEIGHT, dtype="f4"))
    assert asked == [False, True]
    stage.client.destroy_subscription(listener)
    stage.until(lambda: stage.node.count_subscribers("vos/confidence") == 0)
    stage.send(2)
    stage.mask_of(2)
    assert asked == [False, True, False]


def test_every_nth_image_is_looked_at(make_stage):
    stage = make_stage(every=3).activate()
    follow_all(stage)
    for number in range(1, 8):
        stage.send(number)
        if number % 3 == 0:
            stage.mask_of(number)
    figures = stage.node.statistics
    assert (figures.processed, figures.skipped, figures.dropped) == (3, 5, 0)
    assert [mask.header.stamp for mask in stage.masks] == [stamp(n) for n in (0, 3, 6)]
    stage.node.set_parameters([Parameter("every", value=1)])
    stage.send(8)
    assert np.array_equal(stage.mask_of(8), truth())


def segment(stage: Stage) -> Trigger.Response:
    client = stage.client.create_client(Trigger, "vos/segment", qos_profile=qos.requests())
    stage.until(client.service_is_ready)
    future = client.call_async(Trigger.Request())
    stage.until(future.done)
    stage.client.destroy_client(client)
    return future.result()


def test_with_0_images_are_looked_at_one_by_one_when_somebody_asks(make_stage):
    stage = make_stage(every=0).activate()
    refused = segment(stage)
    assert not refused.success and refused.message.startswith("No image has come on ")
    stage.send(0)
    refused = segment(stage)
    assert (refused.success, refused.message) == (
        False, "Nothing is followed; call ~/init_mask first.",
    )  # fmt: skip
    follow_all_from(stage, 1)
    for number in (2, 3):
        stage.send(number, (1, 2))
    answer = segment(stage)
    assert answer.success
    assert answer.message == "The mask of the image stamped 100.300000000 s is published."
    assert np.array_equal(stage.mask_of(3), truth((1, 2)))
    again = segment(stage)
    assert not again.success and "has its mask already" in again.message
    assert [mask.header.stamp for mask in stage.masks] == [stamp(1), stamp(3)]


def follow_all_from(stage: Stage, number: int) -> None:
    stage.send(number)
    assert stage.call(order()).success
    stage.mask_of(number)


def test_a_step_that_fails_refuses_the_request_for_it(make_stage):
    stage = make_stage(every=0).activate()
    follow_all(stage)
    stage.segmenter.error = RuntimeError("out of luck")
    stage.send(1)
    refused = segment(stage)
    assert not refused.success
    assert refused.message == "The request failed inside the node. Out of luck."
    stage.segmenter.error = None
    assert segment(stage).success
    assert np.array_equal(stage.mask_of(1), truth())


def test_how_long_an_object_is_out_of_sight_is_told(stage: Stage):
    segment = stage.segmenter._segment
    absent = 0

    def counting(image):
        nonlocal absent
        result = segment(image)
        gone = next(entry for entry in result.objects if entry.id == 1)
        absent = 0 if gone.present else absent + 1
        objects = tuple(
            dataclasses.replace(entry, absent_frames=absent if entry.id == 1 else 0)
            for entry in result.objects
        )
        return dataclasses.replace(result, objects=objects)

    stage.segmenter._segment = counting
    follow_all(stage)
    for number, objects in ((1, (1, 2, 3)), (2, (2, 3)), (3, (2, 3)), (4, (1, 2, 3))):
        stage.send(number, objects)
        stage.mask_of(number)
    told = [presence(stage, n) for n in range(5)]
    assert [p[1].absent_frames for p in told] == [0, 0, 1, 2, 0]
    assert [p[1].last_seen for p in told] == [stamp(n) for n in (0, 1, 1, 1, 4)]
    assert [p[2].last_seen for p in told] == [stamp(n) for n in range(5)]


def test_an_object_that_could_not_be_computed_is_reported_once_a_time(stage: Stage):
    segment = stage.segmenter._segment
    failing: set[int] = set()

    def failing_segment(image):
        result = segment(image)
        objects = tuple(
            dataclasses.replace(entry, sound=False, present=False) if entry.id in failing else entry
            for entry in result.objects
        )
        return dataclasses.replace(result, objects=objects)

    stage.segmenter._segment = failing_segment
    said: list[str] = []
    note = stage.node.troubles.note
    stage.node.troubles.note = lambda text, **rest: (said.append(text), note(text, **rest))
    follow_all(stage)
    for number, now in enumerate([{2}, {2}, {2, 3}, set(), {2}], start=1):
        failing.clear()
        failing.update(now)
        stage.send(number)
        entries = presence(stage, number)
        assert {i for i, entry in entries.items() if not entry.present} == now
    assert [text.split(" is no number")[0] for text in said] == [
        "What the network says of object 2", "What the network says of object 3",
        "What the network says of object 2",
    ]  # fmt: skip
