# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What many times of a call come to, and two of them set against each other."""

from __future__ import annotations

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


def paired_ratio(times: np.ndarray, reference: np.ndarray) -> Spread:
    """How many times as long as a reference, from turns taken one after the other.

    What slows the machine for a while slows both, so that the ratio of two neighbours tells more
    than the ratio of two totals.

    Args:
        times: rounds x calls, milliseconds; each round is one turn.
        reference: the same of the reference, with as many rounds.

    Returns:
        The spread over the rounds of the ratio of the medians of the two turns.
    """
    if len(times) != len(reference):
        raise ValueError(f"{len(times)} rounds cannot be paired with {len(reference)}")
    return spread(np.median(times, axis=1) / np.median(reference, axis=1))
