# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The guided pooled decoder and the plain one, part by part against loops."""

import numpy as np
import pytest
import torch
from references import convolved, group_normalised, relu, resized
from torch import Tensor

from vos_ros.models.gfddal.decoder import (
    DilatedFeatureAggregation,
    GlobalGuide,
    GuidedPooledDecoder,
)

N, K = 2, 2
FUSED = 8
WIDTHS = {3: (16, 8, 8), 4: (16, 8, 8, 4)}
H, W = 2, 3  # at stride 16


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def build(levels: int, guided: bool) -> GuidedPooledDecoder:
    decoder = GuidedPooledDecoder(FUSED, WIDTHS[levels], guided)
    with torch.no_grad():
        decoder.predictor.weight.mul_(10)  # as after training: what goes in shows in what comes out
    return decoder.requires_grad_(False)


def inputs(levels: int) -> tuple[Tensor, dict[int, Tensor], dict[int, Tensor]]:
    strides = (16, 8, 4, 2)[:levels]
    sizes = {s: (16 * H // s, 16 * W // s) for s in strides}
    widths = dict(zip(strides, WIDTHS[levels], strict=True))
    laterals = {s: torch.randn(N, widths[s], *sizes[s]) for s in strides[1:]}
    maps = {s: torch.rand(N * K, 2, *sizes[s]) for s in strides}
    return torch.randn(N * K, FUSED, H, W), laterals, maps


@pytest.mark.parametrize("guided", [True, False])
@pytest.mark.parametrize(("levels", "stride"), [(3, 4), (4, 2)])
def test_one_logit_per_object_at_the_finest_stride(levels: int, stride: int, guided: bool) -> None:
    logits = build(levels, guided)(*inputs(levels))
    assert logits.shape == (N * K, 1, 16 * H // stride, 16 * W // stride)
    assert logits.isfinite().all()


@pytest.mark.parametrize("guided", [True, False])
@pytest.mark.parametrize("levels", [3, 4])
def test_objects_do_not_see_each_other(levels: int, guided: bool) -> None:
    decoder = build(levels, guided)
    fused, laterals, maps = inputs(levels)
    before = decoder(fused, laterals, maps)
    changed = 2  # the first object of the second image
    fused[changed] += 1
    for value in maps.values():
        value[changed] = 1 - value[changed]
    moved = (decoder(fused, laterals, maps) - before).abs().amax(dim=(1, 2, 3))
    assert moved[changed] > 1e-3
    assert (moved[[0, 1, 3]] < 1e-5).all()


@pytest.mark.parametrize("guided", [True, False])
def test_lateral_features_reach_every_object_of_their_image_alone(guided: bool) -> None:
    decoder = build(4, guided)
    fused, laterals, maps = inputs(4)
    before = decoder(fused, laterals, maps)
    for stride in laterals:
        other = {s: x.clone() for s, x in laterals.items()}
        other[stride][1] += torch.randn_like(other[stride][1])
        moved = (decoder(fused, other, maps) - before).abs().amax(dim=(1, 2, 3))
        assert (moved[:2] < 1e-5).all() and (moved[2:] > 1e-3).all(), stride


def test_foreground_maps_count_at_every_level_of_the_guided_decoder() -> None:
    decoder = build(4, True)
    fused, laterals, maps = inputs(4)
    before = decoder(fused, laterals, maps)
    for stride in maps:
        for channel in (0, 1):
            other = {s: x.clone() for s, x in maps.items()}
            other[stride][:, channel] = 1 - other[stride][:, channel]
            after = decoder(fused, laterals, other)
            assert (after - before).abs().max() > 1e-4, (stride, channel)


def test_the_guide_flows_to_every_level() -> None:
    """Without its own flow, each level gives something else: the guide is no detour."""
    decoder = build(4, True)
    given = inputs(4)
    before = decoder(*given)
    for level in decoder.levels:
        kept = level.flow.weight.clone()
        level.flow.weight.zero_()
        assert (decoder(*given) - before).abs().max() > 1e-4
        level.flow.weight.copy_(kept)


def test_the_plain_decoder_has_nothing_of_the_guided_one() -> None:
    decoder = build(3, False)
    parts = {type(module) for module in decoder.modules()}
    assert not parts & {GlobalGuide, DilatedFeatureAggregation}
    fused, laterals, maps = inputs(3)
    flipped = {s: 1 - x for s, x in maps.items()}
    assert torch.equal(decoder(fused, laterals, maps), decoder(fused, laterals, flipped))
    guided = sum(p.numel() for p in build(3, True).parameters())
    assert sum(p.numel() for p in decoder.parameters()) < guided


def aggregated(x: np.ndarray, module: DilatedFeatureAggregation) -> np.ndarray:
    y = relu(group_normalised(x, module.norm))
    y = np.concatenate([convolved(y, branch) for branch in module.branches])
    return x + convolved(relu(y), module.mix)


def test_dilated_aggregation_is_four_dilated_convolutions_mixed() -> None:
    module = DilatedFeatureAggregation(8).requires_grad_(False)
    module.norm.weight.uniform_(0.5, 1.5)
    module.norm.bias.uniform_(-0.5, 0.5)
    x = torch.randn(2, 8, 6, 11)
    result = module(x)
    assert [branch.dilation for branch in module.branches] == [(1, 1), (2, 2), (4, 4), (8, 8)]
    for got, own in zip(result, x, strict=True):
        np.testing.assert_allclose(got, aggregated(own.double().numpy(), module), atol=1e-5)


def guided_by_hand(x: np.ndarray, guide: GlobalGuide) -> np.ndarray:
    """Means over 1, 3 x 3 and 5 x 5 blocks, each through its convolution, joined."""
    _, height, width = x.shape
    parts = [x]
    for bins, layer in zip((1, 3, 5), guide.parts, strict=True):
        blocks = x.reshape(-1, bins, height // bins, bins, width // bins).mean(axis=(2, 4))
        parts.append(resized(relu(convolved(blocks, layer)), height, width))
    return relu(convolved(np.concatenate(parts), guide.join))


def test_the_guide_is_a_pyramid_of_means() -> None:
    guide = GlobalGuide(8, 6).requires_grad_(False)
    x = torch.randn(2, 8, 15, 30)
    for got, own in zip(guide(x), x, strict=True):
        np.testing.assert_allclose(got, guided_by_hand(own.double().numpy(), guide), atol=1e-5)


def test_a_guided_level_adds_all_that_flows_in_and_aggregates() -> None:
    decoder = build(3, True)
    level = decoder.levels[1]
    x, guide = torch.randn(N * K, WIDTHS[3][0], H, W), torch.randn(N * K, WIDTHS[3][1], H, W)
    maps, lateral = torch.rand(N * K, 2, 2 * H, 2 * W), torch.randn(N, WIDTHS[3][1], 2 * H, 2 * W)
    result = level(x, guide, maps, lateral)
    for b in range(N * K):
        own, seen, map_, shared = (
            t.double().numpy() for t in (x[b], guide[b], maps[b], lateral[b // K])
        )
        total = convolved(map_, level.maps) + shared
        total += resized(convolved(own, level.up), 2 * H, 2 * W)
        total += resized(convolved(seen, level.flow), 2 * H, 2 * W)
        np.testing.assert_allclose(result[b], aggregated(total, level.aggregation), atol=1e-4)
