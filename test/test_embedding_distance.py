# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Anchors and distance maps of DGMPM, against equations 1 to 5 written out by loops."""

import numpy as np
import pytest
import torch
from references import convolved, random, resized
from torch import Tensor
from torch.nn import functional as F

from vos_ros.models.dgmpm.embedding_distance import distance_map, mean_anchors
from vos_ros.models.dgmpm.extractor import EmbeddingExtractor

N, K, C, H, W = 2, 3, 5, 6, 7
CHANNELS = {2: 3, 4: 4, 8: 5, 16: 6, 32: 7}


def embedding(seed: int = 0, scale: float = 4.0) -> Tensor:
    return scale * (random(N, C, H, W, seed=seed) - 0.5)


def anchors_by_loops(vectors: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """C x h x w and h x w to 2 x C, foreground first."""
    sums, totals = np.zeros((2, vectors.shape[0])), np.zeros(2)
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            for side, weight in enumerate((mask[y, x], abs(1 - mask[y, x]))):
                sums[side] += weight * vectors[:, y, x]
                totals[side] += weight
    return sums / totals[:, None]


def distances_by_loops(vectors: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """C x h x w and 2 x C to h x w."""
    result = np.zeros(vectors.shape[1:])
    for y in range(result.shape[0]):
        for x in range(result.shape[1]):
            to_target, to_background = (
                np.sqrt(sum((t - a) ** 2 for t, a in zip(vectors[:, y, x], anchor, strict=True)))
                for anchor in anchors
            )
            result[y, x] = 1 / (1 + np.exp(-(to_background - to_target)))
    return result


@pytest.mark.parametrize("soft", [False, True])
def test_anchors_are_the_means_of_both_sides(soft: bool) -> None:
    vectors, masks = embedding(), random(N, K, H, W, seed=1)
    masks = masks if soft else masks.round()
    result = mean_anchors(vectors, masks)
    assert result.shape == (N, K, 2, C) and result.dtype == torch.float32
    for n in range(N):
        for k in range(K):
            expected = anchors_by_loops(vectors[n].double().numpy(), masks[n, k].double().numpy())
            np.testing.assert_allclose(result[n, k], expected, atol=1e-5)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 100.0])
def test_the_map_is_the_sigmoid_of_the_difference_of_distances(scale: float) -> None:
    vectors = embedding(seed=2, scale=scale)
    anchors = scale * (random(N, K, 2, C, seed=3) - 0.5)
    result = distance_map(vectors, anchors)
    assert result.shape == (N, K, H, W) and result.dtype == torch.float32
    for n in range(N):
        for k in range(K):
            expected = distances_by_loops(
                vectors[n].double().numpy(), anchors[n, k].double().numpy()
            )
            np.testing.assert_allclose(result[n, k], expected, atol=2e-3 if scale < 1 else 1e-4)


def test_the_object_is_highlighted_wherever_it_has_gone() -> None:
    """Two kinds of vectors: the map follows the kind, not the place."""
    kinds = torch.randn(2, C, generator=torch.Generator().manual_seed(0))
    before, after = torch.zeros(H, W, dtype=torch.long), torch.zeros(H, W, dtype=torch.long)
    before[:3, :3], after[3:, 4:] = 1, 1
    anchors = mean_anchors(kinds[before].permute(2, 0, 1)[None], before[None, None].float())
    torch.testing.assert_close(anchors[0, 0], kinds.flip(0))
    found = distance_map(3 * kinds[after].permute(2, 0, 1)[None], 3 * anchors)[0, 0]
    assert torch.equal(found > 0.5, after == 1)
    assert found[after == 1].min() > 0.9 > 0.1 > found[after == 0].max()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_empty_side_says_nothing_and_divides_nothing(value: float) -> None:
    vectors = embedding().requires_grad_(True)
    masks = random(N, K, H, W)
    masks[1, 2] = value
    anchors = mean_anchors(vectors, masks)
    result = distance_map(vectors, anchors)
    assert anchors.isfinite().all()
    torch.testing.assert_close(result[1, 2], torch.full((H, W), 0.5))
    assert (result[0] - 0.5).abs().max() > 0.01
    result.square().sum().backward()
    assert vectors.grad.isfinite().all()


def test_a_vector_at_its_anchor_has_a_gradient() -> None:
    """The root of nothing has none; the map must not hand that on."""
    vectors = torch.ones(1, C, 2, 2, requires_grad=True)
    masks = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    distance_map(vectors, mean_anchors(vectors, masks)).sum().backward()
    assert vectors.grad.isfinite().all()


def test_mixed_precision_stays_out() -> None:
    vectors, masks = embedding(scale=50), random(N, K, H, W)
    expected = distance_map(vectors, mean_anchors(vectors, masks))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = distance_map(vectors, mean_anchors(vectors, masks))
    assert torch.equal(result, expected)


# --- the extractor --------------------------------------------------------------------------------


def side_outputs(height: int = 64, width: int = 32, seed: int = 0) -> dict[int, Tensor]:
    return {
        s: random(2, c, height // s, width // s, seed=seed + s) - 0.5 for s, c in CHANNELS.items()
    }


def extractor(stride: int, out_channels: int = 4) -> EmbeddingExtractor:
    torch.manual_seed(7)
    return EmbeddingExtractor(CHANNELS, out_channels, stride).requires_grad_(False)


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_the_embedding_is_the_sum_of_convolved_side_outputs(stride: int) -> None:
    module, features = extractor(stride), side_outputs()
    result = module(features)
    assert result.shape == (2, 4, 64 // stride, 32 // stride)
    for n in range(2):
        total = np.zeros(result.shape[1:])
        for level, values in features.items():
            part = convolved(values[n].double().numpy(), module.levels[str(level)])
            if level < stride:
                f = stride // level
                c, h, w = part.shape
                part = part.reshape(c, h // f, f, w // f, f).mean(axis=(2, 4))
            total += resized(part, *result.shape[-2:])
        np.testing.assert_allclose(result[n], total, atol=1e-5)


def smooth_frame(seed: int) -> dict[int, Tensor]:
    """Side outputs that change slowly, as those of images do."""
    coarse = 4 * (random(1, 7, 5, 4, seed=seed) - 0.5)
    return {
        s: F.interpolate(coarse, (192 // s, 128 // s), mode="bilinear")[:, :c]
        for s, c in CHANNELS.items()
    }


@pytest.mark.parametrize(("stride", "apart"), [(2, 0.02), (4, 0.06)])
def test_a_strided_map_is_the_full_one_to_within_interpolation(stride: int, apart: float) -> None:
    masks = torch.zeros(1, 1, 192, 128)
    masks[..., 40:130, 30:90] = 1
    maps = {}
    for own in (1, stride):
        module = extractor(own, 16)
        anchors = mean_anchors(module(smooth_frame(1)), F.avg_pool2d(masks, own))
        maps[own] = distance_map(module(smooth_frame(5)), anchors)
    enlarged = F.interpolate(maps[stride], (192, 128), mode="bilinear")
    difference = (enlarged - maps[1]).abs()
    assert maps[1].std() > 0.1, "the map must vary for this to mean something"
    assert difference.mean() < 0.1 * apart and difference.max() < apart
