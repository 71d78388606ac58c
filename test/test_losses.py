# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Losses against numbers worked out by hand and loops in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from vos_ros.training.losses import (
    bootstrapped_cross_entropy,
    dice_loss,
    frame_loss,
    soft_targets,
    total,
)
from vos_ros.training.lovasz import lovasz_loss


def random_case(objects=2, seed=0):
    """Logits and soft targets B = 2 x (1 + K) x 3 x 4, and their softmax by numpy."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (2, objects + 1, 3, 4))
    targets = rng.dirichlet(np.ones(objects + 1) * 0.3, (2, 3, 4)).transpose(0, 3, 1, 2)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return torch.from_numpy(logits).float(), torch.from_numpy(targets).float(), probabilities


def test_targets_are_the_shares_of_each_cell():
    labels = torch.tensor([[[0, 1, 2, 2], [1, 1, 2, 0]]], dtype=torch.uint8)
    targets = soft_targets(labels, 3, 1, 2)
    assert targets.shape == (1, 4, 1, 2) and targets.dtype == torch.float32
    assert targets[0, :, 0, 0].tolist() == [0.25, 0.75, 0, 0]
    assert targets[0, :, 0, 1].tolist() == [0.25, 0, 0.75, 0]


def test_targets_at_full_size_are_one_hot():
    labels = torch.randint(0, 3, (2, 4, 6))
    targets = soft_targets(labels, 2, 4, 6)
    assert torch.equal(targets.argmax(dim=1), labels) and torch.equal(
        targets.sum(dim=1), torch.ones(2, 4, 6)
    )


@pytest.mark.parametrize("worst", [1.0, 0.5, 0.25, 0.01])
def test_cross_entropy_is_the_mean_over_the_worst_pixels_of_each_clip(worst):
    logits, targets, probabilities = random_case()
    means = []
    for clip in range(2):
        losses = []
        for y in range(3):
            for x in range(4):
                shares = zip(targets[clip, :, y, x], probabilities[clip, :, y, x], strict=True)
                losses.append(-sum(float(t) * math.log(p) for t, p in shares))
        kept = sorted(losses, reverse=True)[: max(1, int(worst * 12))]
        means.append(sum(kept) / len(kept))
    result = bootstrapped_cross_entropy(logits, targets, worst)
    assert result.tolist() == pytest.approx(means, rel=1e-5)


def test_cross_entropy_of_known_numbers():
    logits = torch.zeros(1, 2, 1, 2)
    logits[0, 1, 0, 1] = math.log(3)  # probabilities 1/4 and 3/4 there
    targets = soft_targets(torch.tensor([[[0, 1]]]), 1, 1, 2)
    expected = (math.log(2) + math.log(4 / 3)) / 2
    assert float(bootstrapped_cross_entropy(logits, targets, 1.0)) == pytest.approx(expected)
    assert float(bootstrapped_cross_entropy(logits, targets, 0.5)) == pytest.approx(math.log(2))


def test_the_logarithm_of_half_precision_logits_is_taken_in_full():
    logits = torch.tensor([[[[0.3]], [[-1.1]]]], dtype=torch.bfloat16)
    targets = soft_targets(torch.tensor([[[1]]]), 1, 1, 1)
    background, target = logits.flatten().double().tolist()
    result = bootstrapped_cross_entropy(logits, targets, 1.0)
    expected = math.log1p(math.exp(background - target))
    assert float(result) == pytest.approx(expected, rel=1e-5)


def test_dice_is_the_loop_over_clips_and_objects():
    logits, targets, probabilities = random_case()
    targets[1, 1] = 0  # the first object is not in the second clip
    means = []
    for clip in range(2):
        terms = []
        for k in (1, 2):
            t, p = targets[clip, k].double().numpy(), probabilities[clip, k]
            if t.sum() > 0:
                terms.append(1 - (2 * (t * p).sum() + 1) / (t.sum() + p.sum() + 1))
        assert len(terms) == 2 - clip
        means.append(sum(terms) / len(terms))
    assert dice_loss(logits, targets).tolist() == pytest.approx(means, rel=1e-5)


def test_dice_of_nothing_is_nothing():
    logits = torch.randn(2, 3, 3, 4, requires_grad=True)
    targets = soft_targets(torch.zeros(2, 3, 4, dtype=torch.long), 2, 3, 4)
    loss = dice_loss(logits, targets)
    loss.sum().backward()
    assert loss.tolist() == [0, 0] and not logits.grad.any()


def test_a_perfect_prediction_costs_nothing():
    labels = torch.randint(0, 3, (2, 8, 8))
    logits = 40 * soft_targets(labels, 2, 8, 8)
    for value in frame_loss(logits, logits, labels, 0.25).values():
        assert value.max() < 1e-5


def test_the_parts_of_a_frame_add_up():
    labels = torch.randint(0, 2, (2, 8, 8))
    logits, coarse = torch.randn(2, 2, 4, 4), torch.randn(2, 2, 2, 2)
    parts = frame_loss(logits, coarse, labels, 0.25)
    fine = soft_targets(labels, 1, 4, 4)
    expected = {
        "cross_entropy": bootstrapped_cross_entropy(logits, fine, 0.25),
        "dice": 0.5 * dice_loss(logits, fine),
        "coarse": 0.5 * bootstrapped_cross_entropy(coarse, soft_targets(labels, 1, 2, 2), 1.0),
    }
    torch.testing.assert_close(parts, expected)
    torch.testing.assert_close(total(parts), sum(expected.values()))
    assert set(frame_loss(logits, None, labels, 0.25)) == {"cross_entropy", "dice"}


def test_the_parts_have_the_weights_that_are_given():
    labels = torch.randint(0, 2, (2, 8, 8))
    logits, coarse = torch.randn(2, 2, 4, 4), torch.randn(2, 2, 2, 2)
    fine = soft_targets(labels, 1, 4, 4)
    parts = frame_loss(logits, coarse, labels, 1.0, dice=0, lovasz=3.0, coarse=2.0)
    assert set(parts) == {"cross_entropy", "lovasz", "coarse"}
    torch.testing.assert_close(parts["lovasz"], 3 * lovasz_loss(logits, fine))
    cells = soft_targets(labels, 1, 2, 2)
    torch.testing.assert_close(parts["coarse"], 2 * bootstrapped_cross_entropy(coarse, cells, 1.0))
    alone = frame_loss(logits, coarse, labels, 1.0, dice=0, coarse=0)
    assert set(alone) == {"cross_entropy"}


def test_gradients_point_towards_the_truth():
    labels = torch.zeros(1, 4, 4, dtype=torch.long)
    labels[:, 1:3, 1:3] = 1
    logits = torch.zeros(1, 2, 4, 4, requires_grad=True)
    total(frame_loss(logits, None, labels, 1.0)).backward()
    inside = labels[0] == 1
    assert (logits.grad[0, 1][inside] < 0).all() and (logits.grad[0, 1][~inside] > 0).all()
