# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that belong together find one another by their stamps."""

from __future__ import annotations

from itertools import permutations

import pytest

from vos_ros.pairing import Pairing


def pairing(slop: int = 0) -> tuple[Pairing, list[tuple[str, ...]]]:
    sets: list[tuple[str, ...]] = []
    return Pairing(("mask", "depth", "info"), lambda *found: sets.append(found), slop), sets


def take(to: Pairing, topic: str, stamp: int) -> None:
    to.take(topic, stamp, f"{topic} {stamp}")


@pytest.mark.parametrize("order", permutations(("mask", "depth", "info")))
def test_whatever_comes_last_completes_the_set(order: tuple[str, ...]) -> None:
    to, sets = pairing()
    for topic in order:
        assert sets == []
        take(to, topic, 7)
    assert sets == [("mask 7", "depth 7", "info 7")]


def test_a_set_is_handed_on_once_and_never_behind_a_later_one() -> None:
    to, sets = pairing()
    for stamp in (1, 2):
        take(to, "mask", stamp)
        take(to, "info", stamp)
    take(to, "depth", 2)
    take(to, "depth", 1)
    take(to, "depth", 2)
    assert [found[0] for found in sets] == ["mask 2"]
    assert to.delivered == 1


def test_masks_that_come_long_after_their_depth_are_met() -> None:
    to, sets = pairing()
    for stamp in range(30):
        take(to, "depth", stamp)
        take(to, "info", stamp)
    for stamp in range(20, 30):
        take(to, "mask", stamp)
    assert [found[0] for found in sets] == [f"mask {stamp}" for stamp in range(20, 30)]


def test_without_slop_a_neighbour_is_none() -> None:
    to, sets = pairing()
    take(to, "mask", 10)
    take(to, "info", 10)
    take(to, "depth", 11)
    assert sets == []


def test_with_slop_the_nearest_is_taken_once_it_is_known() -> None:
    to, sets = pairing(slop=5)
    take(to, "mask", 10)
    take(to, "info", 10)
    take(to, "depth", 6)
    assert sets == []  # a nearer one may come
    take(to, "depth", 12)
    assert sets == [("mask 10", "depth 12", "info 10")]
    take(to, "depth", 24)
    take(to, "info", 18)
    take(to, "mask", 18)  # 12 and 24 are both too far
    assert len(sets) == 1


def test_what_never_finds_its_partner_is_let_go() -> None:
    to, sets = pairing()
    for stamp in range(1000):
        take(to, "mask", stamp)
    take(to, "info", 0)
    take(to, "depth", 0)
    assert sets == []
    take(to, "info", 999)
    take(to, "depth", 999)
    assert len(sets) == 1


def test_what_came_before_a_partner_is_let_go_of_as_no_later_message_wants_it() -> None:
    to, sets = pairing()
    for stamp in range(20):
        take(to, "depth", stamp)
    for topic in ("mask", "info"):
        take(to, topic, 15)
    assert [found[1] for found in sets] == ["depth 15"]
    assert list(to._held["depth"]) == [15, 16, 17, 18, 19]


def test_it_goes_on_when_time_goes_back() -> None:
    to, sets = pairing(slop=2)
    for stamp in (1000, 1010, 0, 10, 20):
        for topic in ("depth", "info", "mask"):
            take(to, topic, stamp)
    assert [found[0] for found in sets] == [
        "mask 1000",
        "mask 1010",
        "mask 0",
        "mask 10",
        "mask 20",
    ]


def test_it_tells_what_came() -> None:
    to, _ = pairing()
    assert to.came("depth") is None
    take(to, "depth", 5)
    assert to.came("depth") == 5
