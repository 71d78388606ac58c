# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one thread that owns the segmenter: jobs first, then the newest frame."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

FrameT = TypeVar("FrameT")
WORKER_NAME = "vos_worker"
"""What the thread is called unless told otherwise."""


class WorkerStoppedError(RuntimeError):
    """The worker is not running, or was stopped before the job's turn came."""


class WorkerBusyError(RuntimeError):
    """Too many jobs are already waiting."""


class Worker(Generic[FrameT]):
    """Runs jobs and frames one at a time on a thread of its own.

    A frame waits in a mailbox with one place: a newer one takes the place of one that was not
    begun, which is then dropped and counted. Jobs wait in a short queue and go before the frame.
    All methods may be called from any thread.

    Args:
        handle_frame: called on the worker's thread with each frame whose turn came.
        handle_error: called on the worker's thread with what `handle_frame` raised; the thread
            goes on in any case.
        job_limit: how many jobs may wait.
        name: the thread's name.
    """

    def __init__(
        self,
        handle_frame: Callable[[FrameT], object],
        handle_error: Callable[[Exception], None],
        *,
        job_limit: int = 64,
        name: str = WORKER_NAME,
    ) -> None:
        self._handle_frame = handle_frame
        self._handle_error = handle_error
        self._job_limit = job_limit
        self._name = name
        self._changed = threading.Condition()
        self._jobs: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._frame: FrameT | None = None
        self._dropped = 0
        self._stopping = False
        self._thread: threading.Thread | None = None

    @property
    def dropped(self) -> int:
        """Frames that were replaced by a newer one before their turn, since construction."""
        with self._changed:
            return self._dropped

    @property
    def running(self) -> bool:
        """Whether jobs and frames are accepted."""
        with self._changed:
            return self._thread is not None and not self._stopping

    def start(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: it was started before; a worker runs once.
        """
        with self._changed:
            if self._thread is not None:
                raise RuntimeError("a worker can be started only once")
            # A daemon, so that a step that never returns cannot keep the process from exiting.
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def offer(self, frame: FrameT) -> bool:
        """Put a frame into the mailbox; False when the worker is not running."""
        with self._changed:
            if self._thread is None or self._stopping:
                return False
            if self._frame is not None:
                self._dropped += 1
            self._frame = frame
            self._changed.notify()
            return True

    def submit(self, job: Callable[[], Any]) -> Future[Any]:
        """Queue a job and return the future of its result.

        The future carries what the job raised, or `WorkerStoppedError` when the worker was
        stopped before the job began.

        Raises:
            WorkerStoppedError: the worker is not running.
            WorkerBusyError: `job_limit` jobs are waiting already.
        """
        future: Future[Any] = Future()
        with self._changed:
            if self._thread is None or self._stopping:
                raise WorkerStoppedError("The worker is not running.")
            if len(self._jobs) >= self._job_limit:
                raise WorkerBusyError(f"{self._job_limit} requests are waiting already.")
            self._jobs.append((job, future))
            self._changed.notify()
        return future

    def stop(self, timeout: float | None = None) -> bool:
        """Refuse further work, let the work in hand end, forget the rest and join the thread.

        Args:
            timeout: seconds to wait for the work in hand; None waits as long as it takes.

        Returns:
            Whether the thread has ended. Safe to call twice, and before `start`.
        """
        with self._changed:
            self._stopping = True
            forgotten, self._jobs = self._jobs, deque()
            self._frame = None
            self._changed.notify()
        for _, future in forgotten:
            future.set_exception(WorkerStoppedError("The worker was stopped."))
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while self._run_one():
            pass

    def _run_one(self) -> bool:
        """Wait for work and do one piece of it; False when told to stop."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._jobs or self._frame is not None)
            if self._stopping:
                return False
            job = self._jobs.popleft() if self._jobs else None
            frame = None
            if job is None:
                frame, self._frame = self._frame, None
        if job is not None:
            _run_job(*job)
        elif frame is not None:
            self._run_frame(frame)
        return True

    def _run_frame(self, frame: FrameT) -> None:
        try:
            self._handle_frame(frame)
        except Exception as error:
            # A report that fails must not cost the node its only worker.
            with contextlib.suppress(Exception):
                self._handle_error(error)


def _run_job(job: Callable[[], Any], future: Future[Any]) -> None:
    try:
        result = job()
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(result)
