# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The von Mises-Fisher density, against arithmetic of 40 digits and against closed forms."""

import math

import mpmath
import numpy as np
import pytest
import torch
from references import random, unit_vectors

from vos_ros.models.gfddal.von_mises_fisher import log_normaliser, mean_direction

#: orders of the Bessel function below, at and above where the expansion takes over, whole and half
DIMENSIONS = (2, 3, 4, 7, 16, 63, 128, 129, 130, 131, 256, 512, 1023, 1024)
KAPPAS = [10.0 ** (exponent / 2) for exponent in range(-4, 9)]  # 1e-2 .. 1e4


@pytest.fixture(autouse=True)
def digits():
    with mpmath.workdps(40):
        yield


def reference(kappa, dimension: int):
    """log C_p(kappa) of the paper, section 2.3."""
    half = mpmath.mpf(dimension) / 2
    bessel = mpmath.besseli(half - 1, kappa)
    return (half - 1) * mpmath.log(kappa) - half * mpmath.log(2 * mpmath.pi) - mpmath.log(bessel)


def relative_error(got: float, expected) -> float:
    return float(abs((mpmath.mpf(got) - expected) / expected))


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_log_normaliser_agrees_with_many_digits(dimension: int) -> None:
    values = log_normaliser(torch.tensor(KAPPAS, dtype=torch.float64), dimension)
    assert values.dtype == torch.float64
    for kappa, value in zip(KAPPAS, values.tolist(), strict=True):
        assert relative_error(value, reference(mpmath.mpf(kappa), dimension)) <= 1e-11, kappa


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_derivative_agrees_with_a_difference_quotient_of_many_digits(dimension: int) -> None:
    kappas = torch.tensor(KAPPAS, dtype=torch.float64, requires_grad=True)
    log_normaliser(kappas, dimension).sum().backward()
    for kappa, slope in zip(KAPPAS, kappas.grad.tolist(), strict=True):
        step = mpmath.mpf(kappa) * mpmath.mpf(10) ** -12
        ahead = reference(kappa + step, dimension)
        behind = reference(kappa - step, dimension)
        assert relative_error(slope, (ahead - behind) / (2 * step)) <= 1e-10, kappa


def test_in_three_dimensions_it_is_the_closed_form() -> None:
    """C_3(kappa) = kappa / (4 pi sinh kappa)."""
    kappa = np.array([0.05, 0.7, 3.0, 40.0])
    expected = np.log(kappa / (4 * math.pi * np.sinh(kappa)))
    np.testing.assert_allclose(log_normaliser(torch.tensor(kappa), 3), expected, rtol=1e-9)


@pytest.mark.parametrize("kappa", [0.1, 2.0, 30.0])
def test_the_density_on_the_circle_adds_up_to_one(kappa: float) -> None:
    angles = torch.linspace(0, 2 * math.pi, 2001, dtype=torch.float64)[:-1]
    constant = log_normaliser(torch.tensor(kappa, dtype=torch.float64), 2)
    density = (constant + kappa * angles.cos()).exp()
    assert (density.mean() * 2 * math.pi).item() == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("dimension", [2, 5, 128, 600])
def test_gradients_pass_the_check_of_automatic_differentiation(dimension: int) -> None:
    kappas = torch.tensor([0.5, 4.0, 60.0, 900.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda kappa: log_normaliser(kappa, dimension), kappas)


def test_a_second_derivative_is_refused_rather_than_wrong() -> None:
    kappa = torch.tensor([3.0], requires_grad=True)
    square = log_normaliser(kappa, 8) ** 2
    (slope,) = torch.autograd.grad(square.sum(), kappa, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_narrow_numbers_are_computed_in_wide_ones(dtype: torch.dtype) -> None:
    kappa = torch.tensor(KAPPAS).view(1, -1).to(dtype).requires_grad_()
    wide = kappa.detach().double().requires_grad_()
    narrow, exact = log_normaliser(kappa, 512), log_normaliser(wide, 512)
    assert narrow.dtype == dtype and narrow.shape == kappa.shape
    torch.testing.assert_close(narrow, exact.to(dtype), rtol=0, atol=0)
    narrow.sum().backward()
    exact.sum().backward()
    torch.testing.assert_close(kappa.grad, wide.grad.to(dtype), rtol=0, atol=0)


@pytest.mark.parametrize("dimension", [1, 0, -3])
def test_vectors_that_span_no_sphere_are_refused(dimension: int) -> None:
    with pytest.raises(ValueError, match=f"length 2 or more, not {dimension}"):
        log_normaliser(torch.tensor([1.0]), dimension)


@pytest.mark.parametrize("shared", [False, True])
def test_mean_direction_is_the_closed_form(shared: bool) -> None:
    batch, classes, length, places = 2, 3, 5, 7
    vectors = unit_vectors(1 if shared else batch, length, places)
    weights = random(batch, classes, places)
    means, totals = mean_direction(vectors, weights)
    assert means.shape == (batch, classes, length) and totals.shape == (batch, classes)
    for b in range(batch):
        own = vectors[0 if shared else b].double().numpy()
        for k in range(classes):
            resultant = np.zeros(length)
            for place in range(places):
                resultant += weights[b, k, place].item() * own[:, place]
            expected = resultant / math.sqrt((resultant**2).sum())
            np.testing.assert_allclose(means[b, k], expected, atol=1e-6)
            assert totals[b, k].item() == pytest.approx(weights[b, k].sum().item(), rel=1e-6)


def test_the_mean_of_nothing_is_zero_and_says_so() -> None:
    means, totals = mean_direction(unit_vectors(1, 4, 6), torch.zeros(1, 2, 6))
    assert not means.any() and not totals.any()
