# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DDS domains that programs of ours take, two of them never the same. Needs no ROS."""

from __future__ import annotations

import fcntl
import os
import random
import tempfile
from pathlib import Path
from types import TracebackType

DOMAINS = range(1, 101)
"""Those that are claimed: with ports below the ones that the system hands out by itself."""


class DomainClaim:
    """A domain that is ours until it is closed, or the process ends; usable with ``with``.

    Attributes:
        number: the id of the domain.
    """

    def __init__(self, number: int, file: int) -> None:
        self.number = number
        self._file = file

    def close(self) -> None:
        """Give the domain back; a second time does nothing."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def __enter__(self) -> DomainClaim:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def claim_domain() -> DomainClaim:
    """Take a domain that no other claim on this machine holds, at random.

    Raises:
        OSError: all of `DOMAINS` are taken.
    """
    for number in random.sample(DOMAINS, len(DOMAINS)):
        path = Path(tempfile.gettempdir(), f"vos_ros-domain-{number}.lock")
        try:
            file = _open(path)
        except OSError:  # somebody else's, and closed to us
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            continue
        return DomainClaim(number, file)
    raise OSError(
        f"all DDS domains from {DOMAINS[0]} to {DOMAINS[-1]} are taken by other programs of vos_ros"
    )


def _open(path: Path) -> int:
    try:
        # Only for reading, for another user may have made it; a lock needs no more.
        return os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
