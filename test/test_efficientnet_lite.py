# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite against published sizes and a plain functional computation."""

from math import ceil
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from vos_ros.models.backbones import build_backbone, load_imagenet_weights

# Published totals, less the head (1x1 convolution to 1280 channels, its norm) and the classifier.
TOTALS = {0: 4_652_008, 1: 5_416_680, 2: 6_092_072}
CHANNELS = {
    0: {2: 16, 4: 24, 8: 40, 16: 112, 32: 320},
    1: {2: 16, 4: 24, 8: 40, 16: 112, 32: 320},
    2: {2: 16, 4: 24, 8: 48, 16: 120, 32: 352},
}
# Of Lite0, block by block: channels in, channels out, kernel, stride. All but the first expand
# six times.
LITE0 = (
    (32, 16, 3, 1),
    (16, 24, 3, 2), (24, 24, 3, 1),
    (24, 40, 5, 2), (40, 40, 5, 1),
    (40, 80, 3, 2), (80, 80, 3, 1), (80, 80, 3, 1),
    (80, 112, 5, 1), (112, 112, 5, 1), (112, 112, 5, 1),
    (112, 192, 5, 2), (192, 192, 5, 1), (192, 192, 5, 1), (192, 192, 5, 1),
    (192, 320, 3, 1),
)  # fmt: skip


def lite0_shapes() -> dict[str, tuple[int, ...]]:
    """List the convolutions and norms of the published checkpoint of Lite0 by its naming rules."""
    layers = [("_conv_stem", "_bn0", (32, 3, 3, 3))]
    for index, (inputs, outputs, kernel, _) in enumerate(LITE0):
        hidden, prefix = inputs if index == 0 else 6 * inputs, f"_blocks.{index}."
        if index > 0:
            layers.append((f"{prefix}_expand_conv", f"{prefix}_bn0", (hidden, inputs, 1, 1)))
        shape = (hidden, 1, kernel, kernel)
        layers.append((f"{prefix}_depthwise_conv", f"{prefix}_bn1", shape))
        layers.append((f"{prefix}_project_conv", f"{prefix}_bn2", (outputs, hidden, 1, 1)))
    layers.append(("_conv_head", "_bn1", (1280, 320, 1, 1)))
    shapes: dict[str, tuple[int, ...]] = {}
    for conv, norm, shape in layers:
        shapes[f"{conv}.weight"] = shape
        for tensor in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{norm}.{tensor}"] = shape[:1]
        shapes[f"{norm}.num_batches_tracked"] = ()
    return shapes | {"_fc.weight": (1000, 1280), "_fc.bias": (1000,)}


def random_checkpoint() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(3)
    checkpoint = {}
    for name, shape in lite0_shapes().items():
        if name.endswith("tracked"):
            checkpoint[name] = torch.tensor(7)
        elif len(shape) == 4:
            scale = (2 / (shape[1] * shape[2] * shape[3])) ** 0.5
            checkpoint[name] = torch.randn(shape, generator=generator) * scale
        elif name.endswith("running_var"):
            # Small, so that the epsilon of the norm counts.
            checkpoint[name] = torch.rand(shape, generator=generator) * 0.01
        else:
            checkpoint[name] = torch.rand(shape, generator=generator) * 0.2
    return checkpoint


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Pad before and after as TensorFlow's documentation of SAME tells."""
    total = max((ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def reference_features(state: dict[str, Tensor], images: Tensor) -> dict[int, Tensor]:
    """Compute the features of Lite0 from the tensors of a checkpoint alone."""

    def layer(x: Tensor, conv: str, norm: str, stride: int = 1) -> Tensor:
        weight = state[f"{conv}.weight"]
        height, width = (same_padding(size, weight.shape[-1], stride) for size in x.shape[-2:])
        groups = x.shape[1] // weight.shape[1]
        y = F.conv2d(F.pad(x, (*width, *height)), weight, stride=stride, groups=groups)
        tensors = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(y, *(state[f"{norm}.{tensor}"] for tensor in tensors), eps=1e-3)

    x = layer(images, "_conv_stem", "_bn0", 2).clamp(0, 6)
    stride, features = 2, {}
    for index, (inputs, outputs, _, step) in enumerate(LITE0):
        prefix = f"_blocks.{index}."
        y = x
        if index > 0:
            y = layer(y, f"{prefix}_expand_conv", f"{prefix}_bn0").clamp(0, 6)
        y = layer(y, f"{prefix}_depthwise_conv", f"{prefix}_bn1", step).clamp(0, 6)
        y = layer(y, f"{prefix}_project_conv", f"{prefix}_bn2")
        x = x + y if step == 1 and inputs == outputs else y
        stride *= step
        features[stride] = x
    return features


@pytest.mark.parametrize("size", TOTALS)
def test_channels_and_parameters(size: int) -> None:
    backbone = build_backbone(f"efficientnet_lite{size}")
    assert backbone.channels == CHANNELS[size]
    head = 1280 * CHANNELS[size][32] + 2 * 1280
    classifier = 1000 * 1280 + 1000
    count = sum(parameter.numel() for parameter in backbone.parameters())
    assert count == TOTALS[size] - head - classifier


def test_normalisation_subtracts_127_and_divides_by_128() -> None:
    backbone = build_backbone("efficientnet_lite0")
    for mean, std in zip(backbone.mean, backbone.std, strict=True):
        for value in (0, 127, 255):
            assert (value / 255 - mean) / std == pytest.approx((value - 127) / 128)


@pytest.mark.parametrize(("height", "width"), [(64, 96), (75, 101), (33, 62)])
def test_published_checkpoint_loads_and_computes_the_same(
    height: int, width: int, tmp_path: Path
) -> None:
    checkpoint = random_checkpoint()
    torch.save(checkpoint, tmp_path / "lite0.pth")
    backbone = build_backbone("efficientnet_lite0")
    load_imagenet_weights(backbone, tmp_path / "lite0.pth")
    # In double precision, because the random network, unlike a trained one, magnifies rounding.
    backbone.double().eval()
    state = {name: tensor.double() for name, tensor in checkpoint.items()}
    images = torch.randn(2, 3, height, width, dtype=torch.float64)
    with torch.inference_mode():
        features = backbone(images)
    expected = reference_features(state, images)
    assert tuple(expected) == tuple(features)
    for stride, feature in expected.items():
        torch.testing.assert_close(features[stride], feature, rtol=1e-9, atol=1e-9)


def test_own_names_load_too(tmp_path: Path) -> None:
    donor, backbone = build_backbone("efficientnet_lite0"), build_backbone("efficientnet_lite0")
    torch.save(donor.state_dict(), tmp_path / "own.pth")
    load_imagenet_weights(backbone, tmp_path / "own.pth")
    loaded = backbone.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in donor.state_dict().items())
