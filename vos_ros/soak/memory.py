# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory a process holds, and whether it is getting more."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

_FEW = 10  # samples; fewer say nothing of a slope


def resident_megabytes(pid: int) -> float | None:
    """Resident memory of a process in 10^6 bytes; None when it has ended, or this is not Linux."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    # One that has ended and was not waited for yet has no memory.
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6 or None


class MemoryCurve:
    """Memory of one process over time.

    Args:
        warm_up: seconds from the first sample on that the slope leaves out.

    Attributes:
        seconds, megabytes: the samples, 10^6 bytes.
    """

    def __init__(self, warm_up: float) -> None:
        self._warm_up = warm_up
        self.seconds: list[float] = []
        self.megabytes: list[float] = []

    def __len__(self) -> int:
        return len(self.seconds)

    def add(self, seconds: float, megabytes: float) -> None:
        """Take note of a sample."""
        self.seconds.append(seconds)
        self.megabytes.append(megabytes)

    def slope(self) -> float | None:
        """Megabytes an hour, by least squares after the warm-up; None for too few samples."""
        seconds = np.array(self.seconds)
        late = seconds >= seconds[:1] + self._warm_up
        if late.sum() < _FEW:
            return None
        hours = seconds[late] / 3600
        return float(np.polyfit(hours - hours.mean(), np.array(self.megabytes)[late], 1)[0])

    def as_json(self) -> dict[str, float | int]:
        """First, last and highest sample, their number, and the seconds left out of the slope."""
        if not self.megabytes:
            return {"samples": 0}
        return {
            "samples": len(self),
            "warm_up_seconds": self._warm_up,
            "first": round(self.megabytes[0], 1),
            "last": round(self.megabytes[-1], 1),
            "highest": round(max(self.megabytes), 1),
        }
