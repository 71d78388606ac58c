# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node at work: what it answers, what it sends, and what it survives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from lifecycle_msgs.srv import GetState
from rclpy.context import Context
from rclpy.parameter import Parameter
from sensor_msgs.msg import CompressedImage, Image
from stage import (
    HEIGHT,
    WIDTH,
    Stage,
    header,
    order,
    picture,
    stamp,
    transition,
    truth,
)
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from vos_msgs.srv import InitMask, RemoveObject
from vos_ros.ros import publishers, qos
from vos_ros.ros.images import labels_to_message, rgb_to_message


@pytest.fixture
def make_stage(make_stage: Callable[..., Stage]) -> Callable[..., Stage]:
    """As the shared one, but each node is active at once."""
    return lambda **parameters: make_stage(**parameters).activate()


@pytest.fixture
def stage(make_stage) -> Stage:
    return make_stage()


def follow_all(stage: Stage, number: int = 0) -> None:
    stage.send(number)
    answer = stage.call(order())
    assert answer.success, answer.message
    assert list(answer.ids) == [1, 2, 3]
    stage.mask_of(number)


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
    follow_all(stage, 1)
    for number in (2, 3):
        stage.send(number)
        stage.mask_of(number)
    stage.until(lambda: stage.node.statistics.processed == 3)
    figures = stage.node.statistics
    assert (figures.received, figures.idle, figures.dropped, figures.rejected) == (4, 2, 0, 0)
    assert figures.step_median >= 0
    assert "4 frames received, 3 processed, 0 dropped" in str(figures)


# --- where to begin -------------------------------------------------------------------------------


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


def test_catching_up_takes_no_more_steps_than_allowed(make_stage):
    stage = make_stage(catch_up_limit=4)
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
    follow_all(stage)
    stage.segmenter.hold()
    answer = stage.ask(order(number=0, keep_existing=True))
    stage.until(stage.segmenter.entered)
    stage.send(1)
    stage.segmenter.let_go()
    stage.until(answer.done)
    stage.send(2)
    stage.mask_of(2)
    assert stage.segmenter.seen == [0, 0, 1, 2]


def test_a_stamp_that_is_gone_is_refused_with_the_range_that_is_held(make_stage):
    stage = make_stage(buffer_frames=3)
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


def test_a_raw_image_that_comes_with_the_mask_is_used_beside_a_compressed_camera(make_stage):
    stage = make_stage(image_transport="compressed")
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
    follow_all(stage)
    assert list(stage.call(order((2,))).ids) == [2]
    stage.send(1)
    assert np.array_equal(stage.mask_of(1), truth((2,)))


def test_an_object_is_removed_and_the_others_go_on(stage: Stage):
    follow_all(stage)
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
    follow_all(stage)
    answer = stage.call(Trigger.Request())
    assert (answer.success, answer.message) == (True, "Forgotten: 1, 2, 3.")
    answer = stage.call(Trigger.Request())
    assert (answer.success, answer.message) == (True, "Nothing was being followed.")
    stage.send(1)
    stage.call(Trigger.Request())
    assert stage.segmenter.seen == [0]


# --- refusals -------------------------------------------------------------------------------------


def changed_mask(**changes) -> InitMask.Request:
    request = order()
    for name, value in changes.items():
        setattr(request.mask, name, value)
    return request


