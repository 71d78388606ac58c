# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The times of one thing that was timed, as they came, and the order of turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Timed:
    """What was found of one work, or of one case of what a camera streams to.

    Attributes:
        turns: of each round, the times of one turn, milliseconds.
        first_ms: the very first call; None of a stream.
        host_turns: the same as `turns` until the call came back, or None where that is no other
            time.
        operations: of one call, as `count_operations` counts; None of what moves memory.
        moved_bytes: read and written in one call; None of what calculates.
        parts: what a call is made up of, medians, milliseconds, by column of `PARTS_OF_A_FRAME`.
    """

    turns: Sequence[np.ndarray]
    first_ms: float | None = None
    host_turns: Sequence[np.ndarray] | None = None
    operations: int | None = None
    moved_bytes: int | None = None
    parts: Mapping[str, float] = field(default_factory=dict)


def there_and_back(count: int, number: int) -> range:
    """The order in which so many things have their turn in the round of this number.

    Every other round goes backwards, so that none always comes after the same one.
    """
    return range(count) if number % 2 == 0 else range(count - 1, -1, -1)
