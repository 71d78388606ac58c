# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where mixed precision must stay out."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def full_precision(like: Tensor) -> AbstractContextManager:
    """A region in which autocast does not narrow what is computed on the device of a tensor."""
    device = like.device.type
    if not torch.amp.is_autocast_available(device):  # PyTorch's meta device, for one
        return nullcontext()
    return torch.autocast(device, enabled=False)
