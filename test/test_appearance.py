# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The directional appearance model, against densities of many digits and updates by hand."""

import mpmath
import numpy as np
import pytest
import torch
from references import random, unit_vectors

from vos_ros.models.gfddal.appearance import COMPONENTS, DirectionalAppearance

N, K, D, H, W = 2, 2, 6, 3, 4
RATE = 0.3
KAPPAS = (3.0, 4.0, 6.0, 2.0)


@pytest.fixture
def model() -> DirectionalAppearance:
    """Every component with a kappa of its own."""
    model = DirectionalAppearance(D, update_rate=RATE)
    with torch.no_grad():
        model.log_kappa.copy_(torch.tensor(KAPPAS).log())
    return model.requires_grad_(False)


@pytest.fixture
def first() -> torch.Tensor:
    return unit_vectors(N, D, H, W, seed=1)


@pytest.fixture
def later() -> torch.Tensor:
    return unit_vectors(N, D, H, W, seed=2)


@pytest.fixture
def masks() -> torch.Tensor:
    return mostly_certain(3)


def mostly_certain(seed: int) -> torch.Tensor:
    """Soft masks near 0 or 1, which two mean directions alone do not explain."""
    return (random(N, K, H, W, seed=seed) > 0.5) * 0.85 + 0.1 * random(N, K, H, W, seed=seed + 50)


def density(vector: np.ndarray, mean: np.ndarray, kappa: float) -> mpmath.mpf:
    """f_p(g; mu, kappa) of the paper, section 2.3, as it is printed."""
    half = mpmath.mpf(D) / 2
    kappa = mpmath.mpf(kappa)
    constant = kappa ** (half - 1) / ((2 * mpmath.pi) ** half * mpmath.besseli(half - 1, kappa))
    return constant * mpmath.exp(kappa * mpmath.mpf(float(np.dot(mean, vector))))


def posterior(vector: np.ndarray, means: np.ndarray) -> list[float]:
    """The share of every component in the density at a place, the components equally likely."""
    values = [density(vector, mean, KAPPAS[k]) for k, mean in enumerate(means)]
    return [float(value / sum(values)) for value in values]


def places(directions: torch.Tensor, image: int) -> np.ndarray:
    return directions[image].double().flatten(1).T.numpy()


def normalised(vector: np.ndarray) -> np.ndarray:
    return vector / np.sqrt((vector**2).sum())


