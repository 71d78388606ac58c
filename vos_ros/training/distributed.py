# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several processes that train one network together, as PyTorch's `torchrun` starts them."""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


class WorldError(ValueError):
    """Processes that cannot work together; the message says why."""


@dataclass(frozen=True)
class World:
    """One process's place among those that train together.

    Every method is to be called by all of them, equally often and in the same order; each waits for
    the others. In a world of one, none waits for anything.

    Attributes:
        rank: 0..size-1; rank 0 alone writes and prints.
        size: how many processes there are.
        local_rank: number of this process on its machine.
        device: where this process computes, ``cpu`` or ``cuda:<local rank>``.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    device: str = "cpu"

    @staticmethod
    def single(device: str = "cpu") -> World:
        """The world of one process that trains alone."""
        return World(device=device)

    @property
    def writes(self) -> bool:
        """Whether this is the process that writes and prints."""
        return self.rank == 0

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any of the processes."""
        if self.size == 1:
            return flag
        found = torch.tensor(float(flag), device=self.device)
        distributed.all_reduce(found, distributed.ReduceOp.MAX)
        return bool(found.item())

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """The mean of every value over the processes, all of which have the same names."""
        if self.size == 1:
            return values
        found = torch.tensor(list(values.values()), dtype=torch.float64, device=self.device)
        distributed.all_reduce(found)
        return dict(zip(values, (found / self.size).tolist(), strict=True))

    def shared(self, module: nn.Module) -> nn.Module:
        """The module, its gradients averaged over the processes in every backward pass.

        All begin with the parameters and buffers of rank 0.
        """
        if self.size == 1:
            return module
        # No buffer changes in training, so that once is enough.
        for buffer in module.buffers():
            distributed.broadcast(buffer, 0)
        # A frozen backbone and parts that a step does without are parameters without a gradient.
        return DistributedDataParallel(module, find_unused_parameters=True, broadcast_buffers=False)

    def close(self) -> None:
        """Leave the others; the end of every world that `open_world` gave."""
        if self.size > 1 and distributed.is_initialized():
            # A shared module holds the group, and is held by itself. Whatever is left of the group
            # when the interpreter is taken down has threads that crash in it.
            gc.collect()
            distributed.destroy_process_group()


def open_world(device: str = "cpu") -> World:
    """Join the processes that `torchrun` has started; a world of one where it has not.

    Args:
        device: what each process is to compute on. ``cuda`` is the GPU of its number on its
            machine. Processes on GPUs talk by NCCL, others by gloo.

    Raises:
        WorldError: when the environment that `torchrun` sets is not whole, a GPU is missing, or the
            processes do not find each other.
    """
    if "RANK" not in os.environ:
        return World.single(device)
    rank, size, local = (_number(name) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    gpu = device.split(":")[0] == "cuda"
    if gpu:
        if local >= torch.cuda.device_count():
            raise WorldError(
                f"process {local} of this machine has no GPU, there are "
                f"{torch.cuda.device_count()}: start as many with --nproc-per-node"
            )
        device = f"cuda:{local}"
        torch.cuda.set_device(local)
    if size > 1:
        try:
            distributed.init_process_group("nccl" if gpu else "gloo")
        except (RuntimeError, ValueError) as error:  # an absent address, an unreachable one, ...
            reason = str(error).splitlines()[0]
            raise WorldError(f"the processes do not find each other: {reason}") from error
    return World(rank, size, local, device)


def _number(name: str) -> int:
    value = os.environ.get(name, "")
    if not value.isdecimal():
        raise WorldError(f"{name} must be a whole number, as torchrun sets it, not {value!r}")
    return int(value)
