# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How CUDA graphs are recorded, on a device that is played.

It does what PyTorch says of its own, that is: there is one recording at a time in a process, one
that fails is not left by itself, and a pool of memory is of no use once its graphs are gone. What a
GPU makes of it is seen in test_recorded_runtime.py, where there is one.
"""

from __future__ import annotations

import gc
import threading
import weakref
from contextlib import contextmanager

import pytest
import torch

from vos_ros.runtimes.cuda_graphs import CudaRecorder

PATIENCE = 20.0


class Stream:
    def wait_stream(self, other):
        pass


class Played:
    """A device as `torch.cuda` shows it; every thread has its own stream of the moment."""

    def __init__(self):
        self.here = threading.local()
        self.default = Stream()
        self.recording = threading.Lock()
        self.pools = {}
        self.streams = []

    def current_stream(self):
        return getattr(self.here, "stream", self.default)

    @contextmanager
    def device(self, _):
        yield

    @contextmanager
    def stream(self, stream):
        before, self.here.stream = self.current_stream(), stream
        try:
            yield
        finally:
            self.here.stream = before

    def graph_pool_handle(self):
        self.pools[len(self.pools)] = None
        return len(self.pools) - 1

    @contextmanager
    def graph(self, graph, pool, stream, capture_error_mode):
        assert self.recording.acquire(blocking=False), "one recording at a time in a process"
        try:
            holders = self.pools[pool]
            assert holders is None or len(holders), "a pool that nobody holds"
            self.streams.append(stream)
            self.here.stream, before = stream, self.current_stream()
            yield  # an error leaves the stream as it is
            self.here.stream = before
            self.pools[pool] = holders = weakref.WeakSet() if holders is None else holders
            holders.add(graph)
        finally:
            self.recording.release()


class Graph:
    def replay(self):
        pass


@pytest.fixture
def played(monkeypatch):
    device = Played()
    for name in ("current_stream", "device", "stream", "graph_pool_handle", "graph"):
        monkeypatch.setattr(torch.cuda, name, getattr(device, name))
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    return device


def nothing():
    return []


def fails_when_recorded(played):
    def compute():
        if played.recording.locked():
            raise RuntimeError("this cannot be recorded")
        return []

    return compute


def test_all_is_recorded_beside_and_in_one_pool(played):
    record = CudaRecorder(torch.device("cuda"))
    kept = [record(nothing) for _ in range(3)]
    assert len(kept) == 3 and len(played.pools) == 1
    assert len(set(played.streams)) == 1 and played.default not in played.streams
    assert played.current_stream() is played.default


def test_one_that_fails_leaves_the_thread_where_it_was(played):
    record = CudaRecorder(torch.device("cuda"))
    with pytest.raises(RuntimeError, match="cannot be recorded"):
        record(fails_when_recorded(played))
    assert played.current_stream() is played.default
    record(nothing)


def test_when_all_recordings_are_gone_the_next_one_has_memory_of_its_own(played):
    record = CudaRecorder(torch.device("cuda"))
    kept = record(nothing)
    del kept
    gc.collect()
    record(nothing)
    assert len(played.pools) == 2


def test_threads_record_one_after_the_other(played):
    inside, go = threading.Event(), threading.Event()
    errors = []

    def waits_when_recorded():
        if played.recording.locked():
            inside.set()
            assert go.wait(PATIENCE)
        return []

    def recorded(compute):
        try:
            CudaRecorder(torch.device("cuda"))(compute)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=recorded, args=(waits_when_recorded,))]
    threads[0].start()
    assert inside.wait(PATIENCE)
    threads.append(threading.Thread(target=recorded, args=(nothing,)))
    threads[1].start()
    threads[1].join(0.05)  # it would have failed by now, mostly
    go.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert not errors and len(played.streams) == 2
