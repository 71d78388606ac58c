# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Lovász loss against its definition: an integral over thresholds, sets of pixels counted."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vos_ros.training.losses import frame_loss, soft_targets, total
from vos_ros.training.lovasz import jaccard_extension, lovasz_loss


def jaccard_loss(wrong: set[int], truth: set[int]) -> float:
    """One minus the intersection over union of the truth and what is found, some pixels wrong."""
    found = truth ^ wrong
    return 1 - len(found & truth) / len(found | truth) if found | truth else 0.0


def extension(errors: np.ndarray, truth: np.ndarray) -> float:
    """The integral over thresholds of the loss of the pixels whose errors are above.

    Lovász, "Submodular functions and convexity": no order of the pixels is needed.
    """
    inside = set(np.flatnonzero(truth).tolist())
    edges = np.unique([0.0, *errors.tolist()])
    value = 0.0
    for low, high in zip(edges, edges[1:], strict=False):
        wrong = set(np.flatnonzero(errors >= high).tolist())
        value += (high - low) * jaccard_loss(wrong, inside)
    return value


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_integral_over_thresholds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    errors, truth = rng.random((6, 20)), rng.random((6, 20)) < 0.4
    errors[1] = np.round(errors[1], 1)  # ties
    truth[2], truth[3] = False, True
    truth[4] = np.arange(20) == 7
    result = jaccard_extension(torch.from_numpy(errors), torch.from_numpy(truth))
    expected = [extension(e, t) for e, t in zip(errors, truth, strict=True)]
    assert result.tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_of_errors_of_0_and_1_it_is_the_jaccard_loss(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wrong, truth = rng.random(12) < 0.5, rng.random(12) < 0.5
    result = jaccard_extension(torch.from_numpy(wrong[None] * 1.0), torch.from_numpy(truth[None]))
    expected = jaccard_loss(*(set(np.flatnonzero(part).tolist()) for part in (wrong, truth)))
    assert result.item() == pytest.approx(expected, abs=1e-12)


def test_it_is_convex() -> None:
    rng = np.random.default_rng(3)
    truth = torch.from_numpy(rng.random((50, 9)) < 0.5)
    one, other = (torch.from_numpy(rng.random((50, 9))) for _ in range(2))
    middle = jaccard_extension((one + other) / 2, truth)
    ends = (jaccard_extension(one, truth) + jaccard_extension(other, truth)) / 2
    assert (middle <= ends + 1e-12).all() and (middle < ends - 1e-3).any()


def test_the_loss_is_the_mean_over_the_objects_that_are_there() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (2, 4, 5, 6))
    labels = rng.integers(0, 4, (2, 5, 6))
    labels[1][labels[1] == 2] = 0
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = []
    for clip in range(2):
        terms = []
        for one in set(np.unique(labels[clip]).tolist()) - {0}:
            truth = (labels[clip] == one).ravel()
            terms.append(extension(np.abs(truth - probabilities[clip, one].ravel()), truth))
        expected.append(sum(terms) / len(terms))
    targets = soft_targets(torch.from_numpy(labels), 3, 5, 6)
    result = lovasz_loss(torch.from_numpy(logits), targets)
    assert result.tolist() == pytest.approx(expected, rel=1e-5)


def test_a_cell_belongs_to_the_object_that_has_more_than_half_of_it() -> None:
    labels = torch.tensor([[[1, 1, 1, 0], [1, 0, 0, 0]]])
    targets = soft_targets(labels, 1, 1, 2)  # three quarters of one cell, a quarter of the other
    logits = torch.tensor([[[[0.0, 0.0]], [[1.0, -2.0]]]])
    probability = logits.softmax(dim=1)[0, 1, 0].double().numpy()
    errors = np.abs(probability - np.array([0.75, 0.25]))
    expected = extension(errors, np.array([True, False]))
    assert lovasz_loss(logits, targets).item() == pytest.approx(expected, rel=1e-6)


def test_nothing_there_costs_nothing() -> None:
    logits = torch.randn(2, 3, 3, 4, requires_grad=True)
    loss = lovasz_loss(logits, soft_targets(torch.zeros(2, 3, 4, dtype=torch.long), 2, 3, 4))
    loss.sum().backward()
    assert loss.tolist() == [0, 0] and not logits.grad.any()


def test_gradients_point_towards_the_truth() -> None:
    labels = torch.zeros(1, 4, 4, dtype=torch.long)
    labels[:, 1:3, 1:3] = 1
    logits = 0.1 * torch.randn(1, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    logits.requires_grad_()
    total(frame_loss(logits, None, labels, 1.0, dice=0, lovasz=1.0)).sum().backward()
    inside = labels[0] == 1
    assert (logits.grad[0, 1][inside] < 0).all() and (logits.grad[0, 1][~inside] > 0).all()
