# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Soft aggregation, against its formula in float64."""

import numpy as np
import pytest
import torch

from vos_ros.models.aggregation import aggregate, merged_probabilities


def by_odds(logits: np.ndarray) -> np.ndarray:
    """K x H x W to (1 + K) x H x W: shares of the odds p / (1 - p), the background first."""
    p = 1 / (1 + np.exp(-logits))
    background = np.ones(p.shape[1:])
    for own in p:
        background = background * (1 - own)
    everything = np.concatenate([background[None], p])
    odds = everything / (1 - everything)
    return odds / odds.sum(axis=0)


def sample(objects: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(objects)
    return 6 * torch.rand(2, objects, 4, 5, generator=generator, dtype=torch.float64) - 3


@pytest.mark.parametrize("objects", [1, 3])
def test_probabilities_are_shares_of_the_odds(objects: int) -> None:
    logits = sample(objects)
    merged = aggregate(logits)
    assert merged.shape == (2, 1 + objects, 4, 5) and merged.dtype == torch.float32
    for got, own in zip(merged.softmax(dim=1), logits.numpy(), strict=True):
        np.testing.assert_allclose(got, by_odds(own), rtol=1e-5)


@pytest.mark.parametrize("objects", [1, 3])
def test_merged_probabilities_leave_the_background_out(objects: int) -> None:
    logits = sample(objects)
    merged = merged_probabilities(aggregate(logits))
    assert merged.shape == (2, objects, 4, 5)
    for got, own in zip(merged, logits.numpy(), strict=True):
        np.testing.assert_allclose(got, by_odds(own)[1:], rtol=1e-5)


def test_one_object_keeps_its_odds_and_the_background_has_the_inverse() -> None:
    logits = torch.linspace(-11, 11, 23).view(1, 1, 1, -1)
    background, target = aggregate(logits).unbind(dim=1)
    torch.testing.assert_close(target, logits[:, 0])
    torch.testing.assert_close(background, -logits[:, 0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("objects", [1, 3, 10])
def test_the_label_is_the_largest_of_all_probabilities(objects: int) -> None:
    """The published rule: the object predicted largest, or the background where it is larger."""
    logits = sample(objects) - np.log(objects)  # else many objects leave no background
    p = 1 / (1 + np.exp(-logits.numpy()))
    everything = np.concatenate([np.prod(1 - p, axis=1, keepdims=True), p], axis=1)
    labels = aggregate(logits).argmax(dim=1).numpy()
    assert np.array_equal(labels, everything.argmax(axis=1))
    assert {0, 1, objects} <= set(labels.flatten().tolist())


@pytest.mark.parametrize("objects", [1, 3, 20])
@pytest.mark.parametrize("value", [-1e30, -1e4, -20.0, 0.0, 20.0, 1e4, 1e30, float("inf")])
def test_extremes_stay_finite(objects: int, value: float) -> None:
    logits = torch.full((1, objects, 2, 2), value, requires_grad=True)
    merged = aggregate(logits)
    assert merged.isfinite().all()
    probabilities = merged.softmax(dim=1)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(1, 2, 2))
    probabilities[:, 0].log().sum().backward()
    assert logits.grad.isfinite().all()


def test_gradients_are_those_of_the_formula() -> None:
    logits = sample(3)[:1].requires_grad_()
    aggregate(logits).softmax(dim=1)[:, 0].sum().backward()
    step = 1e-6
    for index in np.ndindex(1, 3, 4, 5):
        ahead, behind = logits.detach().clone(), logits.detach().clone()
        ahead[index] += step
        behind[index] -= step
        slope = (by_odds(ahead[0].numpy())[0] - by_odds(behind[0].numpy())[0]).sum() / (2 * step)
        assert logits.grad[index].item() == pytest.approx(slope, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_narrow_logits_are_merged_in_float32(dtype: torch.dtype) -> None:
    logits = sample(3).to(dtype)
    merged = aggregate(logits)
    assert merged.dtype == torch.float32
    torch.testing.assert_close(merged, aggregate(logits.double()))
