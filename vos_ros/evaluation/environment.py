# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a figure was measured on and with: machine and library versions."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

from vos_ros.evaluation.errors import EvaluationError

_LIBRARIES = {"vos_ros": "vos_ros", "torch": "torch", "numpy": "numpy", "pillow": "pillow"}


def hardware(device: str) -> dict[str, str | int | None]:
    """Processor, the number of its cores this process may use, and the GPU when `device` is one."""
    return {
        "cpu": _processor(),
        "cores": usable_cores(),
        "gpu": _gpu(device) if device.startswith("cuda") else None,
    }


def need_device(name: str) -> None:
    """Raises EvaluationError unless this machine has the device of that name."""
    import torch

    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise EvaluationError(
            f"no device is called {name}; there are cpu, cuda, cuda:1 and so on"
        ) from error
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= count:
        there = f"CUDA devices: {count}" if count else "no CUDA device that PyTorch can use"
        raise EvaluationError(
            f"the device is to be {name}, but there is {there}; use --device cpu "
            "or one that is there"
        )


def usable_cores() -> int:
    """Cores this process may run on, which a container may keep below those of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def versions() -> dict[str, str | None]:
    """Versions of Python and the libraries that the figures depend on; None where not installed."""
    import cv2

    found: dict[str, str | None] = {"python": platform.python_version(), "opencv": cv2.__version__}
    for key, distribution in _LIBRARIES.items():
        try:
            found[key] = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            found[key] = None
    return found


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


def _gpu(device: str) -> str:
    import torch

    return torch.cuda.get_device_name(device)
