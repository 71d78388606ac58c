# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From which image on the node follows: by a stamp, or one that comes with the mask."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from rclpy.parameter import Parameter
from stage import Stage, header, order, picture, stamp, truth
from std_msgs.msg import Header

from vos_msgs.srv import InitMask
from vos_ros.ros.images import rgb_to_message


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    return make_stage().activate()


def test_an_old_stamp_begins_there_and_catches_up_through_the_frames_since(stage: Stage):
    for number in range(10):
        stage.send(number)
    answer = stage.call(order(number=4))
    assert answer.success
    assert answer.stamp == stamp(4)
    assert "caught up through 5 since" in answer.message
    assert stage.segmenter.seen == [4, 5, 6, 7, 8, 9]
    stage.mask_of(9)
    assert [mask.header for mask in stage.masks] == [header(9)]
    assert stage.node.statistics.caught_up == 5
    stage.send(10)
    stage.mask_of(10)
    assert stage.segmenter.seen[-2:] == [9, 10]


def test_catching_up_takes_no_more_steps_than_allowed(make_stage: Callable[..., Stage]):
    stage = make_stage(catch_up_limit=4).activate()
    for number in range(40):
        stage.send(number)
    assert stage.call(order(number=0)).success
    assert stage.segmenter.seen[0] == 0
    assert stage.segmenter.seen[-1] == 39
    assert len(stage.segmenter.seen) <= 1 + 4
    stage.node.set_parameters([Parameter("catch_up_limit", value=0)])
    stage.segmenter.seen.clear()
    assert stage.call(order(number=0)).success
    assert stage.segmenter.seen == [0]


def test_frames_that_come_while_catching_up_are_gone_through_too(stage: Stage):
    for number in range(4):
        stage.send(number)
    stage.segmenter.hold()
    answer = stage.ask(order(number=0))
    stage.until(lambda: stage.segmenter.seen == [0])
    stage.send(4)
    stage.segmenter.let_go()
    stage.until(answer.done)
    assert stage.segmenter.seen == [0, 1, 2, 3, 4]
    stage.mask_of(4)


def test_a_frame_that_waited_while_it_was_caught_up_through_is_not_stepped_again(stage: Stage):
    stage.follow_all()
    stage.segmenter.hold()
    answer = stage.ask(order(number=0, keep_existing=True))
    stage.until(stage.segmenter.entered)
    stage.send(1)
    stage.segmenter.let_go()
    stage.until(answer.done)
    stage.send(2)
    stage.mask_of(2)
    assert stage.segmenter.seen == [0, 0, 1, 2]


def test_a_stamp_that_is_gone_is_refused_with_the_range_that_is_held(
    make_stage: Callable[..., Stage],
):
    stage = make_stage(buffer_frames=3).activate()
    for number in range(6):
        stage.send(number)
    answer = stage.call(order(number=1))
    assert not answer.success
    assert answer.message == (
        "No frame with the stamp 100.100000000 s is held: it is older than every frame that is"
        " kept. 3 frames are held, stamps 100.300000000 s to 100.500000000 s; use the stamp of one"
        " of them, or 0 for the newest. Or send the image together with the mask."
    )
    assert list(answer.ids) == []
    assert answer.stamp == InitMask.Response().stamp
    assert stage.segmenter.seen == []
    assert stage.call(order(number=3)).success


def test_a_call_before_any_frame_is_refused(stage: Stage):
    answer = stage.call(order())
    assert not answer.success
    topic = f"{stage.node.get_namespace()}/image"
    assert answer.message == (
        f"No image has come on {topic} yet; wait until one has, or send the image together with"
        " the mask."
    )


def test_an_image_that_comes_with_the_mask_is_used(stage: Stage):
    image = rgb_to_message(picture(77), Header())
    answer = stage.call(order((1, 2), image=image))
    assert answer.success
    assert stage.segmenter.seen == [77]
    # It is no image of the camera's, so it has no place among the camera's masks.
    stage.send(1)
    assert np.array_equal(stage.mask_of(1), truth((1, 2)))
    assert [mask.header for mask in stage.masks] == [header(1)]


def test_an_image_with_a_stamp_of_the_stream_catches_up_from_there(stage: Stage):
    for number in range(4):
        stage.send(number)
    image = rgb_to_message(picture(77), header(1))
    answer = stage.call(order(image=image))
    assert answer.stamp == stamp(1)
    assert stage.segmenter.seen == [77, 2, 3]
    stage.mask_of(3)


def test_a_raw_image_that_comes_with_the_mask_is_used_beside_a_compressed_camera(
    make_stage: Callable[..., Stage],
):
    stage = make_stage(image_transport="compressed").activate()
    for number in range(3):
        stage.send_compressed(number)
    answer = stage.call(order((1, 2), image=rgb_to_message(picture(77), header(1))))
    assert answer.success, answer.message
    assert stage.segmenter.seen == [77, 2]
    assert np.array_equal(stage.mask_of(2), truth((1, 2)))


@pytest.mark.parametrize("when", [None, -50])
def test_an_image_from_elsewhere_does_not_catch_up(stage: Stage, when: int | None):
    for number in range(4):
        stage.send(number)
    head = Header() if when is None else header(when)
    assert stage.call(order(image=rgb_to_message(picture(77), head))).success
    assert stage.segmenter.seen == [77]