def base_by_hand(vectors: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Mean directions of background and target, maximum likelihood."""
    background = sum((1 - a) * g for a, g in zip(inside, vectors, strict=True))
    target = sum(a * g for a, g in zip(inside, vectors, strict=True))
    return np.stack([normalised(background), normalised(target)])


def fitted_by_hand(base: np.ndarray, vectors: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Mean directions of what the base pair gets wrong, background and target."""
    sums = np.zeros((2, D))
    for a, g in zip(inside, vectors, strict=True):
        explained = posterior(g, base)
        sums[0] += max(0.0, (1 - a) - explained[0]) * g
        sums[1] += max(0.0, a - explained[1]) * g
    return np.stack([normalised(sums[0]), normalised(sums[1])])


def each_object():
    return [(n, k) for n in range(N) for k in range(K)]


def test_posterior_is_that_of_four_densities(model, first, later, masks) -> None:
    means = unit_vectors(N, K, COMPONENTS, D, dim=-1, seed=4)
    result = model(means, model.log_normalisers(), later)
    assert result.shape == (N, K, COMPONENTS, H, W) and result.dtype == torch.float32
    for n, k in each_object():
        shares = result[n, k].flatten(1).T.numpy()
        for got, vector in zip(shares, places(later, n), strict=True):
            np.testing.assert_allclose(got, posterior(vector, means[n, k].numpy()), rtol=2e-5)


def test_start_fits_the_base_and_then_what_it_gets_wrong(model, first, masks) -> None:
    means = model.start(model.log_normalisers(), first, masks).double().numpy()
    assert means.shape == (N, K, COMPONENTS, D)
    for n, k in each_object():
        inside = masks[n, k].double().flatten().numpy()
        base = base_by_hand(places(first, n), inside)
        np.testing.assert_allclose(means[n, k, :2], base, atol=1e-5)
        fitted = fitted_by_hand(base, places(first, n), inside)
        np.testing.assert_allclose(means[n, k, 2:], fitted, atol=1e-4)


def test_update_moves_the_supplementary_means_by_lambda_on_the_sphere(
    model, first, later, masks
) -> None:
    old = model.start(model.log_normalisers(), first, masks)
    estimated = mostly_certain(5)
    new = model.update(old, model.log_normalisers(), later, estimated)
    assert torch.equal(new[:, :, :2], old[:, :, :2]), "base means are fixed"
    for n, k in each_object():
        inside = estimated[n, k].double().flatten().numpy()
        before = old[n, k].double().numpy()
        fitted = fitted_by_hand(before[:2], places(later, n), inside)
        for component in (0, 1):
            moved = (1 - RATE) * before[2 + component] + RATE * fitted[component]
            assert np.linalg.norm(moved) < 0.999  # else leaving the sphere could not show
            np.testing.assert_allclose(new[n, k, 2 + component], normalised(moved), atol=1e-4)


def test_means_stay_on_the_sphere_and_the_base_where_it_was(model, first, masks) -> None:
    start = means = model.start(model.log_normalisers(), first, masks)
    normalisers = model.log_normalisers()
    for seed in range(60):
        directions = unit_vectors(N, D, H, W, seed=100 + seed)
        means = model.update(means, normalisers, directions, random(N, K, H, W, seed=200 + seed))
    assert torch.equal(means[:, :, :2], start[:, :, :2])
    assert not torch.allclose(means[:, :, 2:], start[:, :, 2:], atol=0.1)
    torch.testing.assert_close(means.norm(dim=-1), torch.ones(N, K, COMPONENTS))


@pytest.mark.parametrize(("inside", "kept", "moved"), [(0.0, 3, 2), (1.0, 2, 3)])
def test_a_component_without_weight_keeps_its_old_mean(
    model, first, later, masks, inside: float, kept: int, moved: int
) -> None:
    """No target in the estimated mask: nothing new is learnt of the target; and the reverse."""
    old = model.start(model.log_normalisers(), first, masks)
    estimated = torch.full((N, K, H, W), inside)
    new = model.update(old, model.log_normalisers(), later, estimated)
    assert torch.equal(new[:, :, kept], old[:, :, kept])
    assert not torch.isclose(new[:, :, moved], old[:, :, moved], atol=1e-3).all(dim=-1).any()


@pytest.mark.parametrize(("weight", "known"), [(0.045, False), (0.8, True)])
def test_a_trace_of_weight_is_not_enough_to_move(model, later, weight: float, known: bool) -> None:
    """One place of the target, so little that noise would decide the direction."""
    base = torch.zeros(1, 1, 2, D)
    base[..., 0, 0] = base[..., 1, 1] = 1
    old = torch.cat([base, base.flip(-1)], dim=2)
    later = -base[0, :, 1].view(1, D, 1, 1).expand(1, D, H, W)  # nothing like the base target
    estimated = torch.zeros(1, 1, H, W)
    estimated[0, 0, 1, 1] = weight
    new = model.update(old, model.log_normalisers(), later, estimated)
    assert torch.equal(new[:, :, 3], old[:, :, 3]) != known


def test_an_object_without_a_place_gives_no_nan(model, first, later) -> None:
    masks = torch.zeros(N, K, H, W)
    masks[:, 1] = 1
    means = model.start(model.log_normalisers(), first, masks)
    assert means.isfinite().all()
    assert model(means, model.log_normalisers(), later).isfinite().all()


def test_mixed_precision_stays_out_of_the_densities(model, first, later, masks) -> None:
    normalisers = model.log_normalisers()

    def run() -> list[torch.Tensor]:
        means = model.start(model.log_normalisers(), first, masks)
        return [
            means,
            model(means, normalisers, later),
            model.update(means, normalisers, later, masks),
        ]

    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = run()
    for got, expected in zip(mixed, run(), strict=True):
        assert torch.equal(got, expected)


def test_kappa_is_positive_and_learns(first, later, masks) -> None:
    model = DirectionalAppearance(D)
    means, normalisers = model.start(model.log_normalisers(), first, masks), model.log_normalisers()
    (model(means, normalisers, later)[:, :, 3] ** 2).sum().backward()
    assert (model.log_kappa.grad.abs() > 1e-6).all()
    with torch.no_grad():
        model.log_kappa.fill_(-8.0)
    assert model.log_normalisers().isfinite().all()
