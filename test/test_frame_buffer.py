# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The buffer of recent frames, against a plain list that keeps the same promises slowly."""

from __future__ import annotations

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_messages import UNHURRIED
from sensor_msgs.msg import Image

from vos_ros.ros.frame_buffer import FrameBuffer, FrameGoneError, format_stamp, frame_bytes

SECOND = 10**9
PLENTY = 10**9


def _filled(*stamps: int, capacity: int = 100) -> FrameBuffer[str]:
    buffer: FrameBuffer[str] = FrameBuffer(capacity, PLENTY)
    for stamp in stamps:
        buffer.push(stamp, f"frame {stamp}")
    return buffer


def test_frames_are_found_by_their_stamps():
    buffer = _filled(10, 20, 35)
    assert buffer.newest() == "frame 35"
    assert buffer.at(20) == "frame 20"
    assert buffer.held == (10, 35, 3)
    assert (buffer.held.oldest, buffer.held.newest, buffer.held.count) == (10, 35, 3)


def test_since_is_strictly_later_and_oldest_first():
    buffer = _filled(10, 20, 35)
    assert buffer.since(10) == ["frame 20", "frame 35"]
    assert buffer.since(11) == ["frame 20", "frame 35"]
    assert buffer.since(9) == ["frame 10", "frame 20", "frame 35"]
    assert buffer.since(35) == []
    assert FrameBuffer(3, PLENTY).since(0) == []


def test_the_oldest_goes_when_there_are_too_many():
    buffer = _filled(1, 2, 3, 4, 5, capacity=3)
    assert buffer.held == (3, 5, 3)
    with pytest.raises(FrameGoneError):
        buffer.at(2)


def test_the_oldest_goes_when_there_are_too_many_bytes():
    buffer: FrameBuffer[np.ndarray] = FrameBuffer(100, 1000)
    for stamp in range(5):
        buffer.push(stamp, np.zeros(300, np.uint8))
    assert buffer.held == (2, 4, 3)
    buffer.push(5, np.zeros(900, np.uint8))
    assert buffer.held == (5, 5, 1)
    for stamp in (6, 7):
        buffer.push(stamp, np.zeros(50, np.uint8))
    assert buffer.held == (5, 7, 3)


def test_the_newest_is_held_even_if_it_is_too_large():
    buffer: FrameBuffer[np.ndarray] = FrameBuffer(100, 1000)
    buffer.push(1, np.zeros(10, np.uint8))
    buffer.push(2, np.zeros(5000, np.uint8))
    assert buffer.held == (2, 2, 1)
    buffer.push(3, np.zeros(10, np.uint8))
    assert buffer.held == (3, 3, 1)


def test_of_equal_stamps_the_latest_wins_and_is_counted_once():
    buffer: FrameBuffer[np.ndarray] = FrameBuffer(100, 1000)
    for value in range(9):
        assert buffer.push(7, np.full(400, value, np.uint8)) is False
    assert buffer.newest()[0] == buffer.at(7)[0] == 8
    buffer.push(8, np.zeros(400, np.uint8))
    assert buffer.held == (7, 8, 2)


def test_a_recording_that_starts_over_begins_anew():
    buffer = _filled(10, 20, 30)
    assert buffer.push(10, "again 10") is True
    assert buffer.held == (10, 10, 1)
    assert buffer.push(20, "again 20") is False
    assert buffer.since(0) == ["again 10", "again 20"]
    with pytest.raises(FrameGoneError):
        buffer.at(30)


def test_clear_lets_go_of_everything():
    frame = np.zeros(900, np.uint8)
    gone = weakref.ref(frame)
    buffer: FrameBuffer[np.ndarray] = FrameBuffer(100, 1000)
    buffer.push(5, frame)
    del frame
    buffer.clear()
    assert gone() is None
    assert buffer.held is None
    for stamp in (1, 2):
        assert buffer.push(stamp, np.zeros(500, np.uint8)) is False
    assert buffer.held == (1, 2, 2)


