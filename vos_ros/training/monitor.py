# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Curves and pictures of a run, for TensorBoard to show."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vos_ros.training.stage import StageError

#: where each value of a step is shown; a value that is not here is one of the losses
_PLACES = {
    "loss": "loss/total",
    "gradient_norm": "gradient_norm",
    "learning_rate": "rate/heads",
    "backbone_learning_rate": "rate/backbone",
    "clips_per_second": "speed/clips_per_second",
    "seconds": "speed/seconds_per_step",
}
PICTURE = "clips"
"""Tag of the pictures."""


def can_monitor() -> bool:
    """Whether the package that writes for TensorBoard is installed."""
    return importlib.util.find_spec("tensorboard") is not None


def tag_of(name: str) -> str:
    """The tag under which TensorBoard shows a value of a step."""
    return _PLACES.get(name, f"loss/{name}")


class Monitor:
    """Writes what TensorBoard shows of one run, in the order of its steps.

    A run that goes on from a checkpoint writes a further file. It tells the reader to forget what
    the earlier ones say of the steps that are done again, so that no step is shown twice.

    Args:
        folder: for the event files; made when it is missing.
        step: the last step that counts; 0 for a new run.

    Raises:
        StageError: when the package tensorboard is not installed.
    """

    def __init__(self, folder: Path, step: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise StageError(
                "curves and pictures need the Python package tensorboard: "
                "run `python -m pip install tensorboard`, or give --no-tensorboard"
            ) from error
        self._writer = SummaryWriter(str(folder), purge_step=step + 1)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Add the values of a step to the curves."""
        for name, value in values.items():
            self._writer.add_scalar(tag_of(name), value, step)

    def picture(self, step: int, sheet: np.ndarray) -> None:
        """Add a picture, H x W x 3 uint8 RGB."""
        self._writer.add_image(PICTURE, sheet, step, dataformats="HWC")

    def flush(self) -> None:
        """Put on the disk what was added."""
        self._writer.flush()

    def close(self) -> None:
        """Put on the disk what was added, and write no more."""
        self._writer.close()
