# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are there whole or not at all, also after the power has failed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside another one, to write to; after the block, what was written has its place.

    It is on the disk before it takes the place: a system may else put the new name there first, and
    a power cut leave an empty file under it. An error in the block leaves the old file alone.
    """
    partial = path.with_name(path.name + ".partial")  # of no other file, whatever their suffixes
    yield partial
    synchronise(partial)
    os.replace(partial, path)
    # The name is an entry of the folder. Some file systems cannot be asked for that.
    with suppress(OSError):
        synchronise(path.parent)


def write_new(path: Path, content: bytes) -> None:
    """Replace a file by one of this content, for its owner alone to read (mode 0600).

    Nothing that lies in wait under its name, or under that of the unfinished file, is opened.

    Raises:
        OSError: the system refuses; the older file is as it was, and nothing else is left.
    """
    partial = None
    try:
        with replacing(path) as partial:
            # What lies there is of a process that died, or a trap.
            partial.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with open(os.open(partial, flags, 0o600), "wb") as file:
                file.write(content)
    except OSError:
        if partial is not None:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
        raise


def synchronise(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
