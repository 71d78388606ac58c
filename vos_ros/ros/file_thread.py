# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A thread that works with files, so that no frame and no other request waits for a disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from vos_ros.ros.requests import RequestError
from vos_ros.ros.worker import Worker

WAIT_SECONDS = 1.0
"""How long a disk may keep the node from being cleaned up; a file is whole or not there anyway."""


class FileThread:
    """Runs jobs one at a time, on a thread that is started with the first of them.

    The methods belong to the node's executor.
    """

    def __init__(self) -> None:
        self._worker: Worker[None] | None = None

    def submit(self, job: Callable[[], Any]) -> Future[Any]:
        """Queue a job; the future has its result, or what it raised.

        Raises:
            WorkerBusyError: too many wait already.
        """
        if self._worker is None:
            self._worker = Worker(_no_frame, _no_error, name="vos_files")
            self._worker.start()
        return self._worker.submit(job)

    def close(self) -> None:
        """Let the job in hand be finished and forget the rest. Safe to call twice."""
        if self._worker is not None:
            self._worker.stop(WAIT_SECONDS)
            self._worker = None


def folder_of(setting: str, default: str, parameter: str) -> Path:
    """The folder that a parameter names.

    Args:
        setting: its value; empty for the default.
        default: name of the default folder in $ROS_HOME, or where that is not set in ~/.ros.
        parameter: its name.

    Raises:
        RequestError: it is below the home folder, and there is none.
    """
    home = os.environ.get("ROS_HOME") or "~/.ros"
    folder = Path(setting) if setting else Path(home, default)
    try:
        return folder.expanduser()
    except RuntimeError as error:
        raise RequestError(
            f"There is no home folder to find {folder} in; set the parameter {parameter}."
        ) from error


def _no_frame(_: None) -> None:
    """Never called: this worker is given jobs alone."""


def _no_error(_: Exception) -> None:
    """Never called: a job's error goes into its future."""
