# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The networks: plain PyTorch, with no knowledge of cameras, files or ROS."""

from __future__ import annotations

import inspect
from typing import Any

from vos_ros.models.dgmpm import Dgmpm
from vos_ros.models.gfddal import Gfddal
from vos_ros.models.state import SegmentationNetwork

#: the networks that a weight file or a training stage may name
NETWORKS: dict[str, type[SegmentationNetwork[Any, Any]]] = {"gfddal": Gfddal, "dgmpm": Dgmpm}


def build_network(name: str, config: dict[str, Any]) -> SegmentationNetwork[Any, Any]:
    """A network by name with random weights.

    Args:
        name: a key of `NETWORKS`.
        config: its keyword arguments.

    Raises:
        ValueError: when there is no network of that name or an argument has a bad value.
        TypeError: when an argument is unknown.
    """
    if name not in NETWORKS:
        raise ValueError(f"no network is called {name!r}: choose one of {', '.join(NETWORKS)}")
    known = inspect.signature(NETWORKS[name]).parameters
    unknown = [str(argument) for argument in config if argument not in known]
    if unknown:
        raise TypeError(
            f"{name} has no argument {' or '.join(unknown)}; known are {', '.join(known)}"
        )
    return NETWORKS[name](**config)
