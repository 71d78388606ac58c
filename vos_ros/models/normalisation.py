# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the bytes of an image to the numbers that a backbone was trained on."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from vos_ros.models.backbones.base import Backbone


class InputNormalisation(nn.Module):
    """Subtracts a backbone's mean and divides by its deviation, channel by channel."""

    #: in half precision a mean of 123.675 would become 123.5
    full_precision = True
    mean: Tensor
    scale: Tensor

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        # By numpy: where there is no memory, PyTorch would load its compiler to multiply.
        mean, std = (
            255 * np.array(v, np.float32).reshape(1, 3, 1, 1) for v in (backbone.mean, backbone.std)
        )
        self.register_buffer("mean", torch.tensor(mean), persistent=False)
        self.register_buffer("scale", torch.tensor(1 / std), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """N x 3 x H x W RGB in 0..255, of any type, to float32."""
        return (images.to(self.mean.dtype) - self.mean) * self.scale
