# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One thing to time, and the row that its figures go into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vos_ros.benchmark.calls.clock import Clock
from vos_ros.benchmark.row import Row


@dataclass(frozen=True)
class Work:
    """One thing to time.

    Attributes:
        row: what is known of it beforehand.
        call: does it once.
        clock: times one call.
        moved_bytes: read and written in one call, for what moves memory and does not calculate.
        operations: of one call, where they cannot be counted as it runs.
        parts: tells what the last call was made up of, milliseconds by column of the row.
    """

    row: Row
    call: Callable[[], object]
    clock: Clock
    moved_bytes: int | None = None
    operations: int | None = None
    parts: Callable[[], Mapping[str, float]] = dict
