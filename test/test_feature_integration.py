# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The decoder of DGMPM, part by part against loops."""

import numpy as np
import pytest
import torch
from references import convolved, group_normalised, random, relu, resized
from torch import Tensor, nn

from vos_ros.models.dgmpm.decoder import (
    FeatureIntegration,
    GuidedLevel,
    MergeLevel,
    ResidualBlock,
)

N, K = 2, 2
WIDTHS = (32, 16, 8, 8, 8)
H, W = 1, 2  # at stride 32


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def build(levels: int = 5, maps: int = 2, output_stride: int = 2, attention: str = "spatial"):
    decoder = FeatureIntegration(WIDTHS[:levels], maps, attention, 4, output_stride)
    with torch.no_grad():
        decoder.predictor.weight.mul_(10)  # as after training: what goes in shows in what comes out
    return decoder.requires_grad_(False)


def inputs(levels: int = 5, maps: int = 2) -> tuple[dict[int, Tensor], dict[int, Tensor]]:
    strides = (32, 16, 8, 4, 2)[:levels]
    sizes = {s: (32 * H // s, 32 * W // s) for s in strides}
    laterals = {
        s: random(N, c, *sizes[s], seed=s) - 0.5 for s, c in zip(strides, WIDTHS, strict=False)
    }
    return laterals, {s: random(N * K, maps, *sizes[s], seed=s + 1) for s in strides}


@pytest.mark.parametrize("attention", ["spatial", "channel", "none"])
@pytest.mark.parametrize(("levels", "output_stride"), [(5, 1), (5, 2), (4, 1), (4, 4), (3, 8)])
def test_two_logits_at_the_output_stride(levels: int, output_stride: int, attention: str) -> None:
    logits = build(levels, 2, output_stride, attention)(*inputs(levels))
    assert logits.shape == (N * K, 2, 32 * H // output_stride, 32 * W // output_stride)
    assert logits.isfinite().all()


def test_the_published_widths() -> None:
    """128 channels a level, W1 of 32, and 2 at the end."""
    decoder = FeatureIntegration((128,) * 5, 2)
    convolutions = {n: m for n, m in decoder.named_modules() if isinstance(m, nn.Conv2d)}
    assert all(
        m.out_channels == 128
        for n, m in convolutions.items()
        if n.startswith(("levels", "merges")) and ".attention." not in n
    )
    assert {m.attention.first.out_channels for m in decoder.merges} == {32}
    assert {m.reduce.in_channels for m in decoder.merges} == {256}
    assert decoder.predictor.out_channels == 2 and decoder.scale == 2


@pytest.mark.parametrize("channels", [8, 32])
def test_a_residual_block_adds_two_convolutions(channels: int) -> None:
    block = ResidualBlock(channels).requires_grad_(False)
    assert isinstance(block.norm, nn.GroupNorm) == (channels == 32)
    x = random(1, channels, 4, 5) - 0.5
    own = x[0].double().numpy()
    y = convolved(own, block.first)
    if channels == 32:
        block.norm.weight.uniform_(0.5, 1.5)
        y = group_normalised(y, block.norm)
    expected = relu(own + convolved(relu(y), block.second))
    np.testing.assert_allclose(block(x)[0], expected, atol=1e-5)


def test_a_guided_level_is_a_convolution_of_side_output_and_maps_together() -> None:
    """Split in a share of the image and one of its objects, it is the same."""
    sides, maps = random(N, 7, 4, 5), random(N * K, 2, 4, 5, seed=1)
    shared = nn.Conv2d(7, 8, 1).requires_grad_(False)
    level = GuidedLevel(2, 8).requires_grad_(False)
    whole = nn.Conv2d(9, 8, 1).requires_grad_(False)
    whole.weight.copy_(torch.cat([shared.weight, level.maps.weight], dim=1))
    whole.bias.copy_(shared.bias)
    joined = torch.cat([sides.repeat_interleave(K, dim=0), maps], dim=1)
    torch.testing.assert_close(level(shared(sides), maps), level.block(whole(joined)))


def test_a_merge_is_attention_then_a_residual_block() -> None:
    merge = MergeLevel(5, 8, "none", 4).requires_grad_(False)
    deep, shallow = random(2, 5, 2, 3) - 0.5, random(2, 8, 4, 6, seed=1) - 0.5
    result = merge(deep, shallow)
    for got, d, s in zip(result, deep.double().numpy(), shallow.double().numpy(), strict=True):
        joined = convolved(np.concatenate([resized(d, 4, 6), s]), merge.reduce)
        y = convolved(relu(convolved(joined, merge.block.first)), merge.block.second)
        np.testing.assert_allclose(got, relu(joined + y), atol=1e-5)


def test_maps_and_side_outputs_count_at_every_level() -> None:
    decoder = build()
    laterals, maps = inputs()
    before = decoder(laterals, maps)
    for stride in maps:
        for channel in (0, 1):
            other = {s: x.clone() for s, x in maps.items()}
            other[stride][:, channel] = 1 - other[stride][:, channel]
            assert (decoder(laterals, other) - before).abs().max() > 1e-5, (stride, channel)
        other = {s: x.clone() for s, x in laterals.items()}
        other[stride] += random(*other[stride].shape, seed=9)
        assert (decoder(other, maps) - before).abs().max() > 1e-5, stride


@pytest.mark.parametrize("attention", ["spatial", "channel", "none"])
def test_objects_and_images_do_not_see_each_other(attention: str) -> None:
    decoder = build(attention=attention)
    laterals, maps = inputs()
    before = decoder(laterals, maps)

    def moved() -> Tensor:
        return (decoder(laterals, maps) - before).abs().amax(dim=(1, 2, 3))

    for value in maps.values():
        value[2] = 1 - value[2]  # the first object of the second image
    change = moved()
    assert change[2] > 1e-4 and (change[[0, 1, 3]] < 1e-6).all()
    for value in laterals.values():
        value[0] += random(*value[0].shape, seed=3)
    assert (moved()[:2] > 1e-4).all() and moved()[3] < 1e-6
