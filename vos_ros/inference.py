# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A trained network made ready to run: folded, cast, moved."""

from __future__ import annotations

from typing import Any

import torch

from vos_ros.models.backbones import fold_batch_norms
from vos_ros.models.state import SegmentationNetwork

#: the precisions by the name a user gives
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def prepare(
    network: SegmentationNetwork[Any, Any], device: torch.device, precision: str
) -> SegmentationNetwork[Any, Any]:
    """A copy of the network for inference.

    Batch norms are folded into their convolutions, weights lie channels-last in the precision
    asked for, except in modules that say `full_precision`, which stay float32.

    Args:
        network: stays as it is.
        device: where the copy lives.
        precision: a key of `PRECISIONS`.

    Raises:
        ValueError: when the precision has no such name.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"no precision is called {precision!r}: one of {', '.join(PRECISIONS)}")
    ready = fold_batch_norms(network).eval().requires_grad_(False).to(device)
    if device.type == "cuda":
        # Else sums of half-precision products may be kept in half precision on the way. This is a
        # setting of the whole process; PyTorch has none for one network.
        torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    dtype = PRECISIONS[precision]
    for module in ready.modules():
        if getattr(module, "full_precision", False):
            continue
        for tensor in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
            if tensor.is_floating_point():
                tensor.data = tensor.data.to(dtype)
    ready.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # lacking
    return ready
