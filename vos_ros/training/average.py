# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The mean of several weights of one network: often better than each of them, at no cost.

It works where one was trained on from another, so that no ridge lies between them (Wortsman et al.,
"Model soups", 2022).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from vos_ros.models import build_network
from vos_ros.models.state import SegmentationNetwork
from vos_ros.weights import ModelCard, WeightsError, load_network


def mean_network(
    paths: Sequence[Path], changes: dict[str, Any] | None = None
) -> tuple[SegmentationNetwork[Any, Any], ModelCard]:
    """The network whose weights are the mean of those of some files, each counting alike.

    Args:
        paths: of the weight files, two or more; what is no weight is taken from the last.
        changes: arguments of the network that are to differ from those of the last file; they may
            change what it does, not the shapes of its weights.

    Returns:
        The network, and the last file's card with what all were trained on and without results.

    Raises:
        WeightsError: when a file cannot be used, or they are of different networks.
        ValueError: when there are fewer than two, or a change does not fit.
    """
    if len(paths) < 2:
        raise ValueError(f"a mean needs two weight files or more, not {len(paths)}")
    loaded = [load_network(path) for path in paths]
    last, card = loaded[-1]
    states = [network.state_dict() for network, _ in loaded]
    for path, (_, other), state in zip(paths, loaded, states, strict=True):
        if other.model != card.model or _shapes(state) != _shapes(states[-1]):
            raise WeightsError(f"{path} is of another network than {paths[-1]}")
    mean = {
        name: torch.stack([state[name] for state in states]).mean(dim=0)
        if value.is_floating_point()
        else value
        for name, value in states[-1].items()
    }
    config = last.config | (changes or {})
    try:
        network = build_network(card.model, config)
        network.load_state_dict(mean)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"the changes do not fit the weights: {error}") from error
    return network, _card(card, [other for _, other in loaded], paths, network.config, changes)


def _shapes(state: dict[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in state.items()}


def _card(
    last: ModelCard,
    cards: Sequence[ModelCard],
    paths: Sequence[Path],
    config: dict[str, Any],
    changes: dict[str, Any] | None,
) -> ModelCard:
    data = list(dict.fromkeys(entry for card in cards for entry in card.data))
    entry = {"mean of the weights of": [path.name for path in paths], **(changes or {})}
    return dataclasses.replace(
        last, config=config, data=data, schedule=[*last.schedule, entry], results={}, sha256=""
    )
