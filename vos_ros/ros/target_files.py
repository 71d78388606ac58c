# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node's files of taught objects, read and written where nobody waits for a disk."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from vos_ros.ros.file_thread import FileThread, folder_of
from vos_ros.ros.requests import RequestError, sentence
from vos_ros.target_file import TargetFileError, TaughtObjects, load_targets, save_targets
from vos_ros.weights import ModelCard


def targets_folder(setting: str) -> Path:
    """The folder that the parameter `targets_directory` names.

    Raises:
        RequestError: it is below the home folder, and there is none.
    """
    return folder_of(setting, "vos_targets", "targets_directory")


class TargetFiles:
    """Reads and writes on a thread of its own, so that no frame waits for a disk.

    The methods belong to the node's executor.

    Args:
        directory: the parameter `targets_directory`.
        card: of the weights in use.
    """

    def __init__(self, directory: str, card: ModelCard) -> None:
        self._directory = directory
        self._card = card
        self._thread = FileThread()

    def save(self, name: str, taught: TaughtObjects) -> Future[Path]:
        """Write objects to a file; the future has its path, or a `RequestError`."""
        return self._submit(partial(save_targets, name=name, taught=taught, card=self._card))

    def load(self, name: str) -> Future[TaughtObjects]:
        """Read objects from a file; the future has them, or a `RequestError`."""
        return self._submit(partial(load_targets, name=name, card=self._card))

    def close(self) -> None:
        """Let the file in hand be finished and forget the rest. Safe to call twice."""
        self._thread.close()

    def _submit(self, job: Callable[..., Any]) -> Future[Any]:
        return self._thread.submit(partial(self._answered, job))

    def _answered(self, job: Callable[..., Any]) -> Any:
        try:
            return job(targets_folder(self._directory))
        except TargetFileError as error:
            raise RequestError(sentence(error)) from error
