# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Global directional matching, against loops over equations 1 and 2 of the paper."""

import numpy as np
import pytest
import torch
from references import random, unit_vectors

from vos_ros.models.gfddal.matching import directional_kernels, match

N, K, D, H, W = 2, 3, 5, 3, 4


@pytest.fixture
def first() -> torch.Tensor:
    return unit_vectors(N, D, H, W, seed=1)


@pytest.fixture
def masks() -> torch.Tensor:
    """Soft masks, with places that are wholly in and wholly out."""
    return (1.6 * random(N, K, H, W, seed=2) - 0.3).clamp(0, 1)


def kernels_by_loops(first: torch.Tensor, masks: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Equation 1."""
    vectors, weights = first.double().numpy(), masks.double().numpy()
    target = np.zeros((N, K, H * W, D))
    background = np.zeros_like(target)
    for n in range(N):
        for k in range(K):
            for y in range(H):
                for x in range(W):
                    inside = weights[n, k, y, x]
                    for c in range(D):
                        target[n, k, y * W + x, c] = inside * vectors[n, c, y, x]
                        background[n, k, y * W + x, c] = (1 - inside) * vectors[n, c, y, x]
    return target, background


def best_by_loops(kernels: np.ndarray, frame: torch.Tensor) -> np.ndarray:
    """Equation 2 and the maximum after it; the frame may have another size than the first."""
    vectors = frame.double().numpy()
    height, width = vectors.shape[2:]
    best = np.full((N, K, height, width), -np.inf)
    for n in range(N):
        for k in range(K):
            for y in range(height):
                for x in range(width):
                    for kernel in kernels[n, k]:
                        cosine = sum(kernel[c] * vectors[n, c, y, x] for c in range(D))
                        best[n, k, y, x] = max(best[n, k, y, x], cosine)
    return best


def test_kernels_are_those_of_equation_1(first: torch.Tensor, masks: torch.Tensor) -> None:
    assert (masks == 0).any() and (masks == 1).any() and ((masks > 0) & (masks < 1)).any()
    for got, expected in zip(
        directional_kernels(first, masks), kernels_by_loops(first, masks), strict=True
    ):
        np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.mark.parametrize("size", [(H, W), (2, 5)])
def test_matches_are_those_of_equation_2(
    first: torch.Tensor, masks: torch.Tensor, size: tuple[int, int]
) -> None:
    frame = unit_vectors(N, D, *size, seed=3)
    result = match(*directional_kernels(first, masks), frame)
    assert result.shape == (N, K, 2, *size)
    target, background = kernels_by_loops(first, masks)
    np.testing.assert_allclose(result[:, :, 0], best_by_loops(target, frame), atol=1e-6)
    np.testing.assert_allclose(result[:, :, 1], best_by_loops(background, frame), atol=1e-6)


def test_a_place_finds_itself(first: torch.Tensor) -> None:
    """The frame the mask was given on: p is 1 where the mask is, and q where it is not."""
    masks = (random(N, K, H, W, seed=4) > 0.5).float()
    p, q = match(*directional_kernels(first, masks), first).unbind(dim=2)
    inside = masks.bool()
    torch.testing.assert_close(p[inside], torch.ones_like(p[inside]))
    torch.testing.assert_close(q[~inside], torch.ones_like(q[~inside]))
    assert p[~inside].max() < 0.999 and q[inside].max() < 0.999


def test_kernels_keep_the_type_of_the_directions(first: torch.Tensor, masks: torch.Tensor) -> None:
    kernels = directional_kernels(first.bfloat16(), masks)
    assert {kernel.dtype for kernel in kernels} == {torch.bfloat16}
    result = match(*kernels, first.bfloat16())
    exact = match(*directional_kernels(first, masks), first)
    torch.testing.assert_close(result.float(), exact, rtol=0, atol=0.02)