def test_a_stamp_that_is_gone_is_refused_with_the_range_that_is_held():
    buffer = _filled(5 * SECOND, 5 * SECOND + 33, 7 * SECOND)
    with pytest.raises(FrameGoneError) as caught:
        buffer.at(4 * SECOND)
    text = str(caught.value)
    assert "4.000000000 s" in text and "older" in text
    assert "3 frames" in text and "5.000000000 s to 7.000000000 s" in text
    assert "0 for the newest" in text


@pytest.mark.parametrize("stamp, words", [(8 * SECOND, "later"), (5 * SECOND + 1, "between")])
def test_a_stamp_that_never_was_is_told_from_one_that_is_gone(stamp, words):
    with pytest.raises(FrameGoneError, match=words):
        _filled(5 * SECOND, 7 * SECOND).at(stamp)


def test_before_any_frame_came_the_sentence_says_so():
    buffer: FrameBuffer[str] = FrameBuffer(3, PLENTY)
    assert buffer.held is None
    for ask in (buffer.newest, lambda: buffer.at(5)):
        with pytest.raises(FrameGoneError, match="No frame has come yet"):
            ask()


@pytest.mark.parametrize("bounds", [(0, 10), (10, 0), (-1, 10)])
def test_bounds_that_hold_nothing_are_refused(bounds):
    with pytest.raises(ValueError, match="at least 1"):
        FrameBuffer(*bounds)


@UNHURRIED
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 60))),
    st.integers(1, 6),
    st.integers(1, 150),
)
def test_it_keeps_what_a_list_would_keep(arrivals, capacity, max_bytes):
    buffer: FrameBuffer[np.ndarray] = FrameBuffer(capacity, max_bytes)
    kept: list[tuple[int, np.ndarray]] = []
    for stamp, size in arrivals:
        frame = np.zeros(size, np.uint8)
        went_back = bool(kept) and stamp < kept[-1][0]
        assert buffer.push(stamp, frame) is went_back
        kept = [] if went_back else [item for item in kept if item[0] != stamp]
        kept.append((stamp, frame))
        while len(kept) > 1 and (
            len(kept) > capacity or sum(item[1].nbytes for item in kept) > max_bytes
        ):
            kept.pop(0)
        assert buffer.held == (kept[0][0], kept[-1][0], len(kept))
        assert buffer.newest() is frame
        for place in range(-1, 32):
            later = [held for at, held in kept if at > place]
            found = buffer.since(place)
            assert len(found) == len(later)
            assert all(one is other for one, other in zip(found, later, strict=True))
        for at, held in kept:
            assert buffer.at(at) is held


def test_what_frames_weigh():
    image = Image()
    image.data.frombytes(bytes(77))
    assert frame_bytes(np.zeros((2, 3), np.uint16)) == 12
    assert frame_bytes(image) == 77
    assert frame_bytes(SimpleNamespace(message=image)) == 77
    assert frame_bytes("anything") == 0


@pytest.mark.parametrize(
    "stamp, text",
    [(0, "0.000000000 s"), (12 * SECOND + 345, "12.000000345 s"), (-SECOND // 2, "-0.500000000 s")],
)
def test_stamps_are_written_with_all_their_digits(stamp, text):
    assert format_stamp(stamp) == text


def test_readers_on_other_threads_never_see_it_torn():
    buffer: FrameBuffer[int] = FrameBuffer(20, PLENTY)
    buffer.push(0, 0)
    start = threading.Barrier(4)
    finished = threading.Event()

    def write() -> None:
        start.wait()
        for stamp in range(1, 5000):
            buffer.push(stamp % 1000, stamp % 1000)
        finished.set()

    def read() -> int:
        start.wait()
        reads = 0
        while not finished.is_set() or reads == 0:
            oldest, newest, count = buffer.held
            assert oldest <= newest and 1 <= count <= 20
            later = buffer.since(-1)
            assert later == list(range(later[0], later[0] + len(later)))
            assert len(later) <= 20
            reads += 1
        return reads

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        pool.submit(write).result()
        assert all(reader.result() > 0 for reader in readers)
