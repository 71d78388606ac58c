# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Jobs side by side, each in a process of its own, with word of how far they are.

A process for each job, and few threads in each: two jobs of one thread do more on two cores than
one job of two threads, and one that dies takes no other with it.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from vos_ros.ablation.record import Job
from vos_ros.ablation.table import TableError
from vos_ros.ablation.variant import Progress, Stopped, VariantTask
from vos_ros.data.loader_signals import deaf_start
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.training.run import UNUSABLE, noted_signals

_POLL_SECONDS = 0.5
"""How late a signal may be heard."""


@dataclass(frozen=True)
class Failure:
    """Why a job came to nothing, in a sentence."""

    sentence: str


@dataclass(frozen=True)
class _Running:
    job: Job
    process: BaseProcess


def run_jobs(
    task: VariantTask,
    jobs: Sequence[Job],
    workers: int,
    stopped: Callable[[], bool],
    on_progress: Callable[[Job, Progress], None],
    on_end: Callable[[Job, Failure | None], None],
) -> None:
    """Do every job, `workers` at a time. One that fails does not keep the others from being done.

    Args:
        task: does a job.
        jobs: what to do, in this order.
        workers: processes at a time.
        stopped: asked again and again; once it is true, nothing new is begun, and the running
            jobs are told to save what they have.
        on_progress: called here for whatever a job tells.
        on_end: called here when a job is done (None) or has failed; not for one that was stopped.
    """
    waiting, told = deque(jobs), False
    running: dict[Connection, _Running] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers and not stopped():
                connection, entry = _start(task, waiting.popleft())
                running[connection] = entry
            if stopped():
                waiting.clear()
                if not told:
                    _terminate(running.values())
                told = True
            ready = wait(list(running), timeout=_POLL_SECONDS)
            for connection in (one for one in ready if isinstance(one, Connection)):
                entry = running[connection]
                try:
                    message = connection.recv()
                except (EOFError, OSError):  # it ended without a word
                    message = _silent_end(entry.process)
                if isinstance(message, Progress):
                    on_progress(entry.job, message)
                    continue
                del running[connection]
                connection.close()
                entry.process.join()
                if not isinstance(message, Stopped):
                    on_end(entry.job, message)
    finally:  # an error above must not leave anything running
        _terminate(running.values())
        for entry in running.values():
            entry.process.join()


def _start(task: VariantTask, job: Job) -> tuple[Connection, _Running]:
    # Spawned, not forked: a fork copies the locks of PyTorch's threads in whatever state they are.
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(task, job, there), name=job.name)
    # A terminal sends Ctrl-C to every process; a job is told to stop by SIGTERM alone, once.
    with deaf_start(frozenset({signal.SIGINT})):
        process.start()
    there.close()
    return here, _Running(job, process)


def _terminate(entries: Iterable[_Running]) -> None:
    for entry in entries:
        entry.process.terminate()


def _silent_end(process: BaseProcess) -> Failure | Stopped:
    process.join()
    if process.exitcode == -signal.SIGTERM:  # told to stop before it could listen
        return Stopped()
    if process.exitcode is not None and process.exitcode < 0:
        name = signal.Signals(-process.exitcode).name
        return Failure(f"its process was ended by {name}, most often for lack of memory")
    return Failure(f"its process ended with status {process.exitcode}; what it said is above")


def _work(task: VariantTask, job: Job, connection: Connection) -> None:
    """What runs in the process of a job; its last word is None, a Failure or Stopped."""
    orphaned = False

    def tell(progress: Progress) -> None:
        nonlocal orphaned
        try:
            connection.send(progress)
        except OSError:  # nobody listens any more: save and end
            orphaned = True

    with noted_signals() as signals:
        try:
            task(job, tell, lambda: orphaned or bool(signals))
            word: object = None
        except Stopped as stop:
            word = stop
        except (*UNUSABLE, TableError, EvaluationError, OSError) as error:
            word = Failure(str(error))
    if not orphaned:
        connection.send(word)
