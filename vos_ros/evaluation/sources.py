# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the masks come from that are scored: a network that runs now, or files of an earlier run.

A source is told a sequence and yields a `Prediction` for each frame, in order. It is sent to the
worker processes, so it holds names and numbers only and opens what it needs there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from vos_ros.data.image_files import ImageFileError, read_labels
from vos_ros.data.sequence import VideoSequence
from vos_ros.evaluation.davis2016 import Davis2016
from vos_ros.evaluation.errors import EvaluationError


@dataclass(frozen=True)
class Prediction:
    """Labels of one frame, H x W uint8, and the time `step` took for them.

    `seconds` is None for the first frame, which is given, and for masks read from files.
    """

    index: int
    labels: np.ndarray
    seconds: float | None


class Source(Protocol):
    """Yields the labels of the frames of a sequence, ascending; `count` says of how many."""

    def predict(self, sequence: VideoSequence) -> Iterator[Prediction]: ...
    def count(self, sequence: VideoSequence) -> int: ...


@dataclass
class SegmenterSource:
    """Runs a `VideoSegmenter`: starts on the first mask and steps through the rest.

    `build` makes the segmenter, once in each process, when the first sequence comes.
    """

    build: Callable[[], object]
    _segmenter: object | None = field(default=None, init=False, repr=False)

    def predict(self, sequence: VideoSequence) -> Iterator[Prediction]:
        if self._segmenter is None:
            self._segmenter = self._built()
        try:
            yield from self._run(self._segmenter, sequence)
        except ValueError as error:
            raise EvaluationError(f"the sequence {sequence.name} stopped: {error}") from error

    def count(self, sequence: VideoSequence) -> int:
        return len(sequence)

    def _built(self):
        try:
            return self.build()
        except ValueError as error:
            raise EvaluationError(f"the segmenter cannot be made: {error}") from error

    @staticmethod
    def _run(segmenter, sequence: VideoSequence) -> Iterator[Prediction]:
        segmenter.reset()
        image, mask = sequence.pair(0)
        yield Prediction(0, segmenter.start(image, mask).labels, None)
        for index in range(1, len(sequence)):
            image = sequence.frame(index)
            before = time.perf_counter()
            # The labels are back on the host when `step` returns, so this is the whole of it on
            # every device; reading and decoding the file is not in it.
            result = segmenter.step(image)
            yield Prediction(index, result.labels, time.perf_counter() - before)

    def __getstate__(self) -> dict:
        return {"build": self.build, "_segmenter": None}


@dataclass(frozen=True)
class SegmenterSettings:
    """Builds the segmenter of a weight file. Calling it loads the file."""

    weights: Path
    device: str = "cpu"
    precision: str = "fp32"
    size: int = 288
    threads: int = 1

    def __call__(self):
        # Imported here: scoring files needs no PyTorch, which takes seconds to import.
        import cv2
        import torch

        from vos_ros.segmenter import VideoSegmenter
        from vos_ros.weights import load_network

        torch.set_num_threads(self.threads)
        cv2.setNumThreads(self.threads)
        network, _ = load_network(self.weights)
        return VideoSegmenter(
            network, device=self.device, precision=self.precision, size=self.size
        )


@dataclass(frozen=True)
class MaskFolderSource:
    """Reads `FOLDER/SEQ/<frame>.png`. Only the frames that are scored need to be there."""

    folder: Path
    protocol: Davis2016

    def count(self, sequence: VideoSequence) -> int:
        return len(self.protocol.scored(sequence))

    def predict(self, sequence: VideoSequence) -> Iterator[Prediction]:
        for index in self.protocol.scored(sequence):
            path = self.folder / sequence.name / f"{sequence.stems[index]}.png"
            try:
                yield Prediction(index, read_labels(path), None)
            except ImageFileError as error:
                raise EvaluationError(str(error)) from error
