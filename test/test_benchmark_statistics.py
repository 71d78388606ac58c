# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Medians, percentiles, and ratios of paired times."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vos_ros.benchmark.statistics import paired_ratio, spread

TIMES = st.lists(st.floats(0.001, 1e4), min_size=1, max_size=60)


def percentile(values: list[float], share: float) -> float:
    """By the definition: linear between the neighbours in order."""
    values = sorted(values)
    place = share * (len(values) - 1)
    low, high = values[math.floor(place)], values[math.ceil(place)]
    return low + (place - math.floor(place)) * (high - low)


@given(TIMES)
def test_percentiles_follow_their_definition(values: list[float]) -> None:
    found = spread(np.array(values))
    for share, value in [
        (0.5, found.median), (0.05, found.p5), (0.95, found.p95), (0.99, found.p99)
    ]:  # fmt: skip
        assert value == pytest.approx(percentile(values, share), rel=1e-12)


def test_a_spread_is_of_all_numbers_whatever_their_shape() -> None:
    values = np.arange(101.0).reshape(1, 101)[:, ::-1]
    assert spread(values) == spread(values.ravel())
    found = spread(values)
    assert (found.median, found.p5, found.p95, found.p99) == (50, 5, 95, 99)


def test_of_nothing_there_is_no_spread() -> None:
    with pytest.raises(ValueError, match="nothing"):
        spread(np.empty((0, 5)))


def test_a_ratio_is_that_of_the_medians_of_each_round() -> None:
    times = np.array([[2, 4, 90.0], [3, 3, 3], [1, 2, 3]])
    reference = np.array([[1, 2, 2.0], [1, 1, 80], [4, 4, 4]])
    found = paired_ratio(times, reference)
    ratios = [4 / 2, 3 / 1, 2 / 4]
    assert found.median == 2
    assert found.p5 == pytest.approx(np.percentile(ratios, 5))
    assert found.p95 == pytest.approx(np.percentile(ratios, 95))


def test_a_machine_that_slows_down_does_not_change_a_ratio() -> None:
    random = np.random.default_rng(0)
    weather = np.geomspace(1, 20, 30)[random.permutation(30), None]
    slow, fast = 6 * weather * np.ones((1, 5)), 2 * weather * np.ones((1, 5))
    found = paired_ratio(slow, fast)
    assert [found.median, found.p5, found.p95] == pytest.approx([3, 3, 3])
    # The totals of halves of the run would be far from it.
    assert np.median(slow[:15]) / np.median(fast[15:]) != pytest.approx(3, rel=0.1)


def test_rounds_without_a_partner_are_refused() -> None:
    with pytest.raises(ValueError, match="3 rounds cannot be paired with 2"):
        paired_ratio(np.ones((3, 5)), np.ones((2, 5)))
