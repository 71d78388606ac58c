# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The attention blocks of DGMPM, against equations 6 to 8 and the block of DFN by loops."""

import numpy as np
import pytest
import torch
from references import convolved, random, relu, resized
from torch import Tensor

from vos_ros.models.dgmpm.attention import (
    ChannelAttention,
    NoAttention,
    SpatialAttention,
    build_attention,
)

B, DEEP, SHALLOW, H, W = 2, 5, 3, 6, 8


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def inputs() -> tuple[Tensor, Tensor]:
    return random(B, DEEP, H // 2, W // 2) - 0.5, random(B, SHALLOW, H, W, seed=1) - 0.5


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_spatial_attention_is_equations_6_to_8() -> None:
    block = SpatialAttention(DEEP, SHALLOW).requires_grad_(False)
    assert block.first.weight.shape == (32, DEEP + SHALLOW, 3, 3)  # W1 3x3x32
    assert block.second.weight.shape == (1, 32, 3, 3)  # W2 3x3x1
    deep, shallow = inputs()
    result = block(deep, shallow)
    for got, d, s in zip(result, deep.double().numpy(), shallow.double().numpy(), strict=True):
        up = resized(d, H, W)
        alpha = sigmoid(
            convolved(relu(convolved(np.concatenate([up, s]), block.first)), block.second)
        )
        assert alpha.shape == (1, H, W)
        np.testing.assert_allclose(got, np.concatenate([up, alpha * s]), atol=1e-6)


def test_spatial_attention_by_hand() -> None:
    """W1 passes on the deep channel, W2 takes it times 10: shut where that level is negative."""
    block = SpatialAttention(1, 2, hidden=2).requires_grad_(False)
    for layer in (block.first, block.second):
        layer.weight.zero_()
        layer.bias.zero_()
    block.first.weight[0, 0, 1, 1] = 1
    block.second.weight[0, 0, 1, 1] = 10
    block.second.bias[:] = -5
    deep = torch.full((1, 1, 2, 2), 3.0)
    deep[..., 1] = -3
    result = block(deep, torch.ones(1, 2, 4, 4))
    torch.testing.assert_close(result[0, 0, :, 0], torch.full((4,), 3.0))
    torch.testing.assert_close(result[0, 1:, :, 0], torch.ones(2, 4))
    torch.testing.assert_close(
        result[0, 1:, :, 3], torch.full((2, 4), float(sigmoid(np.float64(-5))))
    )


def test_channel_attention_weighs_channels_by_the_means_of_both() -> None:
    block = ChannelAttention(DEEP, SHALLOW).requires_grad_(False)
    deep, shallow = inputs()
    result = block(deep, shallow)
    w1, b1 = block.first.weight[..., 0, 0].double().numpy(), block.first.bias.double().numpy()
    w2, b2 = block.second.weight[..., 0, 0].double().numpy(), block.second.bias.double().numpy()
    for got, d, s in zip(result, deep.double().numpy(), shallow.double().numpy(), strict=True):
        up = resized(d, H, W)
        means = np.concatenate([up, s]).reshape(DEEP + SHALLOW, -1).mean(axis=1)
        beta = sigmoid(w2 @ relu(w1 @ means + b1) + b2)
        np.testing.assert_allclose(got, np.concatenate([up, beta[:, None, None] * s]), atol=1e-6)


def test_no_attention_leaves_both_as_they_are() -> None:
    deep, shallow = inputs()
    result = NoAttention()(deep, shallow)
    assert torch.equal(result[:, DEEP:], shallow)
    for got, own in zip(result, deep.double().numpy(), strict=True):
        np.testing.assert_allclose(got[:DEEP], resized(own, H, W), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("spatial", SpatialAttention), ("channel", ChannelAttention), ("none", NoAttention)],
)
def test_blocks_are_built_by_name(name: str, kind: type) -> None:
    block = build_attention(name, DEEP, SHALLOW, 4)
    assert type(block) is kind
    assert block(*inputs()).shape == (B, DEEP + SHALLOW, H, W)


def test_an_unknown_block_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="one of spatial, channel, none, not 'both'"):
        build_attention("both", 1, 1, 1)
