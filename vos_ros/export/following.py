# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The exported files at work in ONNX Runtime."""

from __future__ import annotations

import numpy as np
import onnxruntime

from vos_ros.export.graphs import AFTER
from vos_ros.export.pair import OnnxPair
from vos_ros.runtimes.flat_step import RESULTS


class OnnxFollower:
    """Follows objects by a pair of ONNX models, as programs without PyTorch do.

    Args:
        pair: the models.
        threads: that one operation may use.
    """

    def __init__(self, pair: OnnxPair, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors: a warning tells of what was not optimised
        self._start, self._step = (
            onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
            for model in (pair.start, pair.step)
        )
        self._after = [output.name for output in self._step.get_outputs()][len(RESULTS) :]
        self._state: dict[str, np.ndarray] = {}

    def start(self, images: np.ndarray, masks: np.ndarray) -> None:
        """Forget everything and follow new objects.

        Args:
            images: 1 x 3 x H x W float32 RGB in 0..255.
            masks: 1 x K x H x W float32 in 0..1.
        """
        names = [output.name for output in self._start.get_outputs()]
        found = self._start.run(names, {"images": images, "masks": masks})
        self._state = dict(zip(names, found, strict=True))

    def step(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The next frame: logits 1 x (1 + K) x H' x W', and which objects are sound, 1 x K."""
        outputs = [*RESULTS, *self._after]
        logits, sound, *after = self._step.run(outputs, {"images": images, **self._state})
        names = (name.removesuffix(AFTER) for name in self._after)
        self._state |= dict(zip(names, after, strict=True))
        return logits, sound
