# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The mean of several weight files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny import CONFIG, add_tiny_backbone

from vos_ros.apps.average import main
from vos_ros.models import build_network
from vos_ros.weights import ModelCard, load_network, save_network


@pytest.fixture(autouse=True)
def tiny_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    add_tiny_backbone(monkeypatch)


def written(path: Path, seed: int, **changes) -> Path:
    torch.manual_seed(seed)
    network = build_network("gfddal", CONFIG | changes)
    about = {"data": ["all", path.stem], "schedule": [{"seed": seed}], "results": {"x": {}}}
    save_network(path, network, ModelCard("gfddal", network.config, **about))
    return path


def test_every_weight_is_the_mean(tmp_path: Path) -> None:
    paths = [written(tmp_path / f"{n}.safetensors", n, memory=3) for n in range(3)]
    out = tmp_path / "mean.safetensors"
    assert main([*map(str, paths), "--out", str(out), "--set", "memory_interval=7"]) == 0
    (network, card), parts = load_network(out), [load_network(p)[0].state_dict() for p in paths]
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            total = sum(part[name].double() for part in parts)
            torch.testing.assert_close(value.double(), total / 3, atol=1e-3, rtol=1e-2)
    assert network.config["memory_interval"] == 7 and network.config["memory"] == 3
    assert card.data == ["all", "0", "1", "2"] and card.results == {}
    assert card.schedule == [
        {"seed": 2},
        {"mean of the weights of": [path.name for path in paths], "memory_interval": 7},
    ]


@pytest.mark.parametrize(
    ("second", "options", "named"),
    [
        ({"memory": 3}, [], "another network"),
        ({}, ["--set", "memory=3"], "do not fit"),
        ({}, ["--set", "update_rate"], "NAME=VALUE"),
        ({}, ["--set", "update_rate=2"], "update_rate"),
        ({}, ["--set", "colour=2"], "colour"),
    ],
)
def test_what_has_no_mean_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    second: dict,
    options: list[str],
    named: str,
) -> None:
    first = written(tmp_path / "a.safetensors", 1)
    paths = [first, written(tmp_path / "b.safetensors", 2, **second)]
    out = tmp_path / "mean.safetensors"
    assert main([*map(str, paths), "--out", str(out), *options]) == 2
    assert named in capsys.readouterr().err and not out.exists()


def test_one_file_has_no_mean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "a.safetensors", 1)
    assert main([str(path), "--out", str(tmp_path / "mean.safetensors")]) == 2
    assert "two weight files or more" in capsys.readouterr().err
