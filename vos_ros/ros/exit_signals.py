# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ending on SIGINT and SIGTERM without an exception in the wrong place."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM)


class ExitSignals:
    """Notes the signals that ask a program to end.

    Launchers send them several times and in any mixture, and Python's own handler answers each
    SIGINT with an exception wherever the program happens to be, its clean-up included. These
    handlers only take note. What ends the program is rclpy's handler, which shuts the context
    down, stands before these and calls them.

    Install them before `rclpy.init`.
    """

    def __init__(self) -> None:
        self._came = False
        self._interrupting = False

    @property
    def came(self) -> bool:
        """Whether a signal has come since `install`."""
        return self._came

    def install(self) -> None:
        """Take note of signals from now on."""
        for number in NUMBERS:
            signal.signal(number, self._note)

    def ignore(self) -> None:
        """Let the interpreter end undisturbed; the last thing a program does."""
        for number in NUMBERS:
            signal.signal(number, signal.SIG_IGN)

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Raise KeyboardInterrupt here, and only here, when the first signal comes or has come."""
        self._interrupting = True
        try:
            if self._came:
                raise KeyboardInterrupt
            yield
        finally:
            self._interrupting = False

    def _note(self, _: int, __: FrameType | None) -> None:
        first, self._came = not self._came, True
        if first and self._interrupting:
            raise KeyboardInterrupt
