# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What many times of a call come to, and two of them set against each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Of a list of numbers: percentiles, with linear interpolation between neighbours."""

    median: float
    p5: float
    p95: float
    p99: float


def spread(values: np.ndarray) -> Spread:
    """The spread of any array of numbers; ValueError when it is empty."""
    if np.size(values) == 0:
        raise ValueError("there is nothing to take a median of")
    return Spread(*(float(np.percentile(values, p)) for p in (50, 5, 95, 99)))


def paired_ratios(times: Sequence[np.ndarray], reference: Sequence[np.ndarray]) -> np.ndarray:
    """How many times as long as a reference, turn by turn.

    What slows the machine for a while slows both, so that the ratio of two neighbours tells more
    than the ratio of two totals.

    Args:
        times: of each round, the times of one turn, milliseconds; none may be empty.
        reference: the same of the reference, with as many rounds.

    Returns:
        For each round, the median of the one turn over that of the other.
    """
    if len(times) != len(reference):
        raise ValueError(f"{len(times)} rounds cannot be paired with {len(reference)}")
    return np.array(
        [np.median(own) / np.median(other) for own, other in zip(times, reference, strict=True)]
    )


def median_interval(values: np.ndarray, confidence: float = 0.95) -> tuple[float, float] | None:
    """Where the median of all there could be lies, with this confidence or more.

    Of n independent values, as many lie below the median as heads come in n throws of a coin,
    whatever their distribution. So the k-th lowest and the k-th highest hold it between them,
    except when fewer than k heads or fewer than k tails come; k is the largest for which that is
    rare enough.

    Args:
        values: independent of each other, in any order.
        confidence: 0..1.

    Returns:
        The two values; None when they are too few to tell (fewer than 6 for 0.95).
    """
    ordered = np.sort(np.ravel(values))
    n, missed, k = len(ordered), 0.0, 0
    while k <= n // 2:
        missed += 2 * math.exp(_log_choose(n, k) - n * math.log(2))
        if missed > 1 - confidence:
            break
        k += 1
    if k == 0:
        return None
    return float(ordered[k - 1]), float(ordered[n - k])


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
