# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node refuses to follow, with which words; what it follows goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from rclpy.context import Context
from sensor_msgs.msg import Image
from stage import HEIGHT, WIDTH, Stage, order, truth
from std_msgs.msg import Header

from vos_msgs.srv import InitMask
from vos_ros.ros.images import labels_to_message


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    return make_stage().activate()


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
    stage.follow_all()
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
