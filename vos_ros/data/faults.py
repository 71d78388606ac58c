# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that cannot be used: named, counted and passed over, or refused."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from vos_ros.data.sequence import SequenceError
from vos_ros.data.stills import StillError

logger = logging.getLogger(__name__)
_NAMED = 6  # files at most in an error


class ClipError(ValueError):
    """A clip could not be made, for a reason that is none of the known ones; names the files."""


class FaultLog:
    """What is wrong with which files: all sources of a run share one log.

    A loader's worker has a copy. What it notes while it makes a clip travels with the clip, and the
    process that trains adds it to its own log, where each file is told once.
    """

    def __init__(self, strict: bool = False) -> None:
        """strict: the first fault is an error."""
        self.strict = strict
        self.known: dict[str, str] = {}  # path -> what is wrong
        self._met: dict[str, str] = {}
        self._read: deque[str] = deque(maxlen=_NAMED)

    def reading(self, path: Path | str) -> None:
        """Take note of a file that the clip in hand is made of, before it is read."""
        self._read.append(str(path))

    def note(self, path: Path | str, error: Exception) -> None:
        """Take note of a file that is passed over. Raises `error` when strict."""
        if self.strict:
            raise error
        what = str(error).removeprefix(f"{path}: ")
        self._met[str(path)] = what
        self.add({str(path): what})

    def add(self, faults: Mapping[str, str]) -> None:
        """Take over what was noted elsewhere; what is new is told in the log."""
        for path, what in faults.items():
            if path not in self.known:
                self.known[path] = what
                logger.warning("skipped %s: %s (%d bad so far)", path, what, len(self.known))

    @contextmanager
    def collected(self) -> Iterator[dict[str, str]]:
        """The faults met inside the block, known before or not. The block makes one clip.

        Whatever error it meets beside StillError and SequenceError, which name a file, becomes a
        ClipError that names the last files read.
        """
        outer, self._met = self._met, {}
        self._read.clear()
        try:
            yield self._met
        except (StillError, SequenceError):
            raise
        except Exception as error:
            logger.error("no clip could be made", exc_info=True)  # a worker's is lost otherwise
            files = ", ".join(self._read) or "no file"
            raise ClipError(
                f"a clip cannot be made ({type(error).__name__}: {error}); the last files read "
                f"for it: {files}"
            ) from error
        finally:
            self._met = outer


def leave_telling_to_the_parent() -> None:
    """For a loader's worker: its faults are told by the process that receives its clips."""
    logger.setLevel(logging.ERROR)
