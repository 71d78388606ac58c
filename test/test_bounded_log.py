# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong again and again is said so often and no more, and counted."""

from __future__ import annotations

import threading

import pytest

from vos_ros.ros import bounded_log
from vos_ros.ros.bounded_log import BoundedLog


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, in its one entry."""
    moment = [100.0]
    monkeypatch.setattr(bounded_log.time, "monotonic", lambda: moment[0])
    return moment


def test_a_burst_is_cut_short_and_its_length_told_once(now):
    said: list[str] = []
    log = BoundedLog(most=3, seconds=10)
    for number in range(8):
        now[0] += 0.5
        log.say("things failed", f"Thing {number}.\nMore of it.", said.append)
    assert said == [f"Thing {number}.\nMore of it." for number in range(3)]
    now[0] = 100.5 + 9.9
    log.tick()
    assert len(said) == 3
    now[0] = 100.5 + 10
    log.tick()
    assert said[3:] == ["5 more things failed in 10 s. The last of them: Thing 7."]
    now[0] += 100
    log.tick()
    assert len(said) == 4
    assert log.total("things failed") == 8


def test_after_a_burst_all_is_said_again(now):
    said: list[str] = []
    log = BoundedLog(most=1, seconds=10)
    log.say("cups broke", "One.", said.append)
    log.say("cups broke", "Two.", said.append)
    now[0] += 11
    log.say("cups broke", "Three.", said.append)  # tells of the burst first, by itself
    log.say("cups broke", "Four.", said.append)
    assert said == ["One.", "1 more cups broke in 10 s. The last of them: Two.", "Three."]
    now[0] += 11
    log.tick()
    assert said[3:] == ["1 more cups broke in 10 s. The last of them: Four."]


def test_what_comes_seldom_is_always_said(now):
    said: list[str] = []
    log = BoundedLog(most=1, seconds=10)
    for number in range(5):
        log.say("cups broke", str(number), said.append)
        now[0] += 10
        log.tick()
    assert said == ["0", "1", "2", "3", "4"]


def test_kinds_do_not_silence_one_another(now):
    said: list[str] = []
    log = BoundedLog(most=1, seconds=10)
    for kind in ("a", "b", "a", "b"):
        log.say(kind, kind, said.append)
    assert said == ["a", "b"]
    assert (log.total("a"), log.total("b"), log.total("c")) == (2, 2, 0)


def test_from_many_threads_none_is_lost():
    said: list[str] = []
    log = BoundedLog(most=5, seconds=1e9)

    def much() -> None:
        for _ in range(500):
            log.say("things", "x", said.append)

    threads = [threading.Thread(target=much) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(said), log.total("things")) == (5, 2000)
