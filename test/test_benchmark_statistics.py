# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Medians, percentiles, and ratios of paired times."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from vos_ros.benchmark.statistics import median_interval, paired_ratios, spread

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
    assert paired_ratios(times, reference) == pytest.approx([4 / 2, 3 / 1, 2 / 4])


def test_turns_need_not_be_of_one_length() -> None:
    times = [np.array([2.0, 4, 6]), np.array([10.0])]
    reference = [np.array([1.0, 3]), np.array([2.0, 4, 5, 7, 9])]
    assert paired_ratios(times, reference).tolist() == [2, 2]


def test_a_machine_that_slows_down_does_not_change_a_ratio() -> None:
    random = np.random.default_rng(0)
    weather = np.geomspace(1, 20, 30)[random.permutation(30), None]
    slow, fast = 6 * weather * np.ones((1, 5)), 2 * weather * np.ones((1, 5))
    assert paired_ratios(slow, fast) == pytest.approx(np.full(30, 3.0))
    # The totals of halves of the run would be far from it.
    assert np.median(slow[:15]) / np.median(fast[15:]) != pytest.approx(3, rel=0.1)


def test_rounds_without_a_partner_are_refused() -> None:
    with pytest.raises(ValueError, match="3 rounds cannot be paired with 2"):
        paired_ratios(np.ones((3, 5)), np.ones((2, 5)))


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("count", [1, 2, 5, 6, 7, 8, 9, 20, 21, 100, 1001])
def test_the_interval_is_the_narrowest_that_the_binomial_distribution_allows(
    count: int, confidence: float
) -> None:
    coins = binom(count, 0.5)
    # The k-th lowest to the k-th highest fails when fewer than k values lie on one side.
    allowed = [k for k in range(1, count // 2 + 1) if 2 * coins.cdf(k - 1) <= 1 - confidence]
    found = median_interval(np.arange(1, count + 1)[::-1], confidence)
    assert found == ((allowed[-1], count + 1 - allowed[-1]) if allowed else None)


@pytest.mark.parametrize("draw", ["normal", "exponential", "standard_cauchy"])
def test_the_interval_holds_the_median_as_often_as_it_says(draw: str) -> None:
    random = np.random.default_rng(4)
    median = {"normal": 0.0, "exponential": math.log(2), "standard_cauchy": 0.0}[draw]
    samples = getattr(random, draw)(size=(4000, 20))
    intervals = [median_interval(sample) for sample in samples]
    held = np.mean([low <= median <= high for low, high in intervals])
    exact = 1 - 2 * binom(20, 0.5).cdf(5)  # the 6th of 20: 0.959
    assert held == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 4000))


def test_too_few_values_have_no_interval() -> None:
    assert median_interval(np.ones(5)) is None
    assert median_interval(np.array([3.0, 1, 2, 6, 5, 4])) == (1, 6)
    assert median_interval(np.array([])) is None
