# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Guided feature modulation, against convolutions written out and a reduction that is not split."""

import numpy as np
import pytest
import torch
from references import convolved, random, relu
from torch import nn
from torch.nn import functional as F

from vos_ros.models.gfddal.modulation import (
    FeatureModulationBlock,
    GuidedFeatureModulation,
    normalise_features,
)

N, K, C, H, W = 2, 3, 4, 4, 5


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def features() -> torch.Tensor:
    return normalise_features(torch.randn(N, C, H, W))


@pytest.fixture
def masks() -> torch.Tensor:
    return random(N, K, H, W, seed=1)


def test_features_are_normalised_by_channel_and_image() -> None:
    raw = 3 * torch.randn(N, C, H, W) + torch.arange(C).view(1, C, 1, 1)
    result = normalise_features(raw).numpy()
    for n in range(N):
        for c in range(C):
            plane = raw[n, c].double().numpy()
            expected = (plane - plane.mean()) / np.sqrt(plane.var() + 1e-5)
            np.testing.assert_allclose(result[n, c], expected, atol=1e-5)


def test_block_is_alpha_times_features_plus_beta(features, masks) -> None:
    """Both come from the mask by convolutions, place by place; the features have no affine part."""
    block = FeatureModulationBlock(C, hidden=3)
    result = block(features, masks).detach()
    assert result.shape == (N * K, C, H, W)
    for n in range(N):
        for k in range(K):
            hidden = relu(convolved(masks[n, k].double().numpy()[None], block.mask))
            both = convolved(hidden, block.modulation)
            alpha, beta = both[:C], both[C:]
            expected = alpha * features[n].double().numpy() + beta
            np.testing.assert_allclose(result[n * K + k], expected, atol=1e-5)


def test_a_block_that_learnt_nothing_passes_the_features(features, masks) -> None:
    block = FeatureModulationBlock(C)
    nn.init.zeros_(block.mask.weight)
    nn.init.zeros_(block.mask.bias)
    expected = features.repeat_interleave(K, dim=0)
    torch.testing.assert_close(block(features, masks).detach(), expected)


def test_all_parameters_are_convolutions() -> None:
    """Four of the masks and the two halves of the reduction; the normalisation has none."""
    layers = [m for m in GuidedFeatureModulation(C).modules() if list(m.parameters(recurse=False))]
    assert len(layers) == 6 and all(type(layer) is nn.Conv2d for layer in layers)


def test_the_two_halves_are_one_convolution_of_everything(features, masks) -> None:
    module = GuidedFeatureModulation(C)
    frame = normalise_features(torch.randn(N, C, H, W))
    previous = random(N, K, H, W, seed=2)
    first = module.start(features, masks)
    assert first.shape == (N, K, C, H, W)
    result = module(first, frame, previous)

    whole = nn.Conv2d(2 * C + 2, C, 3, padding=1)
    halves = (module.reduce_first.weight, module.reduce_current.weight)
    with torch.no_grad():
        whole.weight.copy_(torch.cat(halves, dim=1))
        whole.bias.copy_(module.reduce_first.bias)
    everything = torch.cat(
        [
            F.relu(module.first(features, masks)),
            masks.reshape(N * K, 1, H, W),
            F.relu(module.current(frame, previous)),
            previous.reshape(N * K, 1, H, W),
        ],
        dim=1,
    )
    assert result.shape == (N * K, C, H, W)
    torch.testing.assert_close(result, F.relu(whole(everything)), atol=1e-5, rtol=1e-5)


def test_frames_and_masks_are_not_mistaken_for_one_another(features, masks) -> None:
    """Frame 1 goes with the first mask, frame t with the previous: each of the four counts."""
    module = GuidedFeatureModulation(C)
    given = [features, masks, normalise_features(torch.randn(N, C, H, W)), masks.flip(3)]

    def run(frame1, mask1, frame, previous) -> torch.Tensor:
        return module(module.start(frame1, mask1), frame, previous)

    results = [run(*given)]
    for index in range(4):
        results.append(run(*(x.roll(1, -1) if i == index else x for i, x in enumerate(given))))
    for index, result in enumerate(results):
        assert all(not torch.allclose(result, other, atol=1e-3) for other in results[:index])
