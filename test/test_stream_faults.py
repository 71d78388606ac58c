# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What cameras, clocks and clients may do wrong, done to the node: it goes on, and says so."""

from __future__ import annotations

import gc
from collections.abc import Callable
from itertools import product

import cv2
import numpy as np
import pytest
from builtin_interfaces.msg import Time
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from stage import RESULTS, Stage, header, order, picture, stamp, truth
from std_msgs.msg import Header
from std_srvs.srv import Trigger
from test_node_log import heard, log_of

from vos_msgs.srv import RemoveObject
from vos_ros.ros import camera
from vos_ros.ros.images import rgb_to_message


@pytest.fixture
def make_stage(make_stage: Callable[..., Stage]) -> Callable[..., Stage]:
    """As the shared one, but each node is active at once."""
    return lambda **parameters: make_stage(**parameters).activate()


def follow_all(stage: Stage, number: int) -> None:
    stage.send(number)
    assert stage.call(order()).success
    stage.mask_of(number)


# --- time -----------------------------------------------------------------------------------------


def test_a_recording_that_starts_over_is_followed_on(make_stage):
    stage = make_stage()
    said = log_of(stage)
    follow_all(stage, 8)
    for number in (9, 2, 3):
        stage.send(number)
        assert np.array_equal(stage.mask_of(number), truth())
    assert heard(stage, said, "went back") == (
        "The camera's stamps went back in time by 0.700 s, to 100.200000000 s, as when a recording"
        " starts over or a simulation is reset; earlier frames are forgotten, the objects are"
        " followed on (on_time_jump: keep)."
    )
    # What was kept of the time before is no frame that a mask could refer to.
    assert "2 frames are held" in stage.call(order(number=8)).message


def test_a_recording_that_starts_over_resets_if_that_is_asked_for(make_stage):
    stage = make_stage(on_time_jump="reset")
    said = log_of(stage)
    follow_all(stage, 8)
    present = stage.latched(1)
    stage.until(lambda: present == [True])
    stage.send(2)
    stage.until(lambda: present == [True, False])
    stage.until(lambda: stage.presence_topics() == set())
    assert "and all objects are forgotten (on_time_jump: reset)." in heard(stage, said, "went back")
    assert stage.call(Trigger.Request()).message == "Nothing was being followed."
    assert stage.segmenter.seen == [8]
    follow_all(stage, 3)
    assert np.array_equal(stage.mask_of(3), truth())


def test_the_policy_may_change_while_the_node_works(make_stage):
    stage = make_stage()
    follow_all(stage, 8)
    (result,) = stage.node.set_parameters([Parameter("on_time_jump", value="reset")])
    assert result.successful
    stage.send(2)
    assert stage.call(Trigger.Request()).message == "Nothing was being followed."


def test_a_reset_that_finds_the_worker_busy_is_made_up_for(make_stage):
    stage = make_stage(on_time_jump="reset")
    follow_all(stage, 8)
    stage.segmenter.hold()
    stage.send(9)
    stage.until(stage.segmenter.entered)
    waiting = [stage.ask(RemoveObject.Request(id=200)) for _ in range(64)]
    stage.until(lambda: "64 requests" in stage.call(RemoveObject.Request(id=200)).message)
    stage.send(2)
    stage.segmenter.let_go()
    stage.until(lambda: all(future.done() for future in waiting))
    stage.send(3)
    assert stage.call(Trigger.Request()).message == "Nothing was being followed."
    # The frames since were of another time than the objects: none was looked at.
    assert stage.segmenter.seen == [8, 9]


