# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weight files: tensors in safetensors, and a model card that says what they are.

A file is one ``NAME.safetensors``. Its metadata holds the card, so that the file alone builds the
network again; nothing in it is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch.overrides import TorchFunctionMode

from vos_ros.files import replacing
from vos_ros.models import build_network
from vos_ros.models.state import SegmentationNetwork
from vos_ros.safetensors_header import metadata_of
from vos_ros.share import share_folders

__all__ = ["ModelCard", "WeightsError", "find_weights", "load_network", "read_card"]

#: the shipped file of each network
SHIPPED_WEIGHTS = {"gfddal": "gfddal_lite0", "dgmpm": "dgmpm_lite0"}
#: what is loaded when nothing is named
DEFAULT_WEIGHTS = SHIPPED_WEIGHTS["gfddal"]

_FORMAT = "vos_ros.weights.1"
#: no shipped network is near this; a larger file is refused before it is read
_MAX_BYTES = 1 << 30
#: nor is any card near this
_MAX_HEADER = 1 << 24


class WeightsError(ValueError):
    """A weight file that cannot be used; the message says why and what would be right."""


@dataclass(frozen=True)
class ModelCard:
    """What a weight file is.

    Attributes:
        model: name of the network, a key of `vos_ros.models.NETWORKS`.
        config: its keyword arguments.
        data: what it was trained on, with licences.
        schedule: how it was trained: stages, steps, seeds.
        commit: of the source it was trained with.
        results: figures measured with it, by protocol.
        licence: under which terms the file may be used.
        sha256: of the file, filled in on reading.
    """

    model: str
    config: dict[str, Any]
    data: list[str] = field(default_factory=list)
    schedule: list[dict[str, Any]] = field(default_factory=list)
    commit: str = ""
    results: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    sha256: str = ""


def save_network(path: Path | str, network: SegmentationNetwork[Any, Any], card: ModelCard) -> None:
    """Write a network's weights, and what they are, to one file.

    The weights of convolutions and products are stored as float16, which halves the file and costs
    no accuracy that the evaluation shows. All else stays as it is: numbers, vectors (biases, scales
    and statistics of norms), and what is too large for float16.
    """
    _write(Path(path), {k: _narrowed(v) for k, v in network.state_dict().items()}, card)


def write_card(path: Path | str, card: ModelCard) -> None:
    """Put another card into a weight file, leaving its tensors as they are.

    Raises:
        WeightsError: when the file is not a weight file, or its tensors do not fit the new card.
    """
    path = Path(path)
    _, tensors = _read(path)
    _check_fit(path, card, tensors)
    _write(path, tensors, card)


def _write(path: Path, tensors: dict[str, torch.Tensor], card: ModelCard) -> None:
    text = json.dumps({key: value for key, value in asdict(card).items() if key != "sha256"})
    with replacing(path) as partial:
        save_file(tensors, partial, metadata={"format": _FORMAT, "card": text})
        # For everybody to read, as files that are installed are; safetensors writes for the owner.
        partial.chmod(0o644)


def load_network(path: Path | str) -> tuple[SegmentationNetwork[Any, Any], ModelCard]:
    """Build the network that a weight file describes, with its weights, on the CPU in float32.

    Raises:
        WeightsError: when the file is absent, truncated, of another kind, or does not fit the
            network that its own card names.
    """
    path = Path(path)
    card, tensors = _read(path)
    _check_fit(path, card, tensors)
    with _Undrawn():
        network = build_network(card.model, card.config)
    network.load_state_dict({name: _widened(value) for name, value in tensors.items()})
    return network.eval(), card


def read_card(path: Path | str) -> ModelCard:
    """The model card of a weight file, without building the network.

    Raises:
        WeightsError: as `load_network`, as far as it can be told from the card.
    """
    return _read(Path(path))[0]


def find_weights(name_or_path: str = "") -> Path:
    """The file that a name or a path means.

    Args:
        name_or_path: empty for the default, the name of a shipped file (``gfddal_lite0``), or a
            path to any weight file.

    Raises:
        WeightsError: when there is no such file; the message lists the shipped ones.
    """
    name = name_or_path or DEFAULT_WEIGHTS
    candidates = [Path(os.path.expanduser(name))]
    if os.path.basename(name) == name:
        candidates += [folder / f"{name}.safetensors" for folder in weight_folders()]
    for candidate in candidates:
        if os.path.isfile(candidate):
            return candidate
    shipped = ", ".join(shipped_names())
    raise WeightsError(
        f"no weight file {name!r}: give a path to a .safetensors file "
        f"or one of the shipped names ({shipped or 'none is installed'})"
    )


