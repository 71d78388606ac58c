# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A guard between PyTorch and its kernels that lets nothing wait for the device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

aten = torch.ops.aten
#: whose results, or the sizes of them, depend on values: the host has to have these first
READING = {
    aten._local_scalar_dense, aten.item, aten.is_nonzero, aten.equal, aten.nonzero,
    aten.masked_select, aten._unique, aten._unique2, aten.unique_consecutive, aten.unique_dim,
    aten.repeat_interleave.Tensor, aten.bincount, aten.histc,
}  # fmt: skip


def chooses(function, args: tuple) -> bool:
    """Whether it is an index by booleans, which have to be counted first."""
    if function.overloadpacket not in (aten.index, aten.index_put, aten.index_put_):
        return False
    return any(i is not None and i.dtype in (torch.bool, torch.uint8) for i in args[1])


class HostWaited(Exception):
    """An operation for which the device would have to be waited for."""


class HostGuard(TorchDispatchMode):
    """Raises `HostWaited` for operations that read values or leave the device; counts the rest.

    Attributes:
        operations: how many went through.
        seen: their names.
    """

    def __init__(self, device: str) -> None:
        super().__init__()
        self.device = device
        self.operations = 0
        self.seen: set[str] = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.operations += 1
        self.seen.add(function.overloadpacket.__name__)
        if function in READING or function.overloadpacket in READING or chooses(function, args):
            raise HostWaited(f"{function} reads values")
        result = function(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, Tensor) and value.device.type != self.device:
                raise HostWaited(f"{function} made a tensor on {value.device}")
        return result
