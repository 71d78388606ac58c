# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the masks come from that are scored: a network that runs now, or files of an earlier run.

A source is told a sequence and the protocol, and yields a `Prediction` for each frame, in order. It
is sent to the worker processes, so it holds names and numbers only and opens what it needs there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from typing import Protocol as Interface

import numpy as np

from vos_ros.data.image_files import ImageFileError, read_labels
from vos_ros.data.sequence import VideoSequence
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.evaluation.protocol import Protocol
from vos_ros.presence import PresenceSettings
from vos_ros.region import DEFAULT_REGION, RegionSettings

if TYPE_CHECKING:
    from vos_ros.segmenter import VideoSegmenter


@dataclass(frozen=True)
class Prediction:
    """Labels of one frame, H x W uint8, and the time `step` took for them.

    `seconds` is None for the first frame, which is given, and for masks read from files.
    """

    index: int
    labels: np.ndarray
    seconds: float | None


class Source(Interface):
    """Yields the labels of the frames of a sequence, ascending; `count` says of how many."""

    def predict(self, sequence: VideoSequence, protocol: Protocol) -> Iterator[Prediction]:
        """Yield the labels of each frame."""

    def count(self, sequence: VideoSequence, protocol: Protocol) -> int:
        """Return how many frames that will be."""


@dataclass
class SegmenterSource:
    """Runs a `VideoSegmenter`: starts on the first mask, steps, adds objects where they begin.

    `build` makes the segmenter, once in each process, when the first sequence comes.
    """

    build: Callable[[], VideoSegmenter]
    _segmenter: VideoSegmenter | None = field(default=None, init=False, repr=False)

    def predict(self, sequence: VideoSequence, protocol: Protocol) -> Iterator[Prediction]:
        """See `Source`."""
        if self._segmenter is None:
            self._segmenter = self._built()
        try:
            yield from self._run(self._segmenter, sequence, protocol.introductions(sequence))
        except ValueError as error:
            raise EvaluationError(f"the sequence {sequence.name} stopped: {error}") from error

    def count(self, sequence: VideoSequence, protocol: Protocol) -> int:
        """See `Source`."""
        return len(sequence) - min(protocol.introductions(sequence))

    def _built(self) -> VideoSegmenter:
        try:
            return self.build()
        except ValueError as error:
            raise EvaluationError(f"the segmenter cannot be made: {error}") from error

    @staticmethod
    def _run(
        segmenter: VideoSegmenter, sequence: VideoSequence, starts: dict[int, tuple[int, ...]]
    ) -> Iterator[Prediction]:
        segmenter.reset()
        first = min(starts)
        image, mask = _given(sequence, first, starts[first])
        yield Prediction(first, segmenter.start(image, mask).labels, None)
        for index in range(first + 1, len(sequence)):
            image = sequence.frame(index)
            before = time.perf_counter()
            # The labels are back on the host when `step` returns, so this is the whole of it on
            # every device; reading and decoding the file is not in it.
            result = segmenter.step(image)
            seconds = time.perf_counter() - before
            if index in starts:
                result = segmenter.add(*_given(sequence, index, starts[index]))
            yield Prediction(index, result.labels, seconds)

    def __getstate__(self) -> dict[str, Any]:
        return {"build": self.build, "_segmenter": None}


@dataclass(frozen=True)
class SegmenterSettings:
    """Builds the segmenter of a weight file. Calling it loads the file.

    `region` says how closely it looks at the objects, None that it sees the whole image always.
    """

    weights: Path
    device: str = "cpu"
    precision: str = "fp32"
    size: int = 288
    threads: int = 1
    max_objects: int = 255
    region: RegionSettings | None = DEFAULT_REGION
    runtime: str = "torch"

    def __call__(self) -> VideoSegmenter:
        """Load the network and make the segmenter."""
        # Imported here: scoring files needs no PyTorch, which takes seconds to import.
        import cv2
        import torch

        from vos_ros.segmenter import VideoSegmenter
        from vos_ros.weights import load_network

        torch.set_num_threads(self.threads)
        cv2.setNumThreads(self.threads)
        network, _ = load_network(self.weights)
        return VideoSegmenter(
            network,
            device=self.device,
            precision=self.precision,
            size=self.size,
            max_objects=self.max_objects,
            region=self.region,
            runtime=self.runtime,
            # What is scored is masks, not the decision whether to show them.
            presence=PresenceSettings(hide=False),
        )


@dataclass(frozen=True)
class MaskFolderSource:
    """Reads `FOLDER/SEQ/<frame>.png`, or below the folder that the protocol writes them in.

    Only the frames that are scored need to be there.
    """

    folder: Path

    def count(self, sequence: VideoSequence, protocol: Protocol) -> int:
        """See `Source`."""
        return len(protocol.scored(sequence))

    def predict(self, sequence: VideoSequence, protocol: Protocol) -> Iterator[Prediction]:
        """See `Source`."""
        home = protocol.folder(self.folder)
        home = home if home.is_dir() else self.folder
        for index in protocol.scored(sequence):
            path = home / sequence.name / f"{sequence.stems[index]}.png"
            try:
                yield Prediction(index, read_labels(path), None)
            except ImageFileError as error:
                raise EvaluationError(str(error)) from error


def _given(
    sequence: VideoSequence, index: int, ids: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """A frame and the objects that its mask gives; others in the mask are left out."""
    image, labels = sequence.pair(index)
    absent = sorted(set(ids) - set(np.unique(labels).tolist()))
    if absent:
        raise EvaluationError(
            f"the mask {sequence.mask_files(index)[0]} does not show object {absent[0]}, which is "
            "said to begin there; without meta.json objects begin where a mask first shows them"
        )
    return image, np.where(np.isin(labels, ids), labels, 0).astype(np.uint8)
