# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The least PyTorch that training is possible with. Networks run with 2.1."""

from __future__ import annotations

import torch

from vos_ros.training.stage import StageError

LEAST_PYTORCH = (2, 3)
"""The first with `torch.amp.GradScaler`, which scales losses on any device."""


def check_pytorch() -> None:
    """Raise a StageError where PyTorch is too old to train with."""
    found = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if found < LEAST_PYTORCH:
        least = ".".join(map(str, LEAST_PYTORCH))
        raise StageError(
            f"training needs PyTorch {least} or later, this is {torch.__version__}: "
            f"run `python -m pip install 'torch>={least}'`"
        )
