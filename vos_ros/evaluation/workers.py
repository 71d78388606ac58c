# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a task over items in worker processes, with progress from inside the items."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.queues import SimpleQueue
from typing import Any, TypeVar

from vos_ros.data.loader_signals import deaf_start
from vos_ros.evaluation.errors import EvaluationError

Item = TypeVar("Item")
Result = TypeVar("Result")

_POLL_SECONDS = 0.1
"""How long the bar may lag behind the workers."""

# In a worker: the task, unpickled once, so that its network is loaded once; and where it reports.
_task: Callable[[Any, Callable[[], None]], Any] | None = None
_progress: SimpleQueue[None] | None = None


def run_in_workers(
    task: Callable[[Item, Callable[[], None]], Result],
    items: Sequence[Item],
    workers: int,
    on_progress: Callable[[], None],
    on_result: Callable[[Result], None],
) -> None:
    """Calls `task(item, report)` for every item, each in one of `workers` processes.

    `on_progress` runs here for every `report()` there, `on_result` for every result as it comes.
    The first error ends the processes in the midst of their items and is raised, as is what a
    signal handler raises here; a process that dies raises EvaluationError. The processes are deaf
    to Ctrl-C, which a terminal sends to all: this one ends them. They end, too, when it is gone.
    """
    # Spawned, not forked: a fork copies the locks of PyTorch's threads in whatever state they are,
    # and CUDA does not survive one.
    context = multiprocessing.get_context("spawn")
    progress = context.SimpleQueue()
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, context, initializer=_set_up, initargs=(task, progress))
    try:
        with deaf_start(frozenset({signal.SIGINT})):
            pending = {pool.submit(_call, item) for item in items}
        while pending:
            done, pending = wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
            while not progress.empty():
                progress.get()
                on_progress()
            # Those that failed last: what the others came to is not lost with them.
            for future in sorted(done, key=lambda future: future.exception() is not None):
                on_result(_result_of(future))
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        progress.close()


def _result_of(future: Future[Result]) -> Result:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise EvaluationError(
            "a worker process died before it was done, most often for lack of memory; "
            "run again with fewer --workers"
        ) from error


def _set_up(task: Callable[[Any, Callable[[], None]], Any], progress: SimpleQueue[None]) -> None:
    global _task, _progress
    _task, _progress = task, progress
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _call(item: Any) -> Any:
    assert _task is not None
    return _task(item, _report)


def _report() -> None:
    assert _progress is not None
    _progress.put(None)
