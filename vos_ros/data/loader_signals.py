# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Signals are for the process that trains, not for those that make clips for it.

Ctrl-C in a terminal, and `torchrun` when it ends what it started, signal a whole group of
processes. A loader's worker that died of it would take the training with it, in the middle of a
step. So a worker leaves the group, and hears nothing until it has.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM})


@contextmanager
def deaf_start(numbers: frozenset[signal.Signals] = _SIGNALS) -> Iterator[None]:
    """Processes started inside are deaf to these signals, for good or until `leave_group`.

    The thread that starts them hears what came meanwhile when the block is left.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_group() -> None:
    """For a worker: forget what the group was sent, and hear what is sent to this process alone."""
    os.setpgid(0, 0)
    while signal.sigpending() & _SIGNALS:
        signal.sigwait(_SIGNALS)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
