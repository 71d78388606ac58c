# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ResNet-18, 50 and 101 (He et al., "Deep Residual Learning for Image Recognition", CVPR 2016).

Parameter names are those of torchvision, so that its checkpoints load. As there, the stride of a
bottleneck is on its 3x3 convolution ("ResNet v1.5").
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from vos_ros.models.backbones.base import Backbone, initialise


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    """Make the projection for a skip connection whose ends differ in shape."""
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a skip connection (ResNet-18)."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(inputs, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map N x inputs x H x W to N x width x ceil(H/stride) x ceil(W/stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)


class Bottleneck(nn.Module):
    """1x1 down, 3x3, 1x1 up, with a skip connection (ResNet-50 and 101)."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * self.expansion
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map N x inputs x H x W to N x 4*width x ceil(H/stride) x ceil(W/stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)


DEPTHS: dict[int, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, int, int, int]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
}


class ResNet(Backbone):
    """ResNet of 18, 50 or 101 layers, without the classifier.

    The stride-2 feature is the output of the first convolution (after norm and ReLU); strides 4,
    8, 16 and 32 are the outputs of layer1 to layer4.
    """

    mean: ClassVar[tuple[float, float, float]] = (0.485, 0.456, 0.406)
    std: ClassVar[tuple[float, float, float]] = (0.229, 0.224, 0.225)

    layer1: nn.Module
    layer2: nn.Module
    layer3: nn.Module
    layer4: nn.Module

    def __init__(self, depth: int) -> None:
        super().__init__()
        block, repeats = DEPTHS[depth]
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.channels = {2: 64}
        inputs = 64
        for index, count in enumerate(repeats):
            width = 64 * 2**index
            blocks = []
            for position in range(count):
                stride = 2 if index > 0 and position == 0 else 1
                blocks.append(block(inputs, width, stride))
                inputs = width * block.expansion
            self.add_module(f"layer{index + 1}", nn.Sequential(*blocks))
            self.channels[4 * 2**index] = inputs
        initialise(self)
        self.train(self.training)

    def forward(self, images: Tensor) -> dict[int, Tensor]:
        """Compute the features; see `Backbone.forward`."""
        features = {2: self.relu(self.bn1(self.conv1(images)))}
        features[4] = self.layer1(self.maxpool(features[2]))
        features[8] = self.layer2(features[4])
        features[16] = self.layer3(features[8])
        features[32] = self.layer4(features[16])
        return features

    def stages(self) -> dict[int, tuple[str, ...]]:
        """Give the names of the submodules that make each stride."""
        layers = {4 * 2**index: (f"layer{index + 1}",) for index in range(4)}
        return {2: ("conv1", "bn1"), **layers}

    @staticmethod
    def checkpoint_key(key: str) -> str | None:
        """Give this module's name for a tensor of a torchvision checkpoint."""
        return None if key.startswith("fc.") else key
