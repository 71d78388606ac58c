# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is read off, and when: on a CPU, and on a CUDA device made of paper."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
import torch

from vos_ros.benchmark.calls import clock
from vos_ros.benchmark.calls.clock import EventClock, device_clock, host_clock


def test_the_host_is_timed_from_before_to_after(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [5_000_000]
    monkeypatch.setattr(clock, "time", SimpleNamespace(perf_counter_ns=lambda: now[0]))

    def call() -> None:
        now[0] += 2_500_000

    duration = host_clock(call)
    assert (duration.ms, duration.host_ms) == (2.5, None)


def test_each_kind_of_device_has_its_clock() -> None:
    assert device_clock(torch.device("cpu")) is host_clock
    assert isinstance(device_clock(torch.device("cuda:1")), EventClock)


class PaperCuda:
    """Notes what is asked of `torch.cuda`, in order."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        paper = self

        class Event:
            def __init__(self, enable_timing: bool) -> None:
                assert enable_timing

            def record(self, stream: str) -> None:
                paper.notes.append(f"record on {stream}")

            def synchronize(self) -> None:
                paper.notes.append("wait for event")

            def elapsed_time(self, end: Event) -> float:
                paper.notes.append("read" if end is not self else "read nothing")
                return 7.25

        monkeypatch.setattr(torch.cuda, "Event", Event)
        monkeypatch.setattr(torch.cuda, "current_stream", lambda device: f"stream of {device}")
        monkeypatch.setattr(
            torch.cuda, "synchronize", lambda device: paper.notes.append(f"wait for {device}")
        )


def test_a_device_is_idle_before_and_waited_for_after(monkeypatch: pytest.MonkeyPatch) -> None:
    paper = PaperCuda()
    paper.install(monkeypatch)
    duration = EventClock(torch.device("cuda:1"))(lambda: paper.notes.append("call"))
    assert duration.ms == 7.25 and duration.host_ms >= 0
    stream = "record on stream of cuda:1"
    assert paper.notes == ["wait for cuda:1", stream, "call", stream, "wait for event", "read"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_real_device_is_timed_within_what_the_host_sees() -> None:
    device = torch.device("cuda")
    left = torch.randn(4096, 4096, device=device)
    timed = EventClock(device)
    timed(lambda: left @ left)
    began = time.perf_counter()
    duration = timed(lambda: [left @ left for _ in range(20)])
    outside = (time.perf_counter() - began) * 1e3
    assert 0 < duration.host_ms <= outside
    assert 0 < duration.ms <= outside
