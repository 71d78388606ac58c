# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The networks to measure: of a weight file, or untrained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from vos_ros.benchmark.errors import BenchmarkError
from vos_ros.models import NETWORKS, build_network
from vos_ros.models.state import SegmentationNetwork
from vos_ros.training.stage import StageError, read_stage
from vos_ros.weights import WeightsError, find_weights, load_network


@dataclass(frozen=True)
class Model:
    """A network to measure.

    Attributes:
        name: of the file without its ending, or of the network.
        network: in float32 on the CPU.
        facts: what the report says of it: model, configuration, parameters, hash of its file.
    """

    name: str
    network: SegmentationNetwork[Any, Any]
    facts: dict[str, Any]


def open_models(names: Iterable[str]) -> dict[str, Model]:
    """The models of some names, by the name given.

    Files of the same name in several folders are called by their paths.

    Raises:
        BenchmarkError: as `open_model`.
    """
    models = {name: open_model(name) for name in names}
    counts = Counter(model.name for model in models.values())
    return {
        name: model if counts[model.name] == 1 else replace(model, name=name)
        for name, model in models.items()
    }


def open_model(name: str) -> Model:
    """The network of a weight file; or an untrained one, named or described by a training stage.

    How long a network takes does not depend on its weights, so that one can be measured before it
    is trained.

    Raises:
        BenchmarkError: when it is none of these, or the file cannot be used.
    """
    if name in NETWORKS:
        return _untrained(name, name, {})
    if name.endswith((".yaml", ".yml")):
        return _of_stage(Path(name))
    return _of_weights(name)


def _of_weights(name: str) -> Model:
    try:
        path = find_weights(name)
        network, card = load_network(path)
    except WeightsError as error:
        raise BenchmarkError(
            f"{error}; or, untrained, a network ({', '.join(NETWORKS)}) or a training stage "
            "(a .yaml file)"
        ) from error
    return _model(path.stem, network, card.model, card.sha256)


def _of_stage(path: Path) -> Model:
    try:
        stage = read_stage(path)
    except (StageError, OSError) as error:
        raise BenchmarkError(str(error)) from error
    try:
        return _untrained(path.stem, stage.model, stage.network)
    except (ValueError, TypeError) as error:
        raise BenchmarkError(f"{path}: its network cannot be built: {error}") from error


def _untrained(name: str, kind: str, config: dict[str, Any]) -> Model:
    torch.manual_seed(0)
    return _model(name, build_network(kind, config).eval(), kind, None)


def _model(
    name: str, network: SegmentationNetwork[Any, Any], kind: str, sha256: str | None
) -> Model:
    parameters = sum(parameter.numel() for parameter in network.parameters())
    facts = {"model": kind, "config": network.config, "parameters": parameters, "sha256": sha256}
    return Model(name, network, facts)