def shipped_names() -> list[str]:
    """Names of the weight files that ship, sorted."""
    files = (file for folder in weight_folders() for file in folder.glob("*.safetensors"))
    return sorted({file.stem for file in files})


def weight_folders() -> list[Path]:
    """Where shipped files are: in the source tree, and in every prefix it is installed to."""
    return [folder / "weights" for folder in share_folders() if (folder / "weights").is_dir()]


def file_hash(path: Path | str) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _narrowed(value: torch.Tensor) -> torch.Tensor:
    value = value.detach().contiguous()
    if value.dtype != torch.float32 or value.dim() < 2:
        return value
    narrow = value.to(torch.float16)
    return narrow if torch.isfinite(narrow).all() else value


def _widened(value: torch.Tensor) -> torch.Tensor:
    return value.float() if value.is_floating_point() else value


def _read(path: Path) -> tuple[ModelCard, dict[str, torch.Tensor]]:
    _check_file(path)
    try:
        # All at once, so that the hash is that of what was read, whatever becomes of the file.
        with open(path, "rb") as file:
            content = file.read(_checked_size(path, os.fstat(file.fileno()).st_size))
        metadata = metadata_of(content, _MAX_HEADER)
        ours = metadata.get("format") == _FORMAT
        tensors = load(content) if ours else {}
    except WeightsError:
        raise
    except (SafetensorError, OSError, RuntimeError, ValueError, TypeError, AttributeError,
            KeyError) as error:  # fmt: skip
        # The last five are what is said of kinds of numbers that PyTorch does not know.
        raise WeightsError(
            f"{path} is truncated or not a safetensors file ({error}); get the file again"
        ) from error
    if not ours:
        raise WeightsError(
            f"{path} is a safetensors file, but not one of vos_ros: its format is "
            f"{metadata.get('format')!r}, expected {_FORMAT!r}"
        )
    digest = hashlib.sha256(content).hexdigest()
    return _parsed_card(path, metadata.get("card", ""), digest), tensors


def _check_file(path: Path) -> None:
    if not os.path.exists(path):
        raise WeightsError(f"there is no weight file {path}")
    if not os.path.isfile(path):
        raise WeightsError(f"{path} is not a file; a weight file is one NAME.safetensors")


def _checked_size(path: Path, size: int) -> int:
    if size > _MAX_BYTES:
        raise WeightsError(f"{path} holds {size} bytes; a weight file has at most {_MAX_BYTES}")
    return size


def _parsed_card(path: Path, text: str, digest: str) -> ModelCard:
    kinds = {
        "model": str,
        "config": dict,
        "data": list,
        "schedule": list,
        "commit": str,
        "results": dict,
        "licence": str,
    }
    try:
        card = ModelCard(**json.loads(text), sha256=digest)
    except (TypeError, ValueError, RecursionError) as error:
        raise WeightsError(f"the model card inside {path} cannot be read: {error}") from error
    for name, kind in kinds.items():
        if not isinstance(getattr(card, name), kind):
            raise WeightsError(
                f"the model card inside {path} cannot be read: {name} must be a {kind.__name__}"
            )
    return card


class _Undrawn(TorchFunctionMode):
    """Inside, no weights are drawn at random: they are about to be overwritten.

    Drawing them takes time; and where there is no memory to draw them into, PyTorch does it by way
    of its compiler, which takes a second and 70 MB to load.
    """

    def __torch_function__(
        self,
        function: Callable[..., object],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        kwargs = kwargs or {}
        drawing = function in (torch.Tensor.normal_, torch.Tensor.uniform_)
        # Some functions of this module come here as a whole, others by what they call.
        if drawing or getattr(function, "__module__", "") == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return function(*args, **kwargs)


def _check_fit(path: Path, card: ModelCard, tensors: dict[str, torch.Tensor]) -> None:
    """Compare names and shapes with those of the card's network, before any memory is spent on it.

    Raises:
        WeightsError: when they differ, or there is no such network.
    """
    try:
        with torch.device("meta"), _Undrawn():
            wanted = build_network(card.model, card.config).state_dict()
    except Exception as error:  # whatever a network makes of arguments that nobody would give
        raise WeightsError(f"{path} describes a network that cannot be built: {error}") from error
    names = wanted.keys() & tensors.keys()
    faults = {
        "is missing": wanted.keys() - tensors.keys(),
        "has no place in it": tensors.keys() - wanted.keys(),
        "has another shape there": {n for n in names if wanted[n].shape != tensors[n].shape},
    }
    for fault, found in faults.items():
        if found:
            raise WeightsError(
                f"{path} does not fit the network of its own card ({card.model}): "
                f"{min(found)} {fault} (one of {len(found)} such tensors)"
            )
