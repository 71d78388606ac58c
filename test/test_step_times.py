# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long the parts of a step take: on the host's clock, and on that of a device behind it."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from scenes import FIRST, moving
from torch.profiler import ProfilerActivity, profile

from vos_ros import readout, step_times
from vos_ros.masks import SegmentationError
from vos_ros.segmenter import VideoSegmenter
from vos_ros.step_times import PARTS, StepClock


class Clock:
    """A host's clock that goes on when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(step_times.time, "perf_counter", lambda: self.now)


class Device:
    """A device with a queue of its own: its work is done when somebody waits for it."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.now = clock, clock.now
        self.queue: list[tuple[float, float | DeviceEvent]] = []
        self.events: list[DeviceEvent] = []

    def work(self, seconds: float) -> None:
        """Give it work, which the host does not wait for."""
        self.queue.append((self.clock.now, seconds))

    def wait(self) -> None:
        """Let the host wait until all is done."""
        for given, entry in self.queue:
            self.now = max(self.now, given)  # it was idle until then
            if isinstance(entry, DeviceEvent):
                entry.at = self.now
            else:
                self.now += entry
        self.queue.clear()
        self.clock.now = self.now = max(self.now, self.clock.now)

    def event(self) -> DeviceEvent:
        self.events.append(DeviceEvent(self))
        return self.events[-1]


class DeviceEvent:
    """As `torch.cuda.Event`: it has no time before the device has come to it."""

    def __init__(self, device: Device) -> None:
        self._device, self.at = device, None

    def record(self, stream: object) -> None:
        self.at = None
        self._device.queue.append((self._device.clock.now, self))

    def elapsed_time(self, end: DeviceEvent) -> float:
        assert self.at is not None and end.at is not None, "it would have to be waited for"
        return 1e3 * (end.at - self.at)


def test_on_the_host_each_part_ends_where_the_next_begins(monkeypatch):
    host = Clock(monkeypatch)
    clock = StepClock(torch.device("cpu"))
    assert clock.last is None
    with clock.timing():
        host.now += 1
        clock.next()
        host.now += 20
        clock.next()
        host.now += 3
    assert clock.last == step_times.StepTimes(100.0, 101.0, 121.0, 124.0)
    assert (clock.last.upload, clock.last.network, clock.last.download) == (1.0, 20.0, 3.0)


def test_a_device_behind_the_host_notes_its_own_times_and_is_not_waited_for(monkeypatch):
    host = Clock(monkeypatch)
    device = Device(host)
    clock = StepClock(torch.device("cpu"), device.event)
    for _ in range(2):
        began = host.now
        with clock.timing():
            device.work(0.5)
            clock.next()
            host.now += 0.25  # launching, while the device works
            device.work(4.0)
            clock.next()
            device.work(0.125)
            device.wait()  # the download
            host.now += 1.0  # what the host makes of it
        assert clock.last.began == began
        assert (clock.last.upload, clock.last.network, clock.last.download) == (0.5, 4.0, 1.125)
        assert clock.last.ended == host.now
    assert len(device.events) == len(PARTS)  # they are used again


def test_parts_are_never_longer_than_the_whole(monkeypatch):
    """Where another one's work was in the device's queue before, its clock is late."""
    host = Clock(monkeypatch)
    device = Device(host)
    clock = StepClock(torch.device("cpu"), device.event)
    with clock.timing():
        device.work(1.0)
        clock.next()
        clock.next()
        device.wait()
        host.now -= 0.5  # as if the events were measured longer than the host's time
    assert clock.last.upload == clock.last.ended - clock.last.began == 0.5
    assert clock.last.network == clock.last.download == 0.0


def test_a_step_that_fails_leaves_the_times_of_the_one_before():
    clock = StepClock(torch.device("cpu"))
    with clock.timing():
        clock.next()
        clock.next()
    before = clock.last
    with pytest.raises(ValueError, match="broken"), clock.timing():
        raise ValueError("broken")
    assert clock.last is before
    with clock.timing():
        clock.next()
        clock.next()
    assert clock.last.began > before.ended


def test_a_segmenter_tells_the_parts_of_its_last_step(colour: VideoSegmenter, monkeypatch):
    assert colour.step_times is None
    colour.start(moving(1)[0], FIRST)
    assert colour.step_times is None  # the first image is no step
    moments: list[float] = []
    own, input_ = readout._download, colour._input

    def download(labels, statistics):
        moments.append(time.perf_counter())
        return own(labels, statistics)

    def uploading(image, geometry):
        frame = input_(image, geometry)
        moments.append(time.perf_counter())
        return frame

    monkeypatch.setattr(readout, "_download", download)
    monkeypatch.setattr(colour, "_input", uploading)
    began = time.perf_counter()
    colour.step(moving(2)[1])
    ended = time.perf_counter()
    times = colour.step_times
    uploaded, downloading = moments
    order = [
        began, times.began, uploaded, times.uploaded, times.computed, downloading, times.ended,
        ended,
    ]  # fmt: skip
    assert order == sorted(order)
    with pytest.raises(SegmentationError):
        colour.step(np.zeros((2, 2), np.uint8))
    assert colour.step_times is times


def test_the_parts_are_spans_of_the_profiler(colour: VideoSegmenter):
    images = moving(3)
    colour.start(images[0], FIRST)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for image in images[1:]:
            colour.step(image)
    spans = sorted(
        (event.time_range.start, event.time_range.end, event.name)
        for event in seen.events()
        if event.name.startswith("vos: ")
    )
    assert [name for _, _, name in spans] == [f"vos: {part}" for part in PARTS] * 2
    assert all(one[1] <= other[0] for one, other in zip(spans, spans[1:], strict=False))
    # The network's own work lies within its part.
    (first, *_) = [span for span in spans if span[2] == "vos: network"]
    work = [e.time_range.start for e in seen.events() if e.name == "aten::softmax"]
    assert any(first[0] <= start <= first[1] for start in work)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_parts_on_a_gpu_make_up_the_step(network):
    segmenter = VideoSegmenter(network, size=64, device="cuda")
    segmenter.start(moving(1)[0], FIRST)
    for image in moving(4, start=1):
        began = time.perf_counter()
        segmenter.step(image)
        took = time.perf_counter() - began
        times = segmenter.step_times
        parts = (times.upload, times.network, times.download)
        assert all(part >= 0 for part in parts)
        assert sum(parts) == pytest.approx(times.ended - times.began) and sum(parts) <= took
        assert times.network > 0
