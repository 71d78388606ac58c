# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What subscribers are told when objects are forgotten, and what they are not told of others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from stage import Stage, header, order, picture, truth
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from vos_msgs.srv import RemoveObject
from vos_ros.ros.images import rgb_to_message


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    return make_stage().activate()


def last_told(stage: Stage) -> tuple[Header, list[int], np.ndarray]:
    """The header and the ids of the last presence, and the labels that go with it."""
    presence, mask = stage.presences[-1], stage.masks[-1]
    assert mask.header == presence.header
    labels = np.frombuffer(mask.data, np.uint8).reshape(mask.height, mask.width)
    return presence.header, [item.id for item in presence.objects], labels


def wait_for_both(stage: Stage, count: int) -> None:
    stage.until(lambda: min(len(stage.masks), len(stage.presences)) >= count)


def test_what_is_left_is_told_after_a_removal_and_after_a_reset(stage: Stage):
    stage.send(0)
    assert stage.call(order(names=["cup", "ball", "box"])).success
    stage.send(1)
    wait_for_both(stage, 2)
    values = {object_id: stage.latched(object_id) for object_id in (1, 2)}
    stage.until(lambda: all(values.values()))
    assert stage.call(RemoveObject.Request(id=2)).success
    wait_for_both(stage, 3)
    head, ids, labels = last_told(stage)
    assert (head, ids) == (header(1), [1, 3])
    assert [item.name for item in stage.presences[-1].objects] == ["cup", "box"]
    assert np.array_equal(labels, truth((1, 3)))
    stage.until(lambda: values[2] == [True, False])
    assert stage.call(Trigger.Request()).success
    wait_for_both(stage, 4)
    head, ids, labels = last_told(stage)
    assert (head, ids) == (header(1), [])
    assert not labels.any()
    stage.until(lambda: values[1] == [True, False])
    # These are no frames of the camera's, and there is nothing to tell a second time.
    assert stage.node.statistics.processed == 2
    assert stage.call(Trigger.Request()).success
    stage.send(2)
    assert stage.call(order()).success
    wait_for_both(stage, 5)
    assert [item.header for item in stage.presences] == [header(n) for n in (0, 1, 1, 1, 2)]


def test_the_last_object_to_be_removed_leaves_an_empty_presence(stage: Stage):
    stage.send(0)
    assert stage.call(order((3,))).success
    assert stage.call(RemoveObject.Request(id=3)).success
    wait_for_both(stage, 2)
    head, ids, labels = last_told(stage)
    assert (head, ids, labels.any()) == (header(0), [], False)


def test_nothing_is_told_when_no_frame_was_answered_before(stage: Stage):
    image = rgb_to_message(picture(77), Header())
    assert stage.call(order(image=image)).success
    assert stage.call(Trigger.Request()).success
    stage.send(4)
    assert stage.call(order()).success
    wait_for_both(stage, 1)
    assert [item.header for item in stage.presences] == [header(4)]


def test_a_presence_that_would_lack_an_object_is_not_sent(stage: Stage):
    stage.send(0)
    assert stage.call(order((1,))).success
    image = rgb_to_message(picture(77), Header())
    assert stage.call(order((3,), image=image, keep_existing=True)).success
    assert stage.call(RemoveObject.Request(id=1)).success
    stage.send(1)
    wait_for_both(stage, 2)
    assert [item.header for item in stage.presences] == [header(0), header(1)]
    assert last_told(stage)[1] == [3]


@pytest.mark.parametrize("given, told", [((3,), [0, 1, 3]), ((1, 3), [0, 1, 2, 3])])
def test_no_mask_shows_others_where_they_were_not_looked_for(
    stage: Stage, given: tuple[int, ...], told: list[int]
):
    stage.send(0)
    assert stage.call(order((1,))).success
    stage.segmenter.hold()
    stage.send(1)
    stage.until(stage.segmenter.entered)
    answer = stage.ask(order(given, number=0, keep_existing=True))
    # Requests are taken in the order they came, so an answer to this one means that one is queued.
    assert not stage.call(order(())).success
    stage.send(2)
    stage.segmenter.let_go()
    stage.until(answer.done)
    assert answer.result().success
    stage.send(3)
    assert np.array_equal(stage.mask_of(3), truth((1, 3)))
    # The request went through frame 2, but what it does not give was last seen in frame 1.
    assert stage.segmenter.seen == [0, 1, 0, 1, 2, 3]
    assert [mask.header for mask in stage.masks] == [header(number) for number in told]
