# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The memory of the device the network runs on. Asked once a second at most, never per frame."""

from __future__ import annotations

import ctypes
import gc
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

OWN = Path("/proc/self/statm")
MACHINE = Path("/proc/meminfo")


@dataclass(frozen=True)
class Memory:
    """A device and its memory, in bytes; NaN for what cannot be told.

    Attributes:
        device: what it is called.
        own: what this process holds of it: on the CPU its resident memory, on a GPU what PyTorch
            has reserved.
        free: what anybody may still take.
        total: all there is.
    """

    device: str
    own: float
    free: float
    total: float


def read_memory(device: str) -> Memory:
    """Read the memory of a device, such as `cpu` or `cuda:0`. Does not wait for its work."""
    return _of_machine() if device == "cpu" else _of_gpu(device)


def give_back() -> None:
    """Give back to system and device what was let go of, once a network and all it held has gone.

    Without this it would be kept for what comes next: objects in cycles until Python looks for
    them, which may be after the next network was built beside this one; freed blocks by the C
    library, which is set to keep hundreds of megabytes (`environment.MALLOC_SETTINGS`), and by
    PyTorch. Takes some tenths of a second.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # of glibc alone
        trim(0)
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def _of_machine() -> Memory:
    try:
        own = int(OWN.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        lines = dict(line.split(":") for line in MACHINE.read_text().splitlines())
        free, total = (int(lines[name].split()[0]) * 1024 for name in ("MemAvailable", "MemTotal"))
    except (OSError, ValueError, LookupError):
        return Memory("cpu", math.nan, math.nan, math.nan)
    return Memory("cpu", own, free, total)


def _of_gpu(device: str) -> Memory:
    import torch

    free, total = torch.cuda.mem_get_info(device)
    name = f"{device} ({torch.cuda.get_device_name(device)})"
    return Memory(name, torch.cuda.memory_reserved(device), free, total)
