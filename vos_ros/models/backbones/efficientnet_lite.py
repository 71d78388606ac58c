# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite0, 1 and 2.

EfficientNet (Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural
Networks", ICML 2019) made fit for small devices by its authors: no squeeze-and-excitation, ReLU6
in place of swish, and a stem and a head that are not scaled. The published weights were trained
with TensorFlow, whence the padding, the batch-norm epsilon and the normalisation.
"""

from __future__ import annotations

import math
import re
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from vos_ros.models.backbones.base import Backbone, initialise

# Expansion, kernel, stride, channels, repeats of each stage of Lite0, from table 1 of the paper.
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
STEM_CHANNELS = 32
# Width and depth multipliers of Lite0, Lite1, Lite2.
SCALES = ((1.0, 1.0), (1.0, 1.1), (1.1, 1.2))
EPSILON = 1e-3
MOMENTUM = 0.01


def scaled_channels(channels: int, width: float) -> int:
    """Scale a channel count to a multiple of 8, never losing more than a tenth."""
    wanted = channels * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


class DownConv2d(nn.Conv2d):
    """A convolution of stride 2 that pads as TensorFlow's SAME does.

    An even size needs one row of padding less than an odd one, and goes without it at the top
    (left), where PyTorch's symmetric padding would go without it at the bottom (right) and so
    shift what the weights see by a pixel.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, groups: int) -> None:
        super().__init__(inputs, outputs, kernel, 2, 0, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map N x inputs x H x W to N x outputs x ceil(H/2) x ceil(W/2)."""
        after = self.kernel_size[0] // 2
        top, left = (after - 1 + size % 2 for size in x.shape[-2:])
        return super().forward(F.pad(x, (left, after, top, after)))


class ConvNorm(nn.Module):
    """A convolution without bias and its batch norm."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        if stride == 2:
            self.conv: nn.Conv2d = DownConv2d(inputs, outputs, kernel, groups)
        else:
            self.conv = nn.Conv2d(
                inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False
            )
        self.bn = nn.BatchNorm2d(outputs, eps=EPSILON, momentum=MOMENTUM)

    def forward(self, x: Tensor) -> Tensor:
        """Map N x inputs x H x W to N x outputs x ceil(H/stride) x ceil(W/stride)."""
        return self.bn(self.conv(x))


class InvertedResidual(nn.Module):
    """1x1 expansion, depthwise convolution, linear 1x1 projection, skip connection if it fits."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.expand = ConvNorm(inputs, hidden) if expansion > 1 else None
        self.depthwise = ConvNorm(hidden, hidden, kernel, stride, groups=hidden)
        self.project = ConvNorm(hidden, outputs)
        self.activation = nn.ReLU6(inplace=True)
        self.skips = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map N x inputs x H x W to N x outputs x ceil(H/stride) x ceil(W/stride)."""
        y = x if self.expand is None else self.activation(self.expand(x))
        y = self.project(self.activation(self.depthwise(y)))
        if self.skips:
            y += x
        return y


class EfficientNetLite(Backbone):
    """EfficientNet-Lite of size 0, 1 or 2, without head and classifier.

    The feature at each stride is the output of the last block of that stride (not expanded).
    """

    # The training divided by 128 after subtracting 127 of 255.
    mean: ClassVar[tuple[float, float, float]] = (127 / 255, 127 / 255, 127 / 255)
    std: ClassVar[tuple[float, float, float]] = (128 / 255, 128 / 255, 128 / 255)

    def __init__(self, size: int) -> None:
        super().__init__()
        width, depth = SCALES[size]
        self.stem = ConvNorm(3, STEM_CHANNELS, 3, 2)
        self.activation = nn.ReLU6(inplace=True)
        self.blocks = nn.ModuleList()
        self.channels = {}
        self._last: dict[int, int] = {}  # stride -> index of the last block of that stride
        inputs, reached = STEM_CHANNELS, 2
        for index, (expansion, kernel, stride, channels, repeats) in enumerate(STAGES):
            outputs = scaled_channels(channels, width)
            # The first and the last stage are not deepened: they belong to stem and head.
            if 0 < index < len(STAGES) - 1:
                repeats = math.ceil(repeats * depth)
            reached *= stride
            for position in range(repeats):
                step = stride if position == 0 else 1
                self.blocks.append(InvertedResidual(inputs, outputs, expansion, kernel, step))
                inputs = outputs
            self.channels[reached] = outputs
            self._last[reached] = len(self.blocks) - 1
        initialise(self)
        self.train(self.training)

    def forward(self, images: Tensor) -> dict[int, Tensor]:
        """Compute the features; see `Backbone.forward`."""
        x = self.activation(self.stem(images))
        features, start = {}, 0
        for stride, last in self._last.items():
            for block in self.blocks[start : last + 1]:
                x = block(x)
            features[stride], start = x, last + 1
        return features

    def stages(self) -> dict[int, tuple[str, ...]]:
        """Give the names of the submodules that make each stride."""
        names, start = {}, 0
        for stride, last in self._last.items():
            names[stride] = tuple(f"blocks.{index}" for index in range(start, last + 1))
            start = last + 1
        names[2] = ("stem", *names[2])
        return names

    @staticmethod
    def checkpoint_key(key: str) -> str | None:
        """Give this module's name for a tensor of a published PyTorch port's checkpoint.

        There the layers of a block are `_expand_conv`, `_bn0`, `_depthwise_conv`, `_bn1`,
        `_project_conv`, `_bn2`; the stem is `_conv_stem`, `_bn0`; the head `_conv_head`, `_bn1`
        and the classifier `_fc` have no counterpart here.
        """
        if re.match(r"(_conv_head|_bn1|_fc)\.", key):
            return None
        key = re.sub(r"^_conv_stem\.", "stem.conv.", key)
        key = re.sub(r"^_bn0\.", "stem.bn.", key)
        key = re.sub(r"^_blocks\.", "blocks.", key)
        key = re.sub(r"\._(expand|depthwise|project)_conv\.", r".\1.conv.", key)
        for number, layer in enumerate(("expand", "depthwise", "project")):
            key = key.replace(f"._bn{number}.", f".{layer}.bn.")
        return key
