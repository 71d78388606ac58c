# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where mixed precision must stay out."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def full_precision(like: Tensor) -> AbstractContextManager[object]:
    """A region in which autocast does not narrow what is computed on the device of a tensor."""
    try:
        return torch.autocast(like.device.type, enabled=False)
    except RuntimeError:  # a device without autocast: PyTorch's meta device, for one
        return nullcontext()
