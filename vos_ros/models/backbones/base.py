# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every backbone promises: features at five strides, keyed by the stride."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

STRIDES = (2, 4, 8, 16, 32)


class Backbone(nn.Module):
    """An image classifier without its head, giving the features on the way.

    A subclass registers its layers as submodules and tells in `stages()` which of them make
    which stride. The feature at stride s of an H x W image is ceil(H/s) x ceil(W/s).

    Batch norms stay in evaluation mode whatever `train()` says: clips of video make batches too
    small and too alike for batch statistics, so the ImageNet statistics are kept. Their scale and
    shift still learn unless frozen.
    """

    channels: dict[int, int]
    """Channels of the feature at each stride."""

    mean: ClassVar[tuple[float, float, float]]
    """Mean (RGB, of images scaled to 0..1) that the ImageNet weights expect to be subtracted."""

    std: ClassVar[tuple[float, float, float]]
    """Deviation (RGB, of images scaled to 0..1) by which the ImageNet weights expect a division."""

    def forward(self, images: Tensor) -> dict[int, Tensor]:
        """Compute the features of normalised images.

        Args:
            images: N x 3 x H x W, RGB, already (image / 255 - mean) / std. Any H and W.

        Returns:
            Stride -> N x channels[stride] x ceil(H/stride) x ceil(W/stride), for 2, 4, 8, 16, 32.
        """
        raise NotImplementedError

    def stages(self) -> dict[int, tuple[str, ...]]:
        """Give the names of the submodules that make each stride, in order from the image on."""
        raise NotImplementedError

    @staticmethod
    def checkpoint_key(key: str) -> str | None:
        """Give this module's name for a tensor of a published checkpoint; None: not needed here.

        Not needed is what comes after the last feature: the classifier and its pooling head.
        """
        raise NotImplementedError

    def train(self, mode: bool = True) -> Backbone:
        """Switch as `nn.Module.train` does, leaving the batch norms in evaluation mode."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def freeze_until(self, stride: int) -> None:
        """Stop the gradients of everything up to and including a stride; 0 freezes nothing.

        Raises:
            ValueError: when `stride` is not 0, 2, 4, 8, 16 or 32.
        """
        if stride not in (0, *STRIDES):
            known = ", ".join(map(str, STRIDES))
            raise ValueError(f"cannot freeze until stride {stride}: it must be 0, {known}")
        for stage, names in self.stages().items():
            if stage <= stride:
                for name in names:
                    self.get_submodule(name).requires_grad_(False)


def initialise(module: nn.Module) -> None:
    """Draw every convolution's weights from He's normal distribution (fan out), for ReLU nets."""
    for child in module.modules():
        if isinstance(child, nn.Conv2d):
            nn.init.kaiming_normal_(child.weight, mode="fan_out", nonlinearity="relu")
