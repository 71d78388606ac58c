# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Any `init_mask` request is met or refused in words, as a reading of its definition foretells."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_messages import UNHURRIED, hostile_messages, make_message
from sensor_msgs.msg import Image
from stage import HEIGHT, WIDTH, Stage, picture
from std_msgs.msg import Header
from tiny import ColourNetwork

from vos_msgs.srv import InitMask, RemoveObject
from vos_ros.ros.images import MASK_ENCODINGS, rgb_to_message
from vos_ros.ros.requests import InitOrder, RequestError, read_init_request
from vos_ros.segmenter import SegmentationError, VideoSegmenter

pytestmark = pytest.mark.fuzz

few = st.integers(0, 5)
values = st.one_of(few, few, st.integers(0, 255), st.integers(0, 65535))
names = st.text(max_size=8)


@st.composite
def masks(draw: st.DrawFn) -> tuple[Image, list[list[int]]]:
    """A well-formed mask of any size, dtype, byte order and padding, and its values."""
    encoding = draw(st.sampled_from(MASK_ENCODINGS))
    most = 65535 if "16" in encoding else 255
    width, height = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    value = values.map(lambda number: min(number, most))
    row = st.lists(value, min_size=width, max_size=width)
    rows = draw(st.lists(row, min_size=height, max_size=height))
    message = make_message(
        encoding, rows, width=width, padding=draw(st.integers(0, 3)), big=draw(st.booleans())
    )
    return message, rows


@st.composite
def requests(draw: st.DrawFn) -> tuple[InitMask.Request, list[list[int]]]:
    """A request with a well-formed mask, ids and names that may fit it, and the mask's values."""
    mask, rows = draw(masks())
    present = sorted({value for row in rows for value in row} - {0})
    wanted = draw(
        st.one_of(
            st.just([]),
            st.lists(st.sampled_from(present), unique=True) if present else st.just([]),
            st.lists(values, max_size=5),
            st.just([1] * 256),
        )
    )
    count = len(wanted or present)
    given_names = draw(
        st.one_of(
            st.just([]),
            st.lists(names, min_size=count, max_size=count),
            st.lists(names, max_size=4),
            st.just(["x"] * 256),
        )
    )
    return InitMask.Request(
        mask=mask, ids=wanted, names=given_names, keep_existing=draw(st.booleans())
    ), rows


def foretold(request: InitMask.Request, rows: list[list[int]]) -> dict[int, str] | None:
    """The objects to follow and their names by InitMask.srv; None for a refusal."""
    ids, called = list(request.ids), list(request.names)
    present = {value for row in rows for value in row if value}
    chosen = ids or sorted(present)
    good = (
        present
        and len(set(chosen)) == len(chosen) <= 255
        and all(1 <= label <= 255 and label in present for label in chosen)
        and (not called or len(called) == len(chosen))
    )
    if not good:
        return None
    return dict(zip(chosen, called or [""] * len(chosen), strict=True))


@settings(UNHURRIED, max_examples=300)
@given(requests())
def test_a_request_is_read_as_its_definition_says(case):
    request, rows = case
    expected = foretold(request, rows)
    if expected is None:
        assert_sentence(request)
        return
    order = read_init_request(request)
    assert order.names == expected and list(order.names) == sorted(expected)
    assert order.keep_existing == request.keep_existing
    kept = [[value if value in expected else 0 for value in row] for row in rows]
    assert order.labels.tolist() == kept and order.labels.dtype == np.uint8
    assert order.image is None and order.stamp_ns == 0


@settings(UNHURRIED, max_examples=300)
@given(hostile_messages(MASK_ENCODINGS), st.lists(values, max_size=3), st.lists(names, max_size=3))
def test_no_request_does_worse_than_being_refused(mask, ids, called):
    request = InitMask.Request(mask=mask, ids=ids, names=called)
    try:
        order = read_init_request(request)
    except RequestError:
        assert_sentence(request)
    else:
        assert order.labels.shape == (mask.height, mask.width)


def assert_sentence(request: InitMask.Request) -> None:
    """It is refused, in a sentence of no great length."""
    with pytest.raises(RequestError) as caught:
        read_init_request(request)
    text = str(caught.value)
    assert re.fullmatch(r"[A-Z].*\.", text, re.DOTALL) and len(text) < 600


# --- what is ordered is followed


@settings(UNHURRIED, max_examples=150)
@given(requests(), st.sampled_from([(48, 64), (40, 40), (32, 96)]))
def test_an_order_of_any_mask_is_followed_or_refused_and_then_changes_nothing(case, size):
    request, rows = case
    try:
        order = read_init_request(request)
    except RequestError:
        return
    segmenter = VideoSegmenter(ColourNetwork(), size=32)
    image = np.full((*size, 3), 90, np.uint8)
    try:
        seen = segmenter.start(image, order.labels)
    except SegmentationError as error:
        assert segmenter.ids == ()
        assert str(error)
        return
    assert set(segmenter.ids) == set(order.names)
    assert seen.labels.shape == size and seen.labels.dtype == np.uint8
    assert set(np.unique(seen.labels)) - {0} <= set(order.names)
    assert [item.id for item in seen.objects] == sorted(order.names)


# --- the same, asked of a node


@pytest.fixture
def stage(make_stage) -> Stage:
    stage = make_stage()
    assert stage.change("configure") and stage.change("activate")
    stage.until(stage.camera.get_subscription_count)
    stage.send(0)
    return stage


calls = st.one_of(
    requests().map(lambda case: case[0]),
    hostile_messages(MASK_ENCODINGS).map(lambda mask: InitMask.Request(mask=mask)),
    st.builds(
        lambda place, keep: InitMask.Request(mask=fitting(place), keep_existing=keep),
        st.integers(1, 255),
        st.booleans(),
    ),
    st.integers(0, 65535).map(lambda number: RemoveObject.Request(id=number)),
)


def fitting(object_id: int) -> Image:
    """A mask of one object, of the size of the camera's images."""
    rows = [
        [object_id if 10 < y < 20 and 8 < x < 30 else 0 for x in range(WIDTH)]
        for y in range(HEIGHT)
    ]
    return make_message("mono8", rows, width=WIDTH)


@settings(
    UNHURRIED,
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(calls, max_size=8))
def test_a_node_answers_any_requests_and_knows_what_it_follows(stage, asked):
    image = rgb_to_message(picture(0), Header())
    followed = set(stage.segmenter.ids)
    for request in asked:
        if isinstance(request, InitMask.Request):
            request.image = image
        answer = stage.call(request)
        assert re.fullmatch(r"[A-Z].*\.", answer.message, re.DOTALL)
        if not answer.success:
            assert set(answer.ids) == followed
        elif isinstance(request, RemoveObject.Request):
            assert set(answer.ids) == followed - {request.id}
        else:
            order: InitOrder = read_init_request(request)
            kept = followed if request.keep_existing else set()
            assert set(answer.ids) == kept | set(order.names)
        followed = set(answer.ids)
        assert set(stage.segmenter.ids) == followed
        assert list(answer.ids) == sorted(followed)
