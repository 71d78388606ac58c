# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints hold an average only where it differs from the weight, and come back to the bit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import AdamW

from vos_ros.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint

HEADS = ("1.weight", "1.bias")


def network(seed: int) -> nn.Module:
    """A part that is never trained, with the statistics of a norm, and one that is."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 3))


def trained(seed: int) -> tuple[nn.Module, dict[str, Tensor], AdamW]:
    made = network(seed)
    average = {name: value.clone() for name, value in made.state_dict().items()}
    optimiser = AdamW(made[1].parameters(), lr=0.1)
    made[1](torch.ones(2, 4)).sum().backward()
    optimiser.step()
    for name in HEADS:
        average[name].lerp_(made.state_dict()[name], 0.3)
    return made, average, optimiser


def read(path: Path, seed: int) -> tuple[nn.Module, dict[str, Tensor], dict]:
    """What another network of the same kind becomes by a checkpoint."""
    made = network(seed)
    average = {name: value.clone() + 1 for name, value in made.state_dict().items()}
    progress = load_checkpoint(path, made, average, AdamW(made[1].parameters()))
    return made, average, progress


def same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> bool:
    return found.keys() == expected.keys() and all(
        found[name].numpy().tobytes() == value.numpy().tobytes() for name, value in expected.items()
    )


def test_all_comes_back_though_what_is_frozen_is_there_once(tmp_path: Path) -> None:
    made, average, optimiser = trained(1)
    average["0.bias"][0] = -0.0  # equal to the weight, but not the same
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, made, average, optimiser, {"step": 5})
    kept = {name for name in load_file(path) if name.startswith("average/")}
    assert kept == {f"average/{name}" for name in (*HEADS, "0.bias")}
    other, means, progress = read(path, seed=2)
    assert same(other.state_dict(), made.state_dict()) and same(means, average)
    assert progress == {"step": 5}


def test_a_checkpoint_with_all_averages_is_gone_on_from_as_before(tmp_path: Path) -> None:
    made, average, optimiser = trained(1)
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, made, average, optimiser, {"step": 5})
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    whole = load_file(path) | {f"average/{name}": value for name, value in average.items()}
    save_file(whole, path, metadata=metadata)
    other, means, _ = read(path, seed=2)
    assert same(other.state_dict(), made.state_dict()) and same(means, average)


def test_an_average_of_another_shape_or_of_no_weight_is_refused(tmp_path: Path) -> None:
    made, average, optimiser = trained(1)
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, made, average, optimiser, {"step": 5})
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    for name in ("1.bias", "2.bias"):
        save_file(load_file(path) | {f"average/{name}": torch.zeros(7)}, path, metadata=metadata)
        with pytest.raises(CheckpointError, match="belongs to another network"):
            read(path, seed=2)
