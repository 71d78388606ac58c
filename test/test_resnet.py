# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ResNet against torchvision's naming rules and a plain functional computation."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from vos_ros.models.backbones import CheckpointError, build_backbone, load_imagenet_weights

REPEATS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
PARAMETERS = {18: 11_176_512, 50: 23_508_032, 101: 42_500_160}  # without fc
CHANNELS = {
    18: {2: 64, 4: 64, 8: 128, 16: 256, 32: 512},
    50: {2: 64, 4: 256, 8: 512, 16: 1024, 32: 2048},
    101: {2: 64, 4: 256, 8: 512, 16: 1024, 32: 2048},
}


def norm_shapes(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    tensors = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{tensor}": (channels,) for tensor in tensors} | {
        f"{name}.num_batches_tracked": ()
    }


def torchvision_shapes(depth: int) -> dict[str, tuple[int, ...]]:
    """List the tensors of a torchvision checkpoint by the rules of its names."""
    shapes: dict[str, tuple[int, ...]] = {"conv1.weight": (64, 3, 7, 7), **norm_shapes("bn1", 64)}
    before = 64
    for layer, repeats in enumerate(REPEATS[depth], start=1):
        width = 32 * 2**layer
        for block in range(repeats):
            if depth < 50:
                convolutions = [(before, width, 3), (width, width, 3)]
            else:
                convolutions = [(before, width, 1), (width, width, 3), (width, 4 * width, 1)]
            after = convolutions[-1][1]
            prefix = f"layer{layer}.{block}"
            for number, (inputs, outputs, kernel) in enumerate(convolutions, start=1):
                shapes[f"{prefix}.conv{number}.weight"] = (outputs, inputs, kernel, kernel)
                shapes |= norm_shapes(f"{prefix}.bn{number}", outputs)
            if block == 0 and before != after:
                shapes[f"{prefix}.downsample.0.weight"] = (after, before, 1, 1)
                shapes |= norm_shapes(f"{prefix}.downsample.1", after)
            before = after
    return shapes | {"fc.weight": (1000, before), "fc.bias": (1000,)}


def random_checkpoint(depth: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(depth)
    checkpoint = {}
    for name, shape in torchvision_shapes(depth).items():
        if name.endswith("tracked"):
            checkpoint[name] = torch.tensor(7)
        elif len(shape) == 4:
            scale = (2 / (shape[1] * shape[2] * shape[3])) ** 0.5
            checkpoint[name] = torch.randn(shape, generator=generator) * scale
        else:
            checkpoint[name] = torch.rand(shape, generator=generator) * 0.5 + 0.5
    return checkpoint


def reference_features(state: dict[str, Tensor], images: Tensor) -> dict[int, Tensor]:
    """Compute the features from the tensors of a checkpoint alone."""

    def layer(x: Tensor, conv: str, norm: str, stride: int = 1) -> Tensor:
        weight = state[f"{conv}.weight"]
        y = F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)
        tensors = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(y, *(state[f"{norm}.{tensor}"] for tensor in tensors))

    x = layer(images, "conv1", "bn1", 2).relu()
    features = {2: x}
    x = F.max_pool2d(x, 3, 2, 1)
    for number in range(1, 5):
        block = 0
        while (prefix := f"layer{number}.{block}") + ".conv1.weight" in state:
            stride = 2 if number > 1 and block == 0 else 1
            if f"{prefix}.conv3.weight" in state:
                y = layer(x, f"{prefix}.conv1", f"{prefix}.bn1").relu()
                y = layer(y, f"{prefix}.conv2", f"{prefix}.bn2", stride).relu()
                y = layer(y, f"{prefix}.conv3", f"{prefix}.bn3")
            else:
                y = layer(x, f"{prefix}.conv1", f"{prefix}.bn1", stride).relu()
                y = layer(y, f"{prefix}.conv2", f"{prefix}.bn2")
            if f"{prefix}.downsample.0.weight" in state:
                x = layer(x, f"{prefix}.downsample.0", f"{prefix}.downsample.1", stride)
            x = (x + y).relu()
            block += 1
        features[2 * 2**number] = x
    return features


@pytest.mark.parametrize("depth", REPEATS)
def test_channels_and_parameters(depth: int) -> None:
    backbone = build_backbone(f"resnet{depth}")
    assert backbone.channels == CHANNELS[depth]
    assert sum(p.numel() for p in backbone.parameters()) == PARAMETERS[depth]
    names = {name for name in torchvision_shapes(depth) if not name.startswith("fc.")}
    assert set(backbone.state_dict()) == names


@pytest.mark.parametrize(("depth", "suffix"), [(18, "pth"), (50, "safetensors")])
def test_torchvision_checkpoint_loads_and_computes_the_same(
    depth: int, suffix: str, tmp_path: Path
) -> None:
    checkpoint = random_checkpoint(depth)
    path = tmp_path / f"resnet.{suffix}"
    (torch.save if suffix == "pth" else save_file)(checkpoint, path)
    backbone = build_backbone(f"resnet{depth}")
    load_imagenet_weights(backbone, path)
    backbone.eval()

    images = torch.randn(1, 3, 75, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        features = backbone(images)
    expected = reference_features(checkpoint, images)
    for stride, feature in expected.items():
        torch.testing.assert_close(features[stride], feature, rtol=1e-4, atol=1e-4)


def test_checkpoint_without_batch_counters_loads(tmp_path: Path) -> None:
    checkpoint = random_checkpoint(18)
    old = {key: value for key, value in checkpoint.items() if not key.endswith("tracked")}
    torch.save(old, tmp_path / "old.pth")
    backbone = build_backbone("resnet18")
    load_imagenet_weights(backbone, tmp_path / "old.pth")
    assert torch.equal(backbone.layer4[1].conv2.weight, old["layer4.1.conv2.weight"])


def test_checkpoint_of_another_depth_is_refused_in_words(tmp_path: Path) -> None:
    save_file(random_checkpoint(18), tmp_path / "small.safetensors")
    backbone = build_backbone("resnet50")
    before = backbone.conv1.weight.clone()
    with pytest.raises(CheckpointError) as caught:
        load_imagenet_weights(backbone, tmp_path / "small.safetensors")
    message = str(caught.value)
    assert "small.safetensors does not fit" in message
    assert "missing layer1.0.conv3.weight" in message
    assert "layer1.0.conv1.weight (64x64x3x3 instead of 64x64x1x1)" in message
    assert torch.equal(backbone.conv1.weight, before)