def wide_mask(values: list[int]) -> InitMask.Request:
    """A mono16 mask with one pixel of each value in its first row."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint16)
    labels[0, : len(values)] = values
    mask = Image(height=HEIGHT, width=WIDTH, step=2 * WIDTH, encoding="mono16")
    mask.data.frombytes(labels.tobytes())
    return InitMask.Request(mask=mask)


REFUSALS = {
    "no object": (
        lambda: order(()),
        "The mask holds no object: every pixel is 0. Give the pixels of each object its id, 1 to"
        " 255.",
    ),
    "another size": (
        lambda: InitMask.Request(mask=labels_to_message(np.eye(30, dtype=np.uint8), Header())),
        "The mask is 30 x 30 pixels, but the image is 64 x 48.",
    ),
    "unknown encoding": (
        lambda: changed_mask(encoding="bgr8"),
        "The mask's encoding is 'bgr8'; a mask holds one object id per pixel and must be mono8,"
        " 8UC1, mono16 or 16UC1.",
    ),
    "short data": (
        lambda: changed_mask(data=b"\1" * 100),
        "The mask carries 100 bytes, but 48 rows of 64 bytes make 3072; the data must hold the"
        " whole mask.",
    ),
    "no size": (
        lambda: changed_mask(width=0),
        "The mask is 0 x 48 pixels (width x height); each must be 1 to 16384.",
    ),
    "too many objects": (
        lambda: wide_mask(list(range(1, 12))),
        "11 objects; at most 10.",
    ),
    "an id above 255": (
        lambda: wide_mask([1, 300]),
        "Ids must be from 1 to 255, and the request has 300.",
    ),
    "an id of 0": (
        lambda: order(ids=[0, 1]),
        "Ids must be from 1 to 255, and the request has 0.",
    ),
    "a multitude of ids": (
        lambda: order(ids=[7] * 100_000),
        "At most 255 ids may be given, and the request has 100000.",
    ),
    "a multitude of names": (
        lambda: order(names=["thing"] * 100_000),
        "At most 255 names may be given, and the request has 100000.",
    ),
    "repeated ids": (
        lambda: order(ids=[1, 2, 1, 2, 3]),
        "Each id may be given once, and the request repeats 1, 2.",
    ),
    "an id not in the mask": (
        lambda: order(ids=[1, 9]),
        "Each id asked for must occur in the mask, which has 1, 2, 3, and it lacks 9.",
    ),
    "too few names": (
        lambda: order(names=["one", "two"]),
        "Names must be empty or one for each object: 3 for the ids 1, 2, 3, and the request has 2.",
    ),
    "too many names": (
        lambda: order(ids=[2], names=["one", "two"]),
        "Names must be empty or one for each object: 1 for the ids 2, and the request has 2.",
    ),
    "an image of an unknown encoding": (
        lambda: order(image=Image(height=1, width=1, step=1, encoding="magic", data=b"0")),
        "The image's encoding is 'magic', which is not known here; it must be one of rgb8,",
    ),
    "an image without data": (
        lambda: order(image=Image(height=4, width=4, step=12, encoding="rgb8")),
        "The image carries 0 bytes, but 4 rows of 12 bytes make 48",
    ),
    "a stamp that never was": (
        lambda: order(number=99),
        "No frame with the stamp 109.900000000 s is held: it is later than every frame that came.",
    ),
}


@pytest.fixture(scope="module")
def following(context: Context) -> Iterator[Stage]:
    """A stage that follows three objects through all refusals."""
    stage = Stage(context, "/following").activate()
    follow_all(stage)
    yield stage
    stage.close()


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("what", REFUSALS)
def test_a_wrong_request_is_refused_and_what_is_followed_goes_on(
    following: Stage, what: str, keep: bool
):
    make, words = REFUSALS[what]
    request = make()
    request.keep_existing = keep
    answer = following.call(request)
    assert not answer.success
    assert answer.message.startswith(words)
    assert answer.message.endswith(".")
    assert list(answer.ids) == [1, 2, 3]
    assert answer.stamp == InitMask.Response().stamp
    number = following.sent
    following.send(number)
    assert np.array_equal(following.mask_of(number), truth())
    assert following.presence_topics() == {1, 2, 3}


def test_ids_beyond_255_do_no_harm_where_others_are_asked_for(stage: Stage):
    stage.send(0)
    request = wide_mask([7, 300])
    request.ids = [7]
    assert list(stage.call(request).ids) == [7]


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
    follow_all(stage)
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
    follow_all(stage)
    bigger = np.kron(picture(1), np.ones((2, 2, 1), np.uint8))
    stage.send_message(rgb_to_message(bigger, header(1)))
    assert np.array_equal(stage.mask_of(1), np.kron(truth(), np.ones((2, 2), np.uint8)))
    stage.send(2)
    assert np.array_equal(stage.mask_of(2), truth())


def test_compressed_images_are_followed_too(make_stage):
    stage = make_stage(image_transport="compressed")
    stage.send_compressed(0)
    assert stage.call(order()).success
    stage.send_message(CompressedImage(header=header(1), format="png", data=b"\x89PNG nonsense"))
    stage.send_message(CompressedImage(header=header(2), format="png"))
    stage.until(lambda: stage.node.statistics.rejected == 2)
    stage.send_compressed(3, (1,))
    assert np.array_equal(stage.mask_of(3), truth((1,)))


def test_a_step_that_fails_costs_one_mask_and_nothing_else(stage: Stage):
    follow_all(stage)
    stage.segmenter.error = RuntimeError("out of luck")
    stage.send(1)
    stage.until(lambda: stage.node.statistics.failed == 1)
    stage.segmenter.error = None
    stage.send(2)
    assert np.array_equal(stage.mask_of(2), truth())
    assert header(1) not in [mask.header for mask in stage.masks]


# --- keeping up -----------------------------------------------------------------------------------


def test_a_slow_model_drops_frames_and_takes_the_newest(stage: Stage):
    follow_all(stage)
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
    follow_all(stage)
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
    follow_all(stage)
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
    follow_all(stage)
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


# --- topics ---------------------------------------------------------------------------------------


def test_the_presence_topic_of_an_object_tells_late_listeners(stage: Stage):
    follow_all(stage)
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
    follow_all(stage)
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
    follow_all(stage)
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
    follow_all(stage)
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
    follow_all(stage)
    assert stage.node.statistics.failed == 1
    stage.send(1)
    assert np.array_equal(stage.mask_of(1), truth())
