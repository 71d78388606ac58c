# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The internal size by a deadline: met soon, left seldom, by a clock and a network of the test."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from fake_segmenter import ColourSegmenter
from stage import header, order, picture, truth

from vos_ros.ros import size_choice
from vos_ros.ros.follower import Follower
from vos_ros.ros.frame_buffer import FrameBuffer
from vos_ros.ros.frames import CameraFrame
from vos_ros.ros.images import rgb_to_message
from vos_ros.ros.requests import InitOrder
from vos_ros.ros.size_choice import HURRY, PATIENCE, SETTLE_SECONDS, SizeChooser, ladder
from vos_ros.ros.statistics import Counter, FrameTimes

SIZES = (128, 160, 192, 224, 256, 288)
PERIOD = 1 / 30


class Clock:
    """Stands still unless it is moved on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Rig:
    """Images at 30 Hz, of a network whose time is a fixed part and one that goes with the square.

    Attributes:
        deadline: seconds, 0 for none.
        slowness: what every time is multiplied by, as by other work on the machine.
        noise: shares of a time that are added in turn.
        sizes: that every image so far had.
    """

    def __init__(self, deadline: float, fixed: float = 0.004, largest: float = 0.036) -> None:
        self.deadline, self.slowness, self.noise = deadline, 1.0, (0.0,)
        self.objects = 1
        self._fixed, self._square = fixed, largest / 288**2
        self.clock = Clock()
        self.chooser = SizeChooser(128, 288, lambda: self.deadline, self.clock)
        self.sizes: list[int] = []

    def time_at(self, size: int) -> float:
        """What an image takes at a size, without noise."""
        return self.slowness * self.objects * (self._fixed + self._square * size**2)

    def run(self, images: int) -> list[int]:
        """Go through so many images; the sizes that they had."""
        sizes = []
        for _ in range(images):
            sizes.append(self.chooser.size)
            extra = self.noise[len(self.sizes) % len(self.noise)]
            took = self.time_at(self.chooser.size) * (1 + extra)
            self.sizes.append(sizes[-1])
            self.clock.now += max(PERIOD, took)
            self.chooser.took(took, self.objects)
        return sizes


@pytest.mark.parametrize(
    ("smallest", "largest", "sizes"),
    [
        (128, 288, SIZES),
        (100, 288, (100, 128, 160, 192, 224, 256, 288)),
        (128, 300, (*SIZES[:-1], 300)),
        (288, 288, (288,)),
        (64, 96, (64, 96)),
        (64, 128, (64, 96, 128)),
        (70, 75, (70, 75)),
    ],
)
def test_the_ladder_has_its_bounds_and_multiples_of_32_between(smallest, largest, sizes):
    assert ladder(smallest, largest) == sizes


def test_a_long_ladder_has_few_rungs_each_of_about_three_quarters_of_the_work():
    sizes = ladder(128, 1440)
    assert (sizes[0], sizes[-1]) == (128, 1440)
    assert len(sizes) < 20
    shares = [(small / large) ** 2 for small, large in zip(sizes, sizes[1:], strict=False)]
    assert all(0.55 <= share <= 0.85 for share in shares)


def test_bounds_that_cross_are_refused():
    with pytest.raises(ValueError, match="must not be above"):
        ladder(300, 288)


@pytest.mark.parametrize("deadline", [0.012, 0.016, 0.02, 0.026, 0.033, 0.039])
def test_it_comes_to_the_largest_size_that_meets_the_deadline_or_the_one_below(deadline):
    rig = Rig(deadline)
    fitting = [size for size in SIZES if rig.time_at(size) <= deadline]
    rig.run(3000)
    assert set(rig.sizes[1000:]) <= set(fitting[-2:])
    assert rig.time_at(rig.chooser.size) <= deadline
    assert not rig.chooser.view().hopeless


def test_a_missed_deadline_is_met_within_few_images():
    rig = Rig(0.02)
    warm = int(SETTLE_SECONDS * 1.2 / PERIOD)
    rig.run(2 * (warm + HURRY))
    assert rig.time_at(rig.chooser.size) <= 0.02


def test_without_a_deadline_it_is_the_largest_and_stays():
    rig = Rig(0.0)
    rig.slowness = 50
    assert set(rig.run(500)) == {288}
    assert rig.chooser.view().changes == 0


def test_with_the_deadline_goes_what_it_brought_about():
    rig = Rig(0.015)
    rig.run(600)
    assert rig.chooser.size < 288
    rig.deadline = 0.0
    rig.run(1)
    assert rig.chooser.size == 288


@pytest.mark.parametrize("slowness", [0.97, 1.0, 1.03])
def test_a_deadline_close_to_what_a_size_needs_does_not_make_it_swing(slowness):
    """Two hundred seconds, with times that scatter by a fifth."""
    rig = Rig(Rig(0.0).time_at(256))
    rig.slowness, rig.noise = slowness, (0.0, 0.1, -0.1, 0.2, -0.05, -0.15)
    rig.run(6000)
    assert rig.chooser.view().changes <= 8
    assert len(set(rig.sizes[3000:])) <= 2


def test_single_slow_images_change_nothing():
    rig = Rig(0.05)
    rig.noise = (0.0, 0.0, 5.0, 0.0)
    assert set(rig.run(2000)) == {288}


def test_it_goes_up_again_when_the_machine_is_free_again():
    rig = Rig(0.045)
    rig.slowness = 2.0
    rig.run(1000)
    assert rig.chooser.size <= 192
    rig.slowness = 1.0
    rig.run(20 * PATIENCE)
    assert rig.chooser.size >= 256


def test_a_size_that_had_to_be_left_is_tried_ever_more_seldom():
    """A network whose time does not go with the square deceives it: 256 looks as if it would do."""
    rig = Rig(0.0201)
    square = rig.time_at
    rig.time_at = lambda size: 0.03 if size > 224 else 0.01 + square(size) / 100
    rig.run(30_000)
    tries = [k for k in range(1, len(rig.sizes)) if rig.sizes[k - 1] <= 224 < rig.sizes[k]]
    gaps = np.diff(tries)
    assert len(tries) >= 4
    assert all(later >= 1.3 * earlier for earlier, later in zip(gaps, gaps[1:4], strict=False))
    assert np.mean(np.array(rig.sizes) > 224) < 0.1


def test_more_objects_are_judged_anew_and_after_a_moment():
    rig = Rig(0.045)
    rig.run(300)
    assert rig.chooser.size == 288
    rig.objects = 3
    settling = int(SETTLE_SECONDS / rig.time_at(288)) - 1
    assert set(rig.run(settling)) == {288}
    rig.run(300)
    assert rig.time_at(rig.chooser.size) <= 0.045


def test_a_deadline_that_cannot_be_met_is_said_so_at_the_smallest_size():
    rig = Rig(0.005)
    rig.run(1000)
    view = rig.chooser.view()
    assert (view.size, view.hopeless) == (128, True)
    assert view.median == pytest.approx(rig.time_at(128))
    assert (view.smallest, view.largest, view.deadline) == (128, 288, 0.005)


class SlowSegmenter(ColourSegmenter):
    """Takes the time of its size on a clock of the test."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.size, self.sizes, self._clock = 288, [], clock

    def step(self, image):
        self.sizes.append(self.size)
        self._clock.now += 0.04 * (self.size / 288) ** 2
        return super().step(image)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_segmenter_of_a_follower_gets_the_size_and_loses_no_object(clock: Clock) -> None:
    segmenter = SlowSegmenter(clock)
    chooser = SizeChooser(128, 288, lambda: 0.03, clock)
    sent: list[FrameTimes] = []

    def publish(frame, image, result, names, times) -> None:
        sent.append(times)
        assert np.array_equal(result.labels, truth())

    follower = Follower(
        segmenter,
        FrameBuffer(10, 10**6),
        catch_up_limit=lambda: 0,
        counter=Counter(),
        publish=publish,
        correct=lambda *given: None,
        adapt=lambda took, objects: chooser.size if chooser.took(took, objects) else None,
        clock=clock,
    )
    message = rgb_to_message(picture(0), header(0))
    follower.follow(
        InitOrder(truth(), dict.fromkeys((1, 2, 3), ""), 0, message, False), CameraFrame(message)
    )
    for number in range(600):
        clock.now += PERIOD / 2
        follower.step(CameraFrame(message, number + 1, clock.now))
    assert follower.ids == (1, 2, 3)
    assert segmenter.sizes[0] == 288
    assert segmenter.sizes[-1] == chooser.size == 224
    assert sent[-1].step == pytest.approx(0.04 * (224 / 288) ** 2)
    assert len(sent) == 600


@pytest.fixture
def no_settling(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(size_choice, "SETTLE_SECONDS", 0.0)
    yield


def test_the_node_chooses_by_the_parameter(make_stage, no_settling) -> None:
    """A deadline that no image can meet, and then none."""
    stage = make_stage(deadline_ms=0.001, internal_size=160, smallest_internal_size=96).activate()
    stage.send(0)
    assert stage.call(order()).success
    for number in range(1, HURRY + 2):
        stage.send(number)
        assert np.array_equal(stage.mask_of(number), truth())
    assert stage.segmenter.size == 96
    view = stage.node._pipeline.size
    assert (view.size, view.largest, view.changes, view.hopeless) == (96, 160, 1, False)