def test_a_simulation_that_is_reset_is_followed_on(make_stage):
    stage = make_stage(use_sim_time=True)
    clock = stage.client.create_publisher(Clock, "/clock", 10)
    stage.until(clock.get_subscription_count)

    def turn_to(second: int) -> None:
        clock.publish(Clock(clock=Time(sec=second)))
        stage.until(lambda: stage.node.get_clock().now().nanoseconds == second * 10**9)

    turn_to(102)
    follow_all(stage, 19)
    turn_to(100)
    stage.send(0)
    assert np.array_equal(stage.mask_of(0), truth())
    stage.until(lambda: stage.node.statistics.processed == 2)
    # The first mask came 0.1 s after its stamp of 101.9 s, the second at once.
    assert stage.node.statistics.latency_p95 == pytest.approx(0.1)
    assert stage.node.statistics.latency_median == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("when", "words"),
    [(Time(), "have no stamp (it is zero)"), (Time(sec=7), "have the stamp of the one before")],
    ids=["zero", "equal"],
)
def test_stamps_that_say_nothing_are_followed_all_the_same(make_stage, when, words):
    stage = make_stage()
    said = log_of(stage)
    same = Header(stamp=when, frame_id="eye")
    stage.send_message(rgb_to_message(picture(1), same))
    assert stage.call(order()).success
    for number, objects in ((2, (1, 2)), (3, (1,)), (4, (2, 3))):
        stage.send_message(rgb_to_message(picture(number, objects), same))
        stage.until(lambda number=number: stage.node.statistics.processed == number)
    stage.until(lambda: len(stage.masks) == 4)
    assert {str(mask.header) for mask in stage.masks} == {str(same)}
    labels = np.frombuffer(stage.masks[-1].data, np.uint8).reshape(truth().shape)
    assert np.array_equal(labels, truth((2, 3)))
    assert stage.segmenter.seen == [1, 2, 3, 4]
    assert words in heard(stage, said, "Images on")
    assert len([line for line in said if words in line]) == 1
    assert np.isnan(stage.node.statistics.latency_median) == (when == Time())


# --- the images themselves ------------------------------------------------------------------------


def in_encoding(image: np.ndarray, encoding: str) -> Image:
    """An image in any of a few encodings, its rows padded by 8 bytes."""
    pixels = {
        "rgb8": lambda: image,
        "bgra8": lambda: cv2.cvtColor(image, cv2.COLOR_RGB2BGRA),
        "rgb16": lambda: image.astype(np.uint16) * 257,
    }[encoding]()
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(image.shape[0], -1)
    rows = np.pad(rows, ((0, 0), (0, 8)))
    message = Image(height=image.shape[0], width=image.shape[1], step=rows.shape[1])
    message.encoding = encoding
    message.data.frombytes(rows.tobytes())
    return message


def test_size_and_encoding_may_change_at_every_frame(make_stage):
    stage = make_stage()
    said = log_of(stage)
    follow_all(stage, 0)
    for number, (encoding, scale) in enumerate(product(("rgb8", "bgra8", "rgb16"), (1, 3)), 1):
        enlarge = np.ones((scale, scale, 1), np.uint8)
        message = in_encoding(np.kron(picture(number), enlarge), encoding)
        message.header = header(number)
        stage.send_message(message)
        assert np.array_equal(stage.mask_of(number), np.kron(truth(), enlarge[..., 0]))
    assert "were 'bgr8' and now are 'rgb8'; going on" in heard(stage, said, "'rgb8'")
    assert "now are 192 x 144; going on" in heard(stage, said, "192 x 144")


@pytest.mark.parametrize("step", [0, 3, 191, 10**9])
@pytest.mark.parametrize("cut", [0, 1, 5000])
def test_a_stream_with_broken_frames_in_it_is_followed_by_the_others(make_stage, step, cut):
    stage = make_stage()
    follow_all(stage, 0)
    broken = rgb_to_message(picture(1), header(1))
    broken.step = step
    broken.data = broken.data[: len(broken.data) - cut]
    for number in (2, 4):
        stage.send_message(broken)
        stage.send(number)
        assert np.array_equal(stage.mask_of(number), truth())
    assert stage.node.statistics.rejected == 2
    assert stage.segmenter.seen == [0, 2, 4]


# --- too few, too many ----------------------------------------------------------------------------


