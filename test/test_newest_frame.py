# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A network slower than the camera: masks lag by one inference and one frame at most, for ever.

Time is the test's own: the camera's frames come, and inferences end, when it says so.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest
from fake_segmenter import LONG, ColourSegmenter
from stage import header, picture, truth

from vos_ros.ros.follower import Follower
from vos_ros.ros.frame_buffer import FrameBuffer
from vos_ros.ros.frames import CameraFrame
from vos_ros.ros.images import rgb_to_message
from vos_ros.ros.requests import InitOrder
from vos_ros.ros.statistics import Counter
from vos_ros.ros.worker import Worker

PERIOD = 1 / 30
INFERENCES = 400
SLOW = {
    "as fast as the camera": [1.0],
    "a little slower": [1.1],
    "three and a half frames": [3.5],
    "now this, now that": [0.4, 7.3, 1.0, 2.9, 12.6],
}
"""How long inferences take, one after the other and again, in the camera's periods."""


class SlowSegmenter(ColourSegmenter):
    """Is done with an image when it is told so."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.end = threading.Semaphore(0), threading.Semaphore(0)

    def step(self, image):
        self.begun.release()
        assert self.end.acquire(timeout=LONG)
        return super().step(image)


class Line:
    """A camera, the worker and the segmenter, on one clock that stands unless it is moved.

    Attributes:
        now: seconds.
        sent: how many frames the camera has sent.
        lags: of each mask, how long before it its frame had come, and the share of that in which
            the frame waited.
    """

    def __init__(self) -> None:
        self.now, self.sent = 0.0, 0
        self.lags: list[tuple[float, float]] = []
        self.segmenter = SlowSegmenter()
        self._published = threading.Semaphore(0)
        self._message = rgb_to_message(picture(0), header(0))
        self._follower = Follower(
            self.segmenter,
            FrameBuffer(5, 10**6),
            catch_up_limit=lambda: 0,
            counter=Counter(),
            publish=self._publish,
            correct=lambda *given: None,
            clock=lambda: self.now,
        )
        names = dict.fromkeys((1, 2, 3), "")
        order = InitOrder(truth(), names, 0, self._message, False)
        self._follower.follow(order, CameraFrame(self._message))
        self._errors: list[Exception] = []
        self.worker = Worker(self._follower.step, self._errors.append)
        self.worker.start()

    def _publish(self, frame, image, result, names, times) -> None:
        self.lags.append((self.now - frame.arrived, times.wait))
        self._published.release()

    def camera_until(self, end: float) -> None:
        """Send the frames that come up to a moment, which it is then."""
        while self.sent * PERIOD <= end:
            self.now = self.sent * PERIOD
            self.worker.offer(CameraFrame(self._message, self.sent, self.now))
            if not self.sent:
                self.wait_begun()
            self.sent += 1
        self.now = end

    def wait_begun(self) -> None:
        """Return when the next inference has begun."""
        assert self.segmenter.begun.acquire(timeout=LONG), self._errors

    def finish_inference(self) -> None:
        """End the one in hand, and return when its mask is published."""
        self.segmenter.end.release()
        assert self._published.acquire(timeout=LONG), self._errors


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.segmenter.end.release(10)
    assert made.worker.stop(LONG)
    assert not made._errors


@pytest.mark.parametrize("name", SLOW)
def test_a_mask_lags_by_one_inference_and_one_frame_at_most(line: Line, name: str) -> None:
    durations = [PERIOD * periods for periods in SLOW[name]]
    line.camera_until(0.0)
    for duration in itertools.islice(itertools.cycle(durations), INFERENCES):
        before = line.sent
        line.camera_until(line.now + duration)
        line.finish_inference()
        if line.sent == before:  # none came meanwhile: the next is begun when it comes
            line.camera_until(line.sent * PERIOD)
        line.wait_begun()
    expected = list(itertools.islice(itertools.cycle(durations), INFERENCES))
    assert len(line.lags) == INFERENCES
    for (lag, waited), duration in zip(line.lags, expected, strict=True):
        assert waited <= PERIOD * 1.001
        assert duration * 0.999 <= lag <= (duration + PERIOD) * 1.001
    assert line.sent == INFERENCES + 1 + line.worker.dropped
