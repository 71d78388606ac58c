# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Folding changes the speed, not the features."""

import pytest
import torch
from torch import Tensor, nn

from vos_ros.models.backbones import Backbone, build_backbone, fold_batch_norms


def trained_looking(name: str) -> Backbone:
    """Make a backbone whose norms do something: fresh ones are the identity."""
    backbone = build_backbone(name)
    generator = torch.Generator().manual_seed(5)
    for norm in backbone.modules():
        if isinstance(norm, nn.BatchNorm2d):
            shape = norm.weight.shape
            norm.weight.data = torch.rand(shape, generator=generator) + 0.5
            norm.bias.data = torch.randn(shape, generator=generator) * 0.2
            norm.running_mean = torch.randn(shape, generator=generator) * 0.2
            norm.running_var = torch.rand(shape, generator=generator) + 0.5
    return backbone.eval()


def count(module: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(child, kind) for child in module.modules())


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "efficientnet_lite0"])
@pytest.mark.parametrize(("height", "width"), [(64, 96), (45, 67)])
def test_folded_backbone_gives_the_same_features(name: str, height: int, width: int) -> None:
    backbone = trained_looking(name)
    folded = fold_batch_norms(backbone)
    assert count(folded, nn.BatchNorm2d) == 0
    assert count(folded, nn.Identity) == count(backbone, nn.BatchNorm2d) > 0
    images = torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected, features = backbone(images), folded(images)
    for stride, feature in expected.items():
        largest = feature.abs().max().item()
        torch.testing.assert_close(features[stride], feature, rtol=0, atol=1e-5 * largest)


def test_a_convolution_with_bias_and_groups_folds_exactly() -> None:
    class OneLayer(Backbone):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(6, 12, 3, groups=3, bias=True)
            self.bn = nn.BatchNorm2d(12, eps=0.1)

        def forward(self, images: Tensor) -> dict[int, Tensor]:
            return {2: self.bn(self.conv(images))}

    layer = OneLayer().double().eval()
    layer.bn.weight.data.uniform_(-2, 2)
    layer.bn.bias.data.uniform_(-2, 2)
    layer.bn.running_mean.uniform_(-2, 2)
    layer.bn.running_var.uniform_(0.01, 2)
    images = torch.randn(2, 6, 8, 9, dtype=torch.float64)
    with torch.inference_mode():
        torch.testing.assert_close(
            fold_batch_norms(layer)(images)[2], layer(images)[2], rtol=1e-12, atol=1e-12
        )


def test_the_original_is_left_alone_and_norms_outside_backbones_stay() -> None:
    backbone = trained_looking("resnet18")
    network = nn.ModuleDict(
        {"backbone": backbone, "conv": nn.Conv2d(3, 4, 1), "norm": nn.BatchNorm2d(4)}
    )
    before = {key: value.clone() for key, value in network.state_dict().items()}
    folded = fold_batch_norms(network)
    after = network.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[key], value) for key, value in before.items())
    assert count(folded["backbone"], nn.BatchNorm2d) == 0
    assert isinstance(folded["norm"], nn.BatchNorm2d)
