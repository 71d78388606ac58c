# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a network and a clip to the figures of all its parts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from vos_ros.explain import dgmpm, gfddal
from vos_ros.explain.errors import ExplainError
from vos_ros.explain.figure import Row, write_figure
from vos_ros.explain.panels import Part
from vos_ros.explain.scene import Frame, Viewing, scenes
from vos_ros.models.dgmpm import Dgmpm
from vos_ros.models.gfddal import Gfddal
from vos_ros.models.state import SegmentationNetwork
from vos_ros.segmenter import ready_network


def explained(
    network: SegmentationNetwork[Any, Any],
    frames: Iterable[Frame],
    mask: np.ndarray,
    viewing: Viewing,
) -> dict[str, tuple[Part, list[Row]]]:
    """Every part of a network by its name, with a row for each wanted frame.

    The network runs as in the segmenter, on the CPU in float32.

    Args, raises: as for `scene.scenes`; also ExplainError for a network of another kind.
    """
    ready = ready_network(network, "cpu", "fp32", "torch", True)
    shown, listened = _shown(ready.network)
    found: dict[str, tuple[Part, list[Row]]] = {part.name: (part, []) for part in shown}
    with torch.inference_mode():
        for scene in scenes(ready, listened, frames, mask, viewing):
            for part, rows in found.values():
                rows.append(Row.of(part, scene))
    return found


def write_figures(
    folder: Path, model: str, found: dict[str, tuple[Part, list[Row]]], about: str, kind: str
) -> list[Path]:
    """Draw all parts, each into ``MODEL_PART.KIND``.

    Args:
        folder: made where it is missing.
        model: what the network is called.
        found: from `explained`.
        about: what the figures were made of, in a line.
        kind: of `figure.FORMATS`.

    Returns:
        The files, in the order in which a frame goes through the parts.

    Raises:
        ExplainError: when they cannot be drawn or written.
    """
    written = []
    for name, (part, rows) in found.items():
        written.append(folder / f"{model}_{name}.{kind}")
        write_figure(written[-1], part, rows, model, about)
    return written


def _shown(network: SegmentationNetwork[Any, Any]) -> tuple[tuple[Part, ...], dict[str, nn.Module]]:
    """The parts of a network, and the modules to listen to for them."""
    if isinstance(network, Gfddal):
        return gfddal.parts(network), gfddal.listened(network)
    if isinstance(network, Dgmpm):
        return dgmpm.parts(network), dgmpm.listened(network)
    raise ExplainError(f"nobody has said how a {type(network).__name__} is to be explained")
