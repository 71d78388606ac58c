# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The worker: order of work, dropping, failing, stopping."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest

from vos_ros.ros.worker import Worker, WorkerBusyError, WorkerStoppedError

LONG = 20.0
"""Seconds a test waits for something that must happen; it is never waited out when all is well."""


class Gate:
    """A frame handler that tells when it begins and goes on only when it is let through."""

    def __init__(self) -> None:
        self.seen: list[object] = []
        self.entered = threading.Semaphore(0)
        self.pass_on = threading.Semaphore(0)

    def __call__(self, frame: object) -> None:
        self.seen.append(frame)
        self.entered.release()
        assert self.pass_on.acquire(timeout=LONG)

    def wait_entered(self) -> None:
        assert self.entered.acquire(timeout=LONG)

    def open(self, times: int = 1) -> None:
        self.pass_on.release(times)


@pytest.fixture
def make_worker() -> Iterator[Callable[..., Worker]]:
    made: list[Worker] = []

    def make(handle_frame=lambda frame: None, handle_error=lambda error: None, **rest) -> Worker:
        worker = Worker(handle_frame, handle_error, **rest)
        worker.start()
        made.append(worker)
        return worker

    yield make
    for worker in made:
        assert worker.stop(LONG)


def test_a_frame_is_handled_on_the_workers_own_thread(make_worker):
    done = threading.Event()
    where = []

    def handle(frame: int) -> None:
        where.append((frame, threading.current_thread()))
        done.set()

    worker = make_worker(handle, name="its_name")
    assert worker.offer(7)
    assert done.wait(LONG)
    assert where[0][0] == 7
    assert where[0][1] is not threading.current_thread()
    assert where[0][1].name == "its_name"
    assert worker.dropped == 0


def test_only_the_newest_of_the_waiting_frames_is_handled(make_worker):
    gate = Gate()
    worker = make_worker(gate)
    worker.offer(0)
    gate.wait_entered()
    for frame in range(1, 6):
        worker.offer(frame)
    gate.open(2)
    gate.wait_entered()
    assert gate.seen == [0, 5]
    assert worker.dropped == 4


def test_jobs_go_before_a_frame_that_waits_longer(make_worker):
    gate = Gate()
    worker = make_worker(gate)
    order = gate.seen
    worker.offer("first")
    gate.wait_entered()
    worker.offer("second")
    jobs = [worker.submit(lambda n=n: order.append(n)) for n in (1, 2, 3)]
    gate.open(2)
    for job in jobs:
        job.result(LONG)
    gate.wait_entered()
    assert order == ["first", 1, 2, 3, "second"]


def test_a_job_returns_its_result_and_its_error(make_worker):
    worker = make_worker()
    assert worker.submit(lambda: 6 * 7).result(LONG) == 42
    failed = worker.submit(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        failed.result(LONG)
    assert worker.submit(lambda: "alive").result(LONG) == "alive"


def test_an_error_in_a_frame_is_reported_and_the_next_is_handled(make_worker):
    errors: list[Exception] = []

    def handle(frame: int) -> None:
        raise ValueError(f"frame {frame}")

    worker = make_worker(handle, errors.append)
    for frame in (1, 2):
        worker.offer(frame)
        worker.submit(lambda: None).result(LONG)
        # A job goes before the frame, so a second job shows that the frame before it is over.
        while len(errors) < frame:
            worker.submit(lambda: None).result(LONG)
    assert [str(error) for error in errors] == ["frame 1", "frame 2"]


def test_an_error_in_the_report_does_not_kill_the_thread(make_worker):
    def fail(_: object) -> None:
        raise RuntimeError("no matter what")

    worker = make_worker(fail, fail)
    worker.offer(1)
    assert worker.submit(lambda: "alive").result(LONG) == "alive"
    worker.offer(2)
    assert worker.submit(lambda: "alive").result(LONG) == "alive"


def test_more_jobs_than_may_wait_are_refused(make_worker):
    gate = Gate()
    worker = make_worker(gate, job_limit=2)
    worker.offer(0)
    gate.wait_entered()
    waiting = [worker.submit(lambda: 1), worker.submit(lambda: 2)]
    with pytest.raises(WorkerBusyError, match="2 requests are waiting already"):
        worker.submit(lambda: 3)
    gate.open()
    assert [job.result(LONG) for job in waiting] == [1, 2]
    assert worker.submit(lambda: 3).result(LONG) == 3


def test_stopping_ends_the_work_in_hand_and_forgets_the_rest():
    gate = Gate()
    worker = Worker(gate, lambda error: None)
    before = set(threading.enumerate())
    worker.start()
    (thread,) = set(threading.enumerate()) - before
    assert thread.name == "vos_worker"
    worker.offer(0)
    gate.wait_entered()
    waiting = worker.submit(lambda: "never")
    worker.offer(1)
    assert worker.stop(0) is False
    with pytest.raises(WorkerStoppedError):
        waiting.result(LONG)
    gate.open()
    assert worker.stop(LONG) is True
    assert not thread.is_alive()
    assert gate.seen == [0]


def test_a_stopped_worker_takes_nothing():
    worker = Worker(lambda frame: None, lambda error: None)
    assert not worker.running
    assert worker.offer(1) is False
    with pytest.raises(WorkerStoppedError):
        worker.submit(lambda: None)
    assert worker.stop() is True

    worker = Worker(lambda frame: None, lambda error: None)
    worker.start()
    assert worker.running
    with pytest.raises(RuntimeError, match="only once"):
        worker.start()
    assert worker.stop(LONG)
    assert worker.stop(LONG)
    assert not worker.running
    assert worker.offer(1) is False
    with pytest.raises(WorkerStoppedError):
        worker.submit(lambda: None)


def test_a_handled_frame_is_let_go(make_worker):
    class Frame:
        pass

    handled = threading.Event()
    worker = make_worker(lambda frame: handled.set())
    frame = Frame()
    alive = weakref.ref(frame)
    worker.offer(frame)
    del frame
    assert handled.wait(LONG)
    # A job begins after the worker has returned from the frame.
    worker.submit(lambda: None).result(LONG)
    gc.collect()
    assert alive() is None
