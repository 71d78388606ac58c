# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node among frames that are not good, steps that take long, and many requests."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from lifecycle_msgs.srv import GetState
from sensor_msgs.msg import CompressedImage
from stage import Stage, header, order, picture, transition, truth
from std_srvs.srv import Trigger

from vos_msgs.srv import RemoveObject
from vos_ros.ros.images import rgb_to_message


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    return make_stage().activate()


# --- frames that are not good ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"data": b"\0" * 10},
        {"encoding": "morse"},
        {"width": 0, "height": 0, "step": 0, "data": b""},
        {"step": 3},
    ],
    ids=["short data", "unknown encoding", "no size", "short step"],
)
def test_a_bad_frame_is_skipped_and_counted(stage: Stage, changes: dict):
    stage.follow_all()
    message = rgb_to_message(picture(1), header(1))
    for name, value in changes.items():
        setattr(message, name, value)
    stage.send_message(message)
    stage.send(2)
    assert np.array_equal(stage.mask_of(2), truth())
    assert stage.segmenter.seen == [0, 2]
    assert stage.node.statistics.rejected == 1
    # It is no frame a mask could refer to either.
    assert not stage.call(order(number=1)).success


def test_a_new_size_is_adapted_to(stage: Stage):
    stage.follow_all()
    bigger = np.kron(picture(1), np.ones((2, 2, 1), np.uint8))
    stage.send_message(rgb_to_message(bigger, header(1)))
    assert np.array_equal(stage.mask_of(1), np.kron(truth(), np.ones((2, 2), np.uint8)))
    stage.send(2)
    assert np.array_equal(stage.mask_of(2), truth())


def test_compressed_images_are_followed_too(make_stage: Callable[..., Stage]):
    stage = make_stage(image_transport="compressed").activate()
    stage.send_compressed(0)
    assert stage.call(order()).success
    stage.send_message(CompressedImage(header=header(1), format="png", data=b"\x89PNG nonsense"))
    stage.send_message(CompressedImage(header=header(2), format="png"))
    stage.until(lambda: stage.node.statistics.rejected == 2)
    stage.send_compressed(3, (1,))
    assert np.array_equal(stage.mask_of(3), truth((1,)))


def test_a_step_that_fails_costs_one_mask_and_nothing_else(stage: Stage):
    stage.follow_all()
    stage.segmenter.error = RuntimeError("out of luck")
    stage.send(1)
    stage.until(lambda: stage.node.statistics.failed == 1)
    stage.segmenter.error = None
    stage.send(2)
    assert np.array_equal(stage.mask_of(2), truth())
    assert header(1) not in [mask.header for mask in stage.masks]


# --- keeping up -----------------------------------------------------------------------------------


def test_a_slow_model_drops_frames_and_takes_the_newest(stage: Stage):
    stage.follow_all()
    stage.segmenter.hold()
    stage.send(1)
    stage.until(stage.segmenter.entered)
    for number in range(2, 8):
        stage.send(number)
    stage.segmenter.let_go()
    stage.mask_of(7)
    assert stage.segmenter.seen == [0, 1, 7]
    assert stage.node.statistics.dropped == 5
    assert [mask.header for mask in stage.masks] == [header(0), header(1), header(7)]


def test_services_are_answered_during_a_long_step(stage: Stage):
    stage.follow_all()
    stage.segmenter.hold()
    stage.send(1)
    stage.until(stage.segmenter.entered)
    waiting = [stage.ask(order((1,))), stage.ask(Trigger.Request())]
    # These need no turn of the worker's, and the two above do not hold them up.
    assert stage.call(GetState.Request()).current_state.label == "active"
    assert "every pixel is 0" in stage.call(order(())).message
    assert "later than every frame" in stage.call(order(number=50)).message
    assert not any(future.done() for future in waiting)
    stage.segmenter.let_go()
    stage.until(lambda: all(future.done() for future in waiting))
    assert waiting[0].result().success
    assert waiting[1].result().message == "Forgotten: 1."


def test_a_burst_of_requests_is_answered_to_the_last(stage: Stage):
    stage.follow_all()
    stage.segmenter.hold()
    stage.send(1)
    stage.until(stage.segmenter.entered)
    futures = [stage.ask(RemoveObject.Request(id=200)) for _ in range(100)]
    stage.until(lambda: sum(future.done() for future in futures) >= 36)
    stage.segmenter.let_go()
    stage.until(lambda: all(future.done() for future in futures))
    answers = [future.result() for future in futures]
    assert not any(answer.success for answer in answers)
    busy = [answer for answer in answers if "64 requests are waiting already." in answer.message]
    assert len(busy) == 36
    assert all(list(answer.ids) == [1, 2, 3] for answer in answers)


def test_a_request_whose_turn_did_not_come_before_deactivation_is_answered(stage: Stage):
    stage.follow_all()
    stage.segmenter.hold()
    stage.send(1)
    stage.until(stage.segmenter.entered)
    waiting = stage.ask(Trigger.Request())
    # Requests are taken in the order they came, so an answer to this one means that one is queued.
    assert not stage.call(order(())).success
    deactivated = stage.ask(transition("deactivate"))
    # Deactivating waits for the step in hand on this very thread.
    release = threading.Timer(0.2, stage.segmenter.let_go)
    release.start()
    stage.until(deactivated.done)
    assert deactivated.result().success
    stage.until(waiting.done)
    assert not waiting.result().success
    assert waiting.result().message == "The node was deactivated before the request's turn came."
    release.join()
