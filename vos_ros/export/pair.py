# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The two files of an exported network."""

from __future__ import annotations

import json
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vos_ros import __version__
from vos_ros.export.graphs import graphs_of
from vos_ros.export.onnx_model import onnx_bytes
from vos_ros.export.settings import START_FILE, STEP_FILE, ExportSettings
from vos_ros.files import replacing
from vos_ros.inference import prepare
from vos_ros.models.state import SegmentationNetwork
from vos_ros.weights import ModelCard

#: what both files say they are
FORMAT = "vos_ros.onnx.1"


@dataclass(frozen=True)
class OnnxPair:
    """A network as ONNX.

    Attributes:
        start: content of the file that begins: an image and masks in, a state out.
        step: content of the file that goes on: an image and the state in, results and state out.
    """

    start: bytes
    step: bytes

    @classmethod
    def of(
        cls,
        network: SegmentationNetwork[Any, Any],
        card: ModelCard,
        name: str,
        settings: ExportSettings,
    ) -> OnnxPair:
        """Export a network; takes up to a minute or two.

        Args:
            network: trained, on the CPU in float32, as `load_network` gives it.
            card: of its weight file.
            name: of its weight file.
            settings: what is to be fixed in the files.

        Raises:
            ExportError: when the settings do not fit the network.
        """
        settings.check(network.stride)
        ready = prepare(network, torch.device("cpu"), "fp32")
        ready.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # lacking
        about = _about(network, card, name, settings)
        graphs = graphs_of(ready, settings.height, settings.width, settings.objects)
        return cls(
            *(
                onnx_bytes(graph, settings.objects is None, settings.opset, about | {"graph": part})
                for part, graph in zip(("start", "step"), graphs, strict=True)
            )
        )

    def write(self, folder: Path) -> None:
        """Write both files, or none; older ones are replaced.

        Raises:
            OSError: the system refuses; older files are as they were, and nothing else is left.
        """
        contents = {folder / START_FILE: self.start, folder / STEP_FILE: self.step}
        partials = []
        try:
            with ExitStack() as stack:
                for path, content in contents.items():
                    partials.append(stack.enter_context(replacing(path)))
                    partials[-1].write_bytes(content)
        except OSError:
            for partial in partials:
                with suppress(OSError):
                    partial.unlink(missing_ok=True)
            raise


def _about(
    network: SegmentationNetwork[Any, Any], card: ModelCard, name: str, settings: ExportSettings
) -> dict[str, str]:
    """The metadata of both files."""
    return {
        "format": FORMAT,
        "vos_ros": __version__,
        "weights": name,
        "weights_sha256": card.sha256,
        "licence": card.licence or "not stated",
        "model": card.model,
        "config": json.dumps(card.config),
        "size": settings.size,
        "objects": "open" if settings.objects is None else str(settings.objects),
        "padding": json.dumps([round(v, 3) for v in network.normalisation.mean.flatten().tolist()]),
    }
