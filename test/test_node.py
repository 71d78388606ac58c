# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node at work: what it follows, and how that is changed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from stage import HEIGHT, WIDTH, Stage, header, order, stamp, truth
from std_srvs.srv import Trigger

from vos_msgs.srv import RemoveObject


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    return make_stage().activate()


# --- the main job ---------------------------------------------------------------------------------


def test_objects_are_followed_from_the_newest_image_when_the_stamp_is_zero(stage: Stage):
    stage.send(5)
    answer = stage.call(order((1, 3)))
    assert answer.success
    assert list(answer.ids) == [1, 3]
    assert answer.stamp == stamp(5)
    assert answer.message == ("Following 1, 3, from the image stamped 100.500000000 s on.")
    assert np.array_equal(stage.mask_of(5), truth((1, 3)))
    stage.send(6, (1,))
    assert np.array_equal(stage.mask_of(6), truth((1,)))
    assert [mask.header for mask in stage.masks] == [header(5), header(6)]
    assert stage.segmenter.threads == {"vos_worker"}


def test_every_object_is_reported_with_name_area_and_box(stage: Stage):
    stage.send(1)
    assert stage.call(order((1, 2), names=["cup", "ball"])).success
    stage.send(2, (1,))
    stage.until(lambda: len(stage.presences) == 2)
    assert [p.header for p in stage.presences] == [header(1), header(2)]
    cup, ball = stage.presences[1].objects
    assert (cup.id, cup.name, cup.present, cup.score) == (1, "cup", True, 1.0)
    assert cup.area_fraction == pytest.approx(100 / (WIDTH * HEIGHT))
    box = cup.box
    assert (box.x_offset, box.y_offset, box.width, box.height) == (4, 20, 10, 10)
    assert not box.do_rectify
    assert (ball.id, ball.name, ball.present, ball.score) == (2, "ball", False, 0.0)
    assert (ball.box.width, ball.box.height) == (0, 0)


def test_names_follow_the_order_of_the_ids_asked_for(stage: Stage):
    stage.send(1)
    answer = stage.call(order((1, 2, 3), ids=[3, 1], names=["last", "first"]))
    assert list(answer.ids) == [1, 3]
    stage.until(lambda: stage.presences)
    assert [(o.id, o.name) for o in stage.presences[0].objects] == [(1, "first"), (3, "last")]
    assert np.array_equal(stage.mask_of(1), truth((1, 3)))


def test_nothing_is_computed_before_there_is_something_to_follow(stage: Stage):
    for number in range(3):
        stage.send(number)
    stage.call(Trigger.Request())
    assert stage.segmenter.seen == []
    assert stage.node.statistics.idle == 3
    assert stage.masks == []


def test_what_happened_to_frames_is_counted(stage: Stage):
    stage.send(0)
    stage.follow_all(1)
    for number in (2, 3):
        stage.send(number)
        stage.mask_of(number)
    stage.until(lambda: stage.node.statistics.processed == 3)
    figures = stage.node.statistics
    assert (figures.received, figures.idle, figures.dropped, figures.rejected) == (4, 2, 0, 0)
    assert figures.step_median >= 0
    assert "4 frames received, 3 processed, 0 dropped" in str(figures)


# --- more, fewer, others --------------------------------------------------------------------------


def test_objects_are_added_to_those_followed_when_asked_to_keep_them(stage: Stage):
    stage.send(0)
    assert list(stage.call(order((1,), names=["one"])).ids) == [1]
    answer = stage.call(order((3,), names=["three"], keep_existing=True))
    assert list(answer.ids) == [1, 3]
    stage.send(1)
    assert np.array_equal(stage.mask_of(1), truth((1, 3)))
    assert [o.name for o in stage.presences[-1].objects] == ["one", "three"]


def test_correcting_an_object_without_a_name_leaves_it_its_name(stage: Stage):
    stage.send(0)
    assert stage.call(order((1, 2), names=["one", "two"])).success
    assert stage.call(order((2,), keep_existing=True)).success
    stage.send(1)
    stage.mask_of(1)
    stage.until(lambda: stage.presences[-1].header == header(1))
    assert [o.name for o in stage.presences[-1].objects] == ["one", "two"]


def test_objects_followed_before_are_forgotten_unless_asked_to_keep_them(stage: Stage):
    stage.follow_all()
    assert list(stage.call(order((2,))).ids) == [2]
    stage.send(1)
    assert np.array_equal(stage.mask_of(1), truth((2,)))


def test_an_object_is_removed_and_the_others_go_on(stage: Stage):
    stage.follow_all()
    answer = stage.call(RemoveObject.Request(id=2))
    assert answer.success
    assert list(answer.ids) == [1, 3]
    assert answer.message == "Object 2 is forgotten; still following 1, 3."
    stage.send(1)
    assert np.array_equal(stage.mask_of(1), truth((1, 3)))
    stage.until(lambda: stage.presences[-1].header == header(1))
    assert [o.id for o in stage.presences[-1].objects] == [1, 3]
    answer = stage.call(RemoveObject.Request(id=2))
    assert not answer.success
    assert answer.message == "Object 2 is not followed; followed are (1, 3)."
    assert list(answer.ids) == [1, 3]


def test_reset_forgets_everything(stage: Stage):
    stage.follow_all()
    answer = stage.call(Trigger.Request())
    assert (answer.success, answer.message) == (True, "Forgotten: 1, 2, 3.")
    answer = stage.call(Trigger.Request())
    assert (answer.success, answer.message) == (True, "Nothing was being followed.")
    stage.send(1)
    stage.call(Trigger.Request())
    assert stage.segmenter.seen == [0]
