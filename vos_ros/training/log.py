# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The log of a run: a line of JSON for each step."""

from __future__ import annotations

import json
import math
from pathlib import Path

from vos_ros.files import replacing


def log_step(log: Path, step: int, values: dict[str, float]) -> None:
    """Append what a step came to; what is not finite, which JSON cannot say, as null."""
    plain = {name: value if math.isfinite(value) else None for name, value in values.items()}
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": step, **plain}) + "\n")


def cut_log(log: Path, step: int) -> None:
    """Drop what was logged after the checkpoint: those steps are done again.

    Lines that a killed program or a power cut has left unreadable go, too.
    """
    if not log.exists():
        return
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    kept = [line for line in lines if line.endswith("\n") and _logged_step(line) <= step]
    if len(kept) < len(lines):
        with replacing(log) as partial:
            partial.write_text("".join(kept), encoding="utf-8")


def _logged_step(line: str) -> float:
    """The step of a line of the log; past every step where it cannot be read."""
    try:
        step = json.loads(line)["step"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return math.inf
    return step if isinstance(step, int) else math.inf
