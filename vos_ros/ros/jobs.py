# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The worker from activation to deactivation, and what is given it to do."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from rclpy.context import Context

from vos_ros.ros.frames import CameraFrame
from vos_ros.ros.requests import RequestError
from vos_ros.ros.trace import Trace, Track
from vos_ros.ros.worker import Worker

EXIT_SECONDS = 1.0
"""How long the step in hand may still take when the process is to end."""


class Jobs:
    """Hands frames and jobs to a worker that runs while the node is active.

    All methods belong to the node's executor; what they are given runs on the worker's thread.

    Args:
        context: of the node; invalid once the process is to end.
        trace: told how long each job took.
        handle_frame: given each frame whose turn came.
        handle_error: given what that raised.
    """

    def __init__(
        self,
        context: Context,
        trace: Trace,
        handle_frame: Callable[[CameraFrame], object],
        handle_error: Callable[[Exception], None],
    ) -> None:
        self._context = context
        self._trace = trace
        self._handle_frame = handle_frame
        self._handle_error = handle_error
        self._worker: Worker[CameraFrame] | None = None
        self._dropped_before = 0

    @property
    def running(self) -> bool:
        """Whether frames and jobs are taken."""
        return self._worker is not None

    @property
    def dropped(self) -> int:
        """Frames that gave way to a newer one, by all workers so far."""
        return self._dropped_before + (self._worker.dropped if self._worker else 0)

    def start(self) -> None:
        """Start a worker."""
        self._worker = Worker(self._handle_frame, self._handle_error)
        self._worker.start()

    def offer(self, frame: CameraFrame) -> None:
        """Put a frame into the worker's mailbox, if there is a worker."""
        if self._worker is not None:
            self._worker.offer(frame)

    def check_running(self) -> None:
        """Refuse a request that nobody could meet.

        Raises:
            RequestError: there is no worker.
        """
        self._running()

    def submit(self, name: str | None, job: Callable[..., Any], *given: Any) -> Future[Any]:
        """Have a job done, which the trace keeps under its name, if it has one.

        Raises:
            RequestError: there is no worker.
            WorkerBusyError: too many requests wait already.
        """
        todo = partial(job, *given)
        return self._running().submit(self._traced(name, todo) if name else todo)

    def stop(self) -> None:
        """Wait for the work in hand, however long; but not for long when the process is to end."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        ends_at = math.inf
        while not worker.stop(EXIT_SECONDS / 10) and time.monotonic() < ends_at:
            if ends_at == math.inf and not self._context.ok():
                ends_at = time.monotonic() + EXIT_SECONDS
        self._dropped_before += worker.dropped

    def _running(self) -> Worker[CameraFrame]:
        if self._worker is None:
            raise RequestError("The node is configured but not active; activate it first.")
        return self._worker

    def _traced(self, name: str, job: Callable[[], Any]) -> Callable[[], Any]:
        """The job, to be kept in the trace under a name."""

        def run() -> Any:
            began = time.perf_counter()
            try:
                return job()
            finally:
                self._trace.note(Track.WORKER, name, began, time.perf_counter() - began)

        return run