def test_a_camera_that_falls_silent_is_reported_and_so_is_its_return(make_stage, monkeypatch):
    monkeypatch.setattr(camera, "WATCH_SECONDS", 0.02)
    stage = make_stage(camera_timeout=0.1)
    said = log_of(stage)
    follow_all(stage, 0)
    line = heard(stage, said, "No image has come on")
    assert line.endswith("; it has 1 publisher. Going on when images come again.")
    stage.send(1)
    assert np.array_equal(stage.mask_of(1), truth())
    assert "again, after 0." in heard(stage, said, "Images come on")


def test_a_camera_of_120_hz_before_a_model_of_10_hz_never_queues(make_stage):
    stage = make_stage(buffer_frames=24)
    follow_all(stage, 0)
    for first in range(1, 61, 12):
        stage.segmenter.hold()
        # Twelve frames in the time of one step.
        for number in range(first, first + 12):
            stage.send(number)
            if number == first:
                stage.until(stage.segmenter.entered)
        stage.segmenter.let_go()
        stage.mask_of(first + 11)
    figures = stage.node.statistics
    assert stage.segmenter.seen == [0, 1, 12, 13, 24, 25, 36, 37, 48, 49, 60]
    assert (figures.processed, figures.dropped) == (11, 50)
    assert figures.received == figures.processed + figures.dropped + figures.idle - 1
    assert "24 frames are held" in stage.call(order(number=1)).message


def test_a_thousand_requests_at_once_are_all_answered(make_stage):
    stage = make_stage()
    follow_all(stage, 0)
    kinds = (
        lambda: RemoveObject.Request(id=200),
        lambda: order(()),
        lambda: order((1, 2, 3), number=0, keep_existing=True),
    )
    futures = [stage.ask(kinds[number % 3]()) for number in range(1000)]
    stage.until(lambda: all(future.done() for future in futures))
    answers = [future.result() for future in futures]
    assert all(answer.message for answer in answers)
    assert not any(answer.success for answer in (*answers[0::3], *answers[1::3]))
    assert all(list(answer.ids) == [1, 2, 3] for answer in answers)
    stage.send(1)
    assert np.array_equal(stage.mask_of(1), truth())


def test_a_mask_that_comes_while_a_step_runs_waits_for_its_end(make_stage):
    stage = make_stage()
    stage.send(0)
    assert stage.call(order((1,))).success
    stage.mask_of(0)
    stage.segmenter.hold()
    stage.send(1)
    stage.until(stage.segmenter.entered)
    answer = stage.ask(order((2, 3), number=1, keep_existing=True))
    # A later request that needs no turn is answered: the earlier one is in the queue by then.
    assert not stage.call(order(())).success
    assert not answer.done()
    stage.segmenter.let_go()
    stage.until(answer.done)
    assert list(answer.result().ids) == [1, 2, 3]
    stage.send(2)
    assert np.array_equal(stage.mask_of(2), truth())


def test_without_a_subscriber_nothing_piles_up(make_stage):
    stage = make_stage(buffer_frames=5)
    follow_all(stage, 0)
    for subscription in list(stage.client.subscriptions):
        if subscription.topic_name.endswith(tuple(f"vos/{name}" for name in RESULTS)):
            stage.client.destroy_subscription(subscription)
    stage.until(lambda: not any(stage.node.count_subscribers(f"vos/{name}") for name in RESULTS))
    stage.masks.clear()

    def images_alive() -> int:
        gc.collect()
        images = [each for each in gc.get_objects() if type(each) is Image]
        return sum(image.header.frame_id == "counted" for image in images)

    counts = []
    for number in range(1, 41):
        head = Header(stamp=stamp(number), frame_id="counted")
        stage.send_message(rgb_to_message(picture(number), head))
        stage.until(lambda number=number: stage.node.statistics.processed == number + 1)
        if number % 20 == 0:
            counts.append(images_alive())
    # Five in the buffer, and what the last step and this test have in hand.
    assert counts[0] == counts[1] <= 10
    assert stage.segmenter.seen == list(range(41))
