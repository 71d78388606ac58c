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
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from vos_ros.models import build_network
from vos_ros.models.state import SegmentationNetwork

#: what is loaded when nothing is named
DEFAULT_WEIGHTS = "gfddal_lite0"

_FORMAT = "vos_ros.weights.1"
#: no shipped network is near this; a larger file is refused before it is read
_MAX_BYTES = 1 << 30


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
    config: dict
    data: list[str] = field(default_factory=list)
    schedule: list[dict] = field(default_factory=list)
    commit: str = ""
    results: dict = field(default_factory=dict)
    licence: str = ""
    sha256: str = ""


def save_network(path: Path | str, network: SegmentationNetwork, card: ModelCard) -> None:
    """Write a network's weights, and what they are, to one file.

    Floating-point tensors are stored as float16, which halves the file and costs no accuracy that
    the evaluation shows; statistics of batch norms stay float32, where float16 would overflow.
    """
    tensors = {}
    for name, value in network.state_dict().items():
        value = value.detach().contiguous()
        keeps = not value.is_floating_point() or value.dim() < 2
        tensors[name] = value if keeps else value.to(torch.float16)
    text = json.dumps({key: value for key, value in asdict(card).items() if key != "sha256"})
    path = Path(path)
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={"format": _FORMAT, "card": text})
    os.replace(partial, path)


def load_network(path: Path | str) -> tuple[SegmentationNetwork, ModelCard]:
    """Build the network that a weight file describes, with its weights, on the CPU in float32.

    Raises:
        WeightsError: when the file is absent, truncated, of another kind, or does not fit the
            network that its own card names.
    """
    path = Path(path)
    card, tensors = _read(path)
    try:
        network = build_network(card.model, card.config)
    except (TypeError, ValueError) as error:
        raise WeightsError(f"{path} describes a network that cannot be built: {error}") from error
    try:
        network.load_state_dict({name: _widened(value) for name, value in tensors.items()})
    except RuntimeError as error:
        raise WeightsError(f"{path} does not fit its own card ({card.model}): {error}") from error
    return network.eval(), card


def read_card(path: Path | str) -> ModelCard:
    """The model card of a weight file, without building the network.

    Raises:
        WeightsError: as `load_network`, as far as it can be told from the card.
    """
    return _read(Path(path), with_tensors=False)[0]


def find_weights(name_or_path: str = "") -> Path:
    """The file that a name or a path means.

    Args:
        name_or_path: empty for the default, the name of a shipped file (``gfddal_lite0``), or a
            path to any weight file.

    Raises:
        WeightsError: when there is no such file; the message lists the shipped ones.
    """
    name = name_or_path or DEFAULT_WEIGHTS
    given = Path(name).expanduser()
    if given.is_file():
        return given
    if given.suffix == "" and given.name == name:
        for folder in weight_folders():
            candidate = folder / f"{name}.safetensors"
            if candidate.is_file():
                return candidate
    shipped = ", ".join(sorted({f.stem for d in weight_folders() for f in d.glob("*.safetensors")}))
    raise WeightsError(
        f"no weight file {name!r}: give a path to a .safetensors file "
        f"or one of the shipped names ({shipped or 'none is installed'})"
    )


def weight_folders() -> list[Path]:
    """Where shipped files may be: the source tree, then every installation prefix."""
    prefixes = [sys.prefix, *filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep))]
    folders = [Path(__file__).resolve().parent.parent / "weights"]
    folders += [Path(prefix) / "share" / "vos_ros" / "weights" for prefix in prefixes]
    return [folder for folder in folders if folder.is_dir()]


def _widened(value: torch.Tensor) -> torch.Tensor:
    return value.float() if value.is_floating_point() else value


def _read(path: Path, with_tensors: bool = True) -> tuple[ModelCard, dict[str, torch.Tensor]]:
    if not path.is_file():
        raise WeightsError(f"there is no weight file {path}")
    size = path.stat().st_size
    if size > _MAX_BYTES:
        raise WeightsError(f"{path} holds {size} bytes; a weight file has at most {_MAX_BYTES}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != _FORMAT:
                raise WeightsError(
                    f"{path} is a safetensors file, but not one of vos_ros: its format is "
                    f"{metadata.get('format')!r}, expected {_FORMAT!r}"
                )
            names = list(file.keys()) if with_tensors else []
            tensors = {name: file.get_tensor(name) for name in names}
            card = ModelCard(**json.loads(metadata["card"]), sha256=file_hash(path))
    except SafetensorError as error:
        raise WeightsError(
            f"{path} is truncated or not a safetensors file ({error}); get the file again"
        ) from error
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise WeightsError(f"the model card inside {path} cannot be read: {error}") from error
    return card, tensors


def file_hash(path: Path | str) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
