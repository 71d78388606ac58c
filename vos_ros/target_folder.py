# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One folder of files by name: nothing outside it is touched, whatever a name or link says."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from vos_ros.files import write_new

#: two hundred objects at the default size take as much; a larger file is neither written nor read
MAX_BYTES = 1 << 28

_SUFFIX = ".safetensors"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")


class TargetFileError(ValueError):
    """A file that cannot be read or written; the message says why and what would be right."""


class TargetFolder:
    """The files of taught objects in one folder, each ``NAME.safetensors``.

    Args:
        folder: need not be there before something is written. It is for whoever sets the program up
            to say, and may itself be a link.
    """

    def __init__(self, folder: Path | str) -> None:
        self._folder = Path(folder)

    def names(self) -> list[str]:
        """Names of the files, sorted; none when there is no folder."""
        files = self._folder.glob(f"*{_SUFFIX}")
        with suppress(OSError):
            return sorted(file.stem for file in files if _NAME.fullmatch(file.stem))
        return []

    def path(self, name: str) -> Path:
        """The file of a name, whether or not it is there, with all links followed.

        Raises:
            TargetFileError: when the name is none, or a link leads out of the folder.
        """
        if not _NAME.fullmatch(name):
            raise TargetFileError(
                f"{name[:80]!r} is no name for a file: give 1 to 64 of the letters A to Z and a to "
                "z, the digits, _ and -, without folder and suffix, not beginning with -"
            )
        path = self._folder / f"{name}{_SUFFIX}"
        try:
            root, target = self._folder.resolve(), path.resolve()
        except (OSError, RuntimeError) as error:  # the latter of links in a circle
            raise TargetFileError(f"{path} cannot be found: {error}") from error
        if target.parent != root:
            raise TargetFileError(f"{path} is a link that leads out of {root}, and is not followed")
        return target

    def write(self, name: str, content: bytes) -> Path:
        """Replace a file once the new one is whole on the disk; makes the folder if need be.

        Raises:
            TargetFileError: as `path`, and when the system refuses; the older file is as it was.
        """
        path = self.path(name)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_new(path, content)
        except OSError as error:
            raise TargetFileError(
                f"{path} cannot be written: {error.strerror or error}; what was there before is as "
                "it was"
            ) from error
        return path

    def read(self, name: str) -> bytes:
        """All of a file, once it is known to be one of a size that ours may have.

        Raises:
            TargetFileError: as `path`, and when there is no such file or it is none of ours.
        """
        path = self.path(name)
        try:
            return _all_of(path)
        except FileNotFoundError as error:
            there = ", ".join(self.names()[:20]) or "none"
            raise TargetFileError(
                f"there are no taught objects called {name!r} in {path.parent}; there are: {there}"
            ) from error
        except OSError as error:
            raise TargetFileError(f"{path} cannot be read: {error.strerror or error}") from error


def _all_of(path: Path) -> bytes:
    # Not waiting, should it be a pipe; the path was resolved, so that its last part is no link.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        size = _checked_size(path, os.fstat(descriptor))
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(size)
    finally:
        os.close(descriptor)


def _checked_size(path: Path, status: os.stat_result) -> int:
    if not stat.S_ISREG(status.st_mode):
        raise TargetFileError(f"{path} is something else than a file")
    if status.st_size > MAX_BYTES:
        raise TargetFileError(
            f"{path} holds {status.st_size} bytes; a file of taught objects has at most {MAX_BYTES}"
        )
    return status.st_size
