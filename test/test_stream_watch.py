# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The watch over the camera's stream: what it says, and that it does not say it over and over."""

from __future__ import annotations

import math

import pytest

from vos_ros.ros.environment import PROFILE_VARIABLES
from vos_ros.ros.stream_watch import (
    FIRST_IMAGE_SECONDS,
    REPEAT_SECONDS,
    Severity,
    StreamWatch,
    is_losing,
)
from vos_ros.share import share_path

TIMEOUT = 2.0
SECOND = 10**9


class Stream:
    """A watch that begins at 0 s, and what it said."""

    def __init__(self) -> None:
        self.said: list[tuple[Severity, str]] = []
        self.publishers = 1
        self.watch = StreamWatch(
            "/eye", lambda *words: self.said.append(words), lambda: TIMEOUT, 0.0
        )

    def check(self, now: float, received: int = 0, lost: int = 0) -> None:
        self.watch.check(now, lambda: self.publishers, received, lost)

    def words(self) -> str:
        """What was said last; it must have been said once only."""
        texts = [text for _, text in self.said]
        assert len(set(texts)) == len(texts)
        return texts[-1]


@pytest.fixture
def stream() -> Stream:
    return Stream()


def test_a_steady_stream_is_nothing_to_speak_of(stream):
    for number in range(100):
        now = number / 30
        stream.watch.came(now)
        stream.watch.good(640, 480, "bgr8", now)
        assert stream.watch.stamped(SECOND + number * 33_000_000) is None
        stream.check(now, number, 0)
    assert stream.said == []
    view = stream.watch.view(now + 0.5, 1)
    assert (view.form, view.silent, view.waiting) == ((640, 480, "bgr8"), False, 0.0)
    assert view.age == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("publishers", "words"),
    [
        (0, "which has 0 publishers. Is `image` remapped to the camera?"),
        (1, "which has 1 publisher. If they do publish, images may be lost on their way here."),
    ],
)
def test_a_camera_that_never_begins_is_reported_once(stream, publishers, words):
    stream.publishers = publishers
    stream.check(FIRST_IMAGE_SECONDS - 0.1)
    assert stream.said == []
    for later in (0, 1, 1000):
        stream.check(FIRST_IMAGE_SECONDS + later)
    assert len(stream.said) == 1
    assert stream.words().startswith("No image has come on /eye so far, ")
    assert words in stream.words()
    view = stream.watch.view(7.0, 0)
    assert math.isnan(view.age) and view.waiting == 7.0 and not view.silent


def test_a_silent_camera_is_reported_once_and_so_is_its_return(stream):
    stream.watch.came(10.0)
    stream.check(10.0 + TIMEOUT)
    assert stream.said == []
    for later in (0.5, 1.5, 300.0):
        stream.check(10.0 + TIMEOUT + later)
    assert stream.said == [
        (
            Severity.WARNING,
            "No image has come on /eye for 2.5 s; it has 1 publisher. Going on when images come"
            " again.",
        )
    ]
    assert stream.watch.view(310.0, 1).silent
    stream.watch.came(400.0)
    stream.watch.came(400.1)
    assert stream.said[1:] == [(Severity.INFO, "Images come on /eye again, after 390.0 s without.")]
    stream.check(500.0)
    assert len(stream.said) == 3
    assert stream.watch.view(500.0, 1).oddities.silences == 2


def test_a_new_size_and_a_new_encoding_are_said_each_but_not_at_every_frame(stream):
    stream.watch.good(640, 480, "bgr8", 0.0)
    for number in range(100):
        stream.watch.good(320, 240, "mono8", 1 + number / 50)
        stream.watch.good(640, 480, "bgr8", 1 + number / 50)
    assert [text for _, text in stream.said] == [
        "The camera's images were 640 x 480 pixels and now are 320 x 240; going on with the new"
        " size.",
        "The camera's images were 'bgr8' and now are 'mono8'; going on with the new encoding.",
    ]
    assert stream.watch.view(3.0, 1).oddities.changes == 200
    stream.watch.good(640, 360, "bgr8", 1 + REPEAT_SECONDS)
    assert "now are 640 x 360" in stream.words()


@pytest.mark.parametrize(
    ("stamp", "count", "words"),
    [
        (0, "unstamped", "Images on /eye have no stamp (it is zero): a mask can only refer to"),
        (5 * SECOND, "repeated", "have the stamp of the one before, such as 5.000000000 s:"),
    ],
)
def test_stamps_that_say_nothing_are_reported_once(stream, stamp, count, words):
    assert stream.watch.stamped(5 * SECOND) is None
    for _ in range(50):
        assert stream.watch.stamped(stamp) is None
    assert len(stream.said) == 1
    assert words in stream.words()
    assert getattr(stream.watch.view(0.0, 1).oddities, count) == 50
    assert stream.watch.stamped(6 * SECOND) is None


def test_an_image_without_a_stamp_is_no_jump_in_time(stream):
    for stamp in (7, 0, 8, 0, 9):
        assert stream.watch.stamped(stamp * SECOND) is None
    assert stream.watch.view(0.0, 1).oddities.jumps == 0


def test_a_jump_back_tells_where_from(stream):
    stamps = (3, 4, 5, 3, 4, 5, 4)
    jumps = [stream.watch.stamped(stamp * SECOND) for stamp in stamps]
    assert jumps == [None, None, None, 5 * SECOND, None, None, 5 * SECOND]
    assert stream.watch.view(0.0, 1).oddities.jumps == 2
    stream.watch.say_jump(3 * SECOND, 5 * SECOND, "so it is.", 0.0)
    stream.watch.say_jump(4 * SECOND, 5 * SECOND, "so it is.", REPEAT_SECONDS / 2)
    assert [text for _, text in stream.said] == [
        "The camera's stamps went back in time by 2.000 s, to 3.000000000 s, as when a recording"
        " starts over or a simulation is reset; so it is."
    ]


def test_images_lost_on_the_way_are_reported_once_with_the_cure(stream):
    stream.watch.came(0.0)
    stream.check(0.5, received=30, lost=1)
    assert stream.said == []
    stream.check(1.0, received=40, lost=20)
    stream.check(1.5, received=50, lost=200)
    assert len(stream.said) == 1
    words = stream.words()
    assert words.startswith("20 of 60 images on /eye were lost on their way here. Fast DDS")
    assert all(name in words for name in PROFILE_VARIABLES)
    assert f"naming {share_path('config/fastdds.xml')};" in words
    assert "set this node's image_reliability to reliable." in words


@pytest.mark.parametrize(
    ("received", "lost", "losing"),
    [(0, 0, False), (0, 4, False), (0, 5, True), (95, 5, True), (96, 5, False), (1, 1000, True)],
)
def test_a_few_lost_images_are_not_worth_a_word(received, lost, losing):
    assert is_losing(received, lost) is losing
