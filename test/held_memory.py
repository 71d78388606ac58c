# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What memory this process holds, so that a test can tell whether it grows."""

from __future__ import annotations

import gc
import warnings

import torch


def tensor_bytes() -> int:
    """Bytes of all tensors that Python knows of, each storage once."""
    gc.collect()
    storages = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of old things that are looked at in passing
        tensors = [thing for thing in gc.get_objects() if isinstance(thing, torch.Tensor)]
    # What compilers leave behind stands for a tensor, and holds nothing.
    tensors = [tensor for tensor in tensors if type(tensor) in (torch.Tensor, torch.nn.Parameter)]
    for tensor in tensors:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())
