# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The contract that every backbone keeps."""

import pytest
import torch
from torch import nn

from vos_ros.models.backbones import BACKBONES, STRIDES, build_backbone

SMALL = ("resnet18", "resnet50", "efficientnet_lite0")


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize(("height", "width"), [(64, 96), (75, 101)])
def test_features_have_the_promised_shapes(name: str, height: int, width: int) -> None:
    backbone = build_backbone(name)
    with torch.inference_mode():
        features = backbone(torch.randn(2, 3, height, width))
    assert tuple(features) == STRIDES == tuple(backbone.channels) == tuple(backbone.stages())
    for stride, feature in features.items():
        rows, columns = -(-height // stride), -(-width // stride)
        assert feature.shape == (2, backbone.channels[stride], rows, columns)


@pytest.mark.parametrize("name", SMALL)
def test_features_are_not_overwritten_by_later_layers(name: str) -> None:
    backbone = build_backbone(name).double()
    kept: dict[int, torch.Tensor] = {}
    for stride, names in backbone.stages().items():
        # For ResNet the stride-2 feature is what the pooling, without a name of its own, takes in.
        last = backbone.relu if names[-1] == "bn1" else backbone.get_submodule(names[-1])

        def keep(_: nn.Module, __: object, output: torch.Tensor, stride: int = stride) -> None:
            kept.setdefault(stride, output.clone())

        last.register_forward_hook(keep)
    with torch.inference_mode():
        features = backbone(torch.randn(1, 3, 64, 64, dtype=torch.float64))
    for stride, feature in features.items():
        assert torch.equal(feature, kept[stride]), stride


@pytest.mark.parametrize("name", SMALL)
def test_batch_norms_stay_in_evaluation_mode(name: str) -> None:
    backbone = build_backbone(name)
    norms = [module for module in backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    for owner in (backbone, nn.Sequential(backbone)):
        owner.train()
        assert backbone.training
        assert norms and not any(norm.training for norm in norms)
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    backbone(torch.randn(2, 3, 32, 32))
    assert all(torch.equal(value, before[key]) for key, value in backbone.state_dict().items())


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("until", [0, *STRIDES])
def test_freezing_stops_exactly_the_gradients_up_to_the_stride(name: str, until: int) -> None:
    backbone = build_backbone(name)
    backbone.freeze_until(until)
    # Which parameters a feature depends on is asked of automatic differentiation, by a twin.
    twin = build_backbone(name)
    early: set[str] = set()
    if until:
        twin(torch.randn(1, 3, 32, 32))[until].sum().backward()
        early = {key for key, value in twin.named_parameters() if value.grad is not None}
        assert early
    frozen = {key for key, value in backbone.named_parameters() if not value.requires_grad}
    assert frozen == early


def test_every_parameter_gets_a_gradient_from_the_last_feature() -> None:
    for name in SMALL:
        backbone = build_backbone(name)
        backbone(torch.randn(1, 3, 32, 32))[32].sum().backward()
        assert all(parameter.grad is not None for parameter in backbone.parameters())


def test_wrong_requests_are_answered_in_words() -> None:
    with pytest.raises(ValueError, match="'resnet9'.*resnet18.*efficientnet_lite2"):
        build_backbone("resnet9")
    with pytest.raises(ValueError, match="stride 3"):
        build_backbone("resnet18").freeze_until(3)
