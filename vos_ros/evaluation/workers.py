# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a task over items in worker processes, with progress from inside the items."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from vos_ros.evaluation.errors import EvaluationError

Item = TypeVar("Item")
Result = TypeVar("Result")

_POLL_SECONDS = 0.1
"""How long the bar may lag behind the workers."""

_task = None  # in a worker: the task, unpickled once, so that its network is loaded once
_progress = None  # in a worker: where it reports frames


def run_in_workers(
    task: Callable[[Item, Callable[[], None]], Result],
    items: Sequence[Item],
    workers: int,
    on_progress: Callable[[], None],
    on_result: Callable[[Result], None],
) -> None:
    """Calls `task(item, report)` for every item, each in one of `workers` processes.

    `on_progress` runs here for every `report()` there, `on_result` for every result as it comes.
    The first error cancels the items not yet begun and is raised; a process that dies raises
    EvaluationError.
    """
    # Spawned, not forked: a fork copies the locks of PyTorch's threads in whatever state they are,
    # and CUDA does not survive one.
    context = multiprocessing.get_context("spawn")
    progress = context.SimpleQueue()
    pool = ProcessPoolExecutor(workers, context, initializer=_set_up, initargs=(task, progress))
    try:
        pending = {pool.submit(_call, item) for item in items}
        while pending:
            done, pending = wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
            while not progress.empty():
                progress.get()
                on_progress()
            for future in done:
                on_result(_result_of(future))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        progress.close()


def _result_of(future: Future):
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise EvaluationError(
            "a worker process died before it was done, most often for lack of memory; "
            "run again with fewer --workers"
        ) from error


def _set_up(task, progress) -> None:
    global _task, _progress
    _task, _progress = task, progress


def _call(item):
    return _task(item, _report)


def _report() -> None:
    _progress.put(None)
