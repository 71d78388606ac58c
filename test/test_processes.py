# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Child processes, and the signals that come while one is started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from vos_ros.apps.processes import Child

os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGINT))
try:
    Child("child", ["sleep", "100"], os.environ, Path(sys.argv[1]))
except KeyboardInterrupt:
    print("interrupted")
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("no child is left")
"""


def test_an_interrupt_at_a_fork_is_not_lost(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "log")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "interrupted\nno child is left\n", done.stderr
