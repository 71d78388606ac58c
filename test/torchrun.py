# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Programs that `torchrun` starts as two processes, listened to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from node_process import LONG

HERE = Path(__file__).parent
#: what torchrun tells its processes; a test must not inherit it
_TOLD = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


class Torchrun:
    """Two processes on this machine, and the launcher that started them.

    Args:
        arguments: the program to run, or `-m` and a module, and its arguments.
    """

    def __init__(self, *arguments: object) -> None:
        paths = [str(HERE.parent), str(HERE), os.environ.get("PYTHONPATH", "")]
        environment = {name: value for name, value in os.environ.items() if name not in _TOLD}
        environment |= {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
        # A rendezvous of one machine takes any free port.
        command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
        self._launcher = subprocess.Popen(
            [sys.executable, *command, *map(str, arguments)],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.said = ""

    def wait_for(self, words: str) -> None:
        """Read what they say up to a line with these words."""
        for line in self._launcher.stdout:
            self.said += line
            if words in line:
                return
        raise AssertionError(f"they ended without saying {words!r}:\n{self.said}")

    def process(self, rank: int) -> int:
        """The process id of a rank."""
        for folder in Path("/proc").iterdir():
            try:
                status = (folder / "status").read_text()
                environment = (folder / "environ").read_bytes().split(b"\0")
            except OSError:  # not a process, not ours, or ended meanwhile
                continue
            parent = re.search(r"^PPid:\s*(\d+)$", status, re.MULTILINE)
            ours = parent is not None and int(parent[1]) == self._launcher.pid
            if ours and f"RANK={rank}".encode() in environment:
                return int(folder.name)
        raise AssertionError(f"there is no process of rank {rank}:\n{self.said}")

    def signal(self, number: int, rank: int | None = None) -> None:
        """Send a signal to the process of a rank, or to the launcher, which passes it on."""
        os.kill(self._launcher.pid if rank is None else self.process(rank), number)

    def end(self) -> int:
        """Wait for the end; the exit status of the launcher."""
        rest, _ = self._launcher.communicate(timeout=4 * LONG)
        self.said += rest
        return self._launcher.returncode

    def close(self) -> None:
        """Leave nothing behind when a test has failed."""
        if self._launcher.poll() is None:
            self._launcher.send_signal(signal.SIGTERM)  # it ends its processes
            try:
                self._launcher.communicate(timeout=LONG)
            except subprocess.TimeoutExpired:
                self._launcher.kill()
                self._launcher.communicate()
