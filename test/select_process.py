# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command `select` in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys

_SAID = re.compile(r"The page is at (http://\S+:\d+)")


class SelectProcess:
    """The page's server, at a free port.

    Attributes:
        said: everything it wrote, once it has ended.

    Args:
        arguments: of its command line.
    """

    def __init__(self, *arguments: str) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-u", "-m", "vos_ros", "select", "--port", "0", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.said = ""

    def url(self) -> str:
        """Where the page is, once it is there."""
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self.said += line
            if found := _SAID.search(line):
                return found[1]
        raise AssertionError(f"it ended without a page:\n{self.said}")

    def end(self, number: int) -> int:
        """Send a signal; return the exit status."""
        self._child.send_signal(number)
        rest, _ = self._child.communicate(timeout=30.0)
        self.said += rest
        return self._child.returncode

    def kill(self) -> None:
        """Leave nothing behind."""
        if self._child.poll() is None:
            self._child.kill()
            self._child.communicate()
