# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Child processes that write to a log file and never outlive the one who started them."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_GRACE = (10.0, 5.0)  # s to end by itself after SIGINT, then after SIGTERM; SIGKILL follows


class Child:
    """One running process, with its output in a file.

    It has a session of its own: Ctrl-C in the terminal reaches only the parent, which then ends
    its children in order. Where the system is Linux the kernel ends it should the parent be killed.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        """Start it.

        Args:
            name: what messages call it.
            command: program and arguments.
            environment: all of its environment.
            log: file for its standard output and error, overwritten.
        """
        self.name, self.log = name, log
        started = False
        try:
            with log.open("wb") as output, _signals_wait():
                self._process = subprocess.Popen(
                    list(command),
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=_end_with_parent if sys.platform == "linux" else None,
                )
                started = True
        except BaseException:
            if started:  # a signal came meanwhile, and nobody else has this child in hand
                self._kill_group()
                self._process.wait()
            raise

    @property
    def pid(self) -> int:
        """Its process id, which is that of its group too."""
        return self._process.pid

    def status(self) -> int | None:
        """Return the exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of what it has written."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def told(self, number: int, seconds: float) -> int | None:
        """Send it a signal, give it that long to end, and return its status."""
        self._process.send_signal(number)  # not to one that has ended already
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> int:
        """End it, politely first, and return its exit status; harmless when it has ended."""
        for number, grace in zip((signal.SIGINT, signal.SIGTERM), _GRACE, strict=True):
            if self.told(number, grace) is not None:
                break
        self._kill_group()
        return self._process.wait()

    def _kill_group(self) -> None:
        """Kill whatever is left, children of the child included."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # nothing is left, as it should be


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Inside, no signal is handled; those that came are at the end.

    Python ignores what is raised in the functions that it calls at a fork, and a handler may run in
    one of them: Ctrl-C would be lost.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    there = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers = {number: handler for number, handler in there.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for raised, frame in came:
            handlers[signal.Signals(raised)](raised, frame)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
