# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Waiting for what other processes do, and never for one that has died."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from rclpy.executors import Executor

from vos_ros.apps.processes import Child

ANSWER_PATIENCE = 60.0  # s for a service to answer; the first pass of a network is slow


class WaitingError(RuntimeError):
    """What was waited for will not happen; the message is for the person who started it all."""


class Waiter:
    """Handles what arrives at an executor until something has happened.

    Every wait ends at that, at the death of one of the children, or when patience is out.
    """

    def __init__(self, executor: Executor, children: Sequence[Child]) -> None:
        """Remember by whom events are handled, and without which processes waiting is in vain."""
        self._executor = executor
        self.children = list(children)

    def spin_for(self, seconds: float | None, condition: Callable[[], Any]) -> bool:
        """Wait for the condition; return whether it holds before the time, if any, is up.

        Raises:
            WaitingError: one of the children has ended.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while not condition():
            for child in self.children:
                if child.status() is not None:
                    raise WaitingError(last_words(child))
            if end is not None and time.monotonic() >= end:
                return False
            self._executor.spin_once(timeout_sec=0.1)
        return True

    def until(self, condition: Callable[[], Any], seconds: float, what: str) -> None:
        """Wait for the condition; WaitingError, naming `what`, when it does not come to hold."""
        if not self.spin_for(seconds, condition):
            raise WaitingError(f"waited {seconds:g} s in vain for {what}\n{self.words()}")

    def ask(self, client: Any, request: Any, what: str) -> Any:
        """Call a service and return its response; WaitingError when none comes."""
        answer = client.call_async(request)
        self.until(answer.done, ANSWER_PATIENCE, what)
        return answer.result()

    def words(self) -> str:
        """Return what the children have said last."""
        return "\n".join(f"[{child.name}] {child.tail()}" for child in self.children)


def last_words(child: Child) -> str:
    """Say how a child ended and what it said last."""
    words = f"{child.name} ended by itself with status {child.status()}; its last words:"
    return f"{words}\n{child.tail()}"
