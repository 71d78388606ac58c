# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LONG = 60.0
"""Seconds to wait for something that must happen; never waited out when all is well."""


class NodeProcess:
    """A node that runs beside the test and is listened to.

    Args:
        arguments: ROS arguments, such as "-p", "device:=cpu".
        program: Python source to run instead of the command `node`.
    """

    def __init__(self, *arguments: str, program: str | None = None) -> None:
        path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
        command = ["-m", "vos_ros", "node"] if program is None else ["-c", program]
        self._child = subprocess.Popen(
            [sys.executable, "-u", *command, "--ros-args", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        self.said = ""

    def wait_for(self, words: str) -> None:
        """Read what it says up to a line with these words."""
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self.said += line
            if words in line:
                return
        raise AssertionError(f"it ended without saying {words!r}:\n{self.said}")

    def end(self, *signals: int) -> int:
        """Send signals, and return the exit status."""
        for number in signals:
            self._child.send_signal(number)
        rest, _ = self._child.communicate(timeout=LONG)
        self.said += rest
        return self._child.returncode

    def kill(self) -> None:
        """Leave nothing behind when a test has failed."""
        if self._child.poll() is None:
            self._child.kill()
            self._child.communicate()
