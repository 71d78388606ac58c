# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything a stopped training needs to go on exactly, in one safetensors file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from vos_ros.files import replacing


class CheckpointError(ValueError):
    """A checkpoint that cannot be resumed from; the message says why."""


def save_checkpoint(
    path: Path,
    network: nn.Module,
    average: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
    progress: dict[str, Any],
) -> None:
    """Write the weights, their average, the optimiser's moments and the progress.

    An average that is bit for bit the weight itself, as that of a frozen backbone, is left out. The
    file is written beside and moved into place, so that an interruption leaves the old one.
    """
    weights = network.state_dict()
    tensors = {f"network/{name}": value for name, value in weights.items()}
    tensors |= {
        f"average/{name}": value
        for name, value in average.items()
        if not _same_bits(value, weights[name])
    }
    for index, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser/{index}/{name}": value for name, value in moments.items()}
    tensors = {name: value.detach().contiguous().clone() for name, value in tensors.items()}
    with replacing(path) as partial:
        save_file(tensors, partial, metadata={"progress": json.dumps(progress)})


def load_checkpoint(
    path: Path,
    network: nn.Module,
    average: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
) -> dict[str, Any]:
    """Put a checkpoint back where `save_checkpoint` took it from.

    Returns:
        The progress that was saved with it.

    Raises:
        CheckpointError: when the file is not a checkpoint or belongs to another network or
            optimiser; nothing has changed then.
    """
    progress, tensors = _read(path)
    weights = _under(tensors, "network/")
    means = weights | _under(tensors, "average/")  # one that was left out is the weight itself
    for found, expected in ((weights, network.state_dict()), (means, average)):
        if _shapes(found) != _shapes(expected):
            other = sorted(dict(_shapes(found).items() ^ _shapes(expected).items()))
            raise CheckpointError(f"{path} belongs to another network: {other[0]} differs")
    state = _moments(path, _under(tensors, "optimiser/"), optimiser)
    network.load_state_dict(weights)
    for name, value in means.items():
        average[name].copy_(value)
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})
    return progress


def read_progress(path: Path) -> dict[str, Any]:
    """The progress that was saved with a checkpoint, without its tensors.

    Raises:
        CheckpointError: when the file is not a checkpoint.
    """
    return _read(path, with_tensors=False)[0]


def _read(path: Path, with_tensors: bool = True) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            progress = json.loads((file.metadata() or {}).get("progress", "null"))
            names = file.keys() if with_tensors else ()
            tensors = {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} is not a whole training checkpoint: {error}") from error
    if not isinstance(progress, dict) or not isinstance(progress.get("step"), int):
        raise CheckpointError(f"{path} is not a training checkpoint: it holds no progress")
    return progress, tensors


def _moments(
    path: Path, tensors: dict[str, Tensor], optimiser: torch.optim.Optimizer
) -> dict[int, dict[str, Tensor]]:
    """The state of each of the optimiser's parameters, by their number."""
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split("/")
        # A parameter's moments have its shape; its count of steps has none.
        if int(index) >= len(parameters) or value.shape not in ((), parameters[int(index)].shape):
            raise CheckpointError(
                f"{path} belongs to another stage: its optimiser trained other parameters "
                "(frozen_stride must be the same)"
            )
        state.setdefault(int(index), {})[key] = value
    return state


def _same_bits(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors of one kind and shape hold the same, signs of zeros included."""
    return torch.equal(*(value.detach().reshape(-1).view(torch.uint8) for value in (one, other)))


def _shapes(tensors: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in tensors.items()}


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
