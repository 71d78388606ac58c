# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs and scores sequences: one after the other, or side by side in worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vos_ros.data.image_files import write_labels
from vos_ros.data.sequence import VideoSequence
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.evaluation.protocol import Protocol
from vos_ros.evaluation.results import SequenceResult, gathered, packed
from vos_ros.evaluation.sources import Prediction, Source
from vos_ros.evaluation.workers import run_in_workers

__all__ = ["SequenceResult", "SequenceTask", "picture_frames", "run_sequences"]


@dataclass(frozen=True)
class SequenceTask:
    """Runs and scores one sequence. Sent to the workers: it holds only what can be pickled.

    With `masks_out`, the labels of the frames that the protocol wants go to
    `masks_out/SEQ/<frame>.png`, or the folder below that the protocol names. `pictures` is the
    number of frames, evenly spread, whose labels the result keeps.
    """

    protocol: Protocol
    source: Source
    masks_out: Path | None = None
    pictures: int = 0

    def count(self, sequence: VideoSequence) -> int:
        """Of how many frames this will report."""
        return self.source.count(sequence, self.protocol)

    def __call__(self, sequence: VideoSequence, on_frame: Callable[[], None]) -> SequenceResult:
        """Run and score a sequence; `on_frame` is called after every frame."""
        begins = {
            object_id: index
            for index, ids in self.protocol.introductions(sequence).items()
            for object_id in ids
        }
        writer = self._writer(sequence)
        scored = set(self.protocol.scored(sequence))
        wanted = picture_frames(self.protocol, sequence, self.pictures)
        scores: dict[int, dict[int, tuple[float, float]]] = {}
        step_ms: list[float] = []
        kept: dict[int, bytes] = {}
        shape = (0, 0)
        for prediction in self.source.predict(sequence, self.protocol):
            index, shape = prediction.index, prediction.labels.shape
            ids = sorted(i for i, begin in begins.items() if begin < index)
            if index in scored and ids:
                scores[index] = self._score(sequence, prediction, ids)
            if prediction.seconds is not None:
                step_ms.append(1000 * prediction.seconds)
            if index in wanted:
                kept[index] = packed(prediction.labels)
            if writer is not None:
                writer.write(index, prediction.labels)
            on_frame()
        return SequenceResult(
            name=sequence.name,
            frames=len(sequence),
            width=shape[1],
            height=shape[0],
            objects=gathered(begins, scores),
            step_ms=tuple(step_ms),
            kept=kept,
        )

    def mask_paths(self, sequence: VideoSequence) -> tuple[Path, ...]:
        """The files that a run writes for a sequence; none without `masks_out`."""
        if self.masks_out is None:
            return ()
        folder = self.protocol.folder(self.masks_out) / sequence.name
        stems = sequence.stems
        return tuple(folder / f"{stems[index]}.png" for index in self.protocol.written(sequence))

    def _writer(self, sequence: VideoSequence) -> _MaskWriter | None:
        if self.masks_out is None:
            return None
        paths = dict(zip(self.protocol.written(sequence), self.mask_paths(sequence), strict=True))
        value = self.protocol.object_value(sequence) if sequence.binary else None
        return _MaskWriter(paths, value)

    def _score(
        self, sequence: VideoSequence, prediction: Prediction, ids: Sequence[int]
    ) -> dict[int, tuple[float, float]]:
        truth = sequence.mask(prediction.index)
        try:
            return self.protocol.score(prediction.labels, truth, ids, sequence.binary)
        except ValueError as error:
            raise EvaluationError(
                f"{sequence.mask_files(prediction.index)[0]} cannot be scored: {error}"
            ) from error


class _MaskWriter:
    """Writes the labels of some frames, by index; a single object gets `value` unless None."""

    def __init__(self, paths: dict[int, Path], value: int | None) -> None:
        self._paths, self._value = paths, value
        for folder in {path.parent for path in paths.values()}:
            folder.mkdir(parents=True, exist_ok=True)

    def write(self, index: int, labels: np.ndarray) -> None:
        if index not in self._paths:
            return
        if self._value is not None:
            labels = np.where(labels != 0, self._value, 0).astype(np.uint8)
        write_labels(self._paths[index], labels)


def picture_frames(protocol: Protocol, sequence: VideoSequence, count: int) -> tuple[int, ...]:
    """Indices of `count` frames spread over the scored ones, first and last of them included.

    Over the written ones where none is scored.
    """
    frames = tuple(protocol.scored(sequence)) or tuple(protocol.written(sequence))
    if count < 1 or not frames:
        return ()
    places = np.round(np.linspace(0, len(frames) - 1, count)).astype(int)
    return tuple(dict.fromkeys(frames[place] for place in places))


def run_sequences(
    task: SequenceTask,
    sequences: Iterable[VideoSequence],
    *,
    workers: int = 1,
    on_frame: Callable[[], None] = lambda: None,
    on_result: Callable[[SequenceResult], None] = lambda result: None,
) -> list[SequenceResult]:
    """Results of `sequences`, in their order; `workers` run at the same time.

    `on_frame` is called for each frame and `on_result` for each sequence as it is done, both in
    the calling process. The first error ends the run and is raised.
    """
    sequences = list(sequences)
    results: dict[str, SequenceResult] = {}

    def done(result: SequenceResult) -> None:
        results[result.name] = result
        on_result(result)

    if workers > 1 and len(sequences) > 1:
        run_in_workers(task, sequences, min(workers, len(sequences)), on_frame, done)
    else:
        for sequence in sequences:
            done(task(sequence, on_frame))
    return [results[sequence.name] for sequence in sequences]
