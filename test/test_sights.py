# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which image is shown, and with which mask."""

from __future__ import annotations

import numpy as np
import pytest
from stage import header, picture, truth

from vos_msgs.msg import ObjectPresence, ObjectPresenceArray
from vos_ros.ros.images import labels_to_message, rgb_to_message
from vos_ros.ros.sights import Sight, Sights


class Show:
    """Sights at a clock of the test's own: a tenth of a second from one image to the next."""

    def __init__(self) -> None:
        self.shown: list[Sight] = []
        self.sights = Sights(self.shown.append)

    def image(self, number: int, now: float | None = None) -> None:
        message = rgb_to_message(picture(number), header(number))
        self.sights.take_image(message, number / 10 if now is None else now)

    def mask(self, number: int, now: float, latency: float = 0.05) -> None:
        self.sights.take_mask(labels_to_message(truth(), header(number)), now, latency)

    def presence(self, *ids: int) -> None:
        objects = [ObjectPresence(id=object_id) for object_id in ids]
        self.sights.take_presence(ObjectPresenceArray(objects=objects))

    @property
    def story(self) -> list[tuple[int, bool]]:
        """The number of each image that was shown, and whether it had its mask."""
        numbers = [int(np.asarray(s.frame.message.data)[0]) for s in self.shown]
        return list(zip(numbers, [s.mask is not None for s in self.shown], strict=True))


@pytest.fixture
def show() -> Show:
    return Show()


def test_while_nothing_is_followed_each_image_is_shown(show: Show) -> None:
    for number in range(3):
        show.image(number)
    assert show.story == [(0, False), (1, False), (2, False)]
    assert [sight.serial for sight in show.shown] == [1, 2, 3]


def test_while_masks_come_each_image_waits_for_its_own(show: Show) -> None:
    show.presence(1)
    show.image(0)
    show.mask(0, 0.05)
    show.image(1)
    show.image(2)
    show.mask(1, 0.25)
    show.mask(2, 0.3)
    assert show.story == [(0, False), (0, True), (1, True), (2, True)]
    for sight in show.shown[1:]:
        assert sight.mask.header == sight.frame.header
    assert [item.id for item in show.shown[-1].presence.objects] == [1]


def test_when_masks_stop_images_are_shown_without(show: Show) -> None:
    show.presence(1)
    show.image(0)
    show.mask(0, 0.05)
    for number in range(1, 13):
        show.image(number)
    assert show.story[2:] == [(11, False), (12, False)]


def test_when_all_is_forgotten_images_are_shown_at_once(show: Show) -> None:
    show.presence(1)
    show.image(0)
    show.mask(0, 0.05)
    show.presence()
    show.image(1)
    assert show.story[-1] == (1, False)


def test_a_mask_whose_image_was_lost_on_its_way_shows_nothing(show: Show) -> None:
    show.presence(1)
    show.mask(7, 0.7)
    assert show.shown == []
    assert show.sights.latency(0.7) == 0.05


def test_a_recording_that_starts_over_goes_on(show: Show) -> None:
    show.presence(1)
    for now, number in enumerate((50, 51, 3, 4)):
        show.image(number, now / 10)
        show.mask(number, now / 10 + 0.05)
    assert show.story == [(50, False), (50, True), (51, True), (3, True), (4, True)]


def test_rates_and_latency_are_those_of_late(show: Show) -> None:
    sights = show.sights
    assert (sights.image_rate(0), sights.mask_rate(0), sights.latency(0), sights.image_age(0)) == (
        0.0, 0.0, None, None,
    )  # fmt: skip
    for number in range(101):  # ten a second for ten seconds; every other one has a mask
        show.image(number)
        if number % 2 == 0:
            show.mask(number, number / 10 + 0.03, latency=0.2 if number < 60 else 0.03)
    assert sights.image_rate(10.03) == pytest.approx(10)
    assert sights.mask_rate(10.03) == pytest.approx(5)
    assert sights.latency(10.03) == pytest.approx(0.03)
    assert sights.image_age(10.5) == pytest.approx(0.5)
    # A camera that has fallen silent has no rate, but its last image has an age.
    assert (sights.image_rate(20), sights.mask_rate(20), sights.latency(20)) == (0.0, 0.0, None)
    assert sights.image_age(20) == pytest.approx(10)
    sights.clear()
    assert sights.image_age(20) is None


@pytest.mark.parametrize("late", [-0.5, 1e9])
def test_a_camera_with_another_clock_has_no_latency(show: Show, late: float) -> None:
    show.image(0)
    show.mask(0, 0.1, late)
    assert show.sights.latency(0.1) is None
