# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores sequences: one after the other, or side by side in worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vos_ros.data.image_files import write_labels
from vos_ros.data.sequence import VideoSequence
from vos_ros.evaluation.davis2016 import Davis2016
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.evaluation.sources import Prediction, Source
from vos_ros.evaluation.workers import run_in_workers


@dataclass(frozen=True)
class SequenceResult:
    """What came out for one sequence.

    `j` and `f` are fractions, one for each frame in `scored` (their indices). `step_ms` holds
    the milliseconds of every `step`, empty where masks were read. `kept` holds H x W uint8 labels
    of some frames, by index, for pictures.
    """

    name: str
    frames: int
    width: int
    height: int
    scored: tuple[int, ...]
    j: tuple[float, ...]
    f: tuple[float, ...]
    step_ms: tuple[float, ...] = ()
    kept: dict[int, np.ndarray] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class SequenceTask:
    """Scores one sequence. Sent to the workers, so it holds nothing that cannot be pickled.

    With `masks_out`, every frame's labels go to `masks_out/SEQ/<frame>.png`. `pictures` is the
    number of frames, evenly spread, whose labels the result keeps.
    """

    protocol: Davis2016
    source: Source
    masks_out: Path | None = None
    pictures: int = 0

    def __call__(self, sequence: VideoSequence, on_frame: Callable[[], None]) -> SequenceResult:
        writer = None if self.masks_out is None else _MaskWriter(
            self.masks_out / sequence.name, sequence, self.protocol.object_value(sequence)
        )
        scored, wanted = self.protocol.scored(sequence), picture_frames(sequence, self.pictures)
        scores: dict[int, tuple[float, float]] = {}
        step_ms: list[float] = []
        kept: dict[int, np.ndarray] = {}
        shape = (0, 0)
        for prediction in self.source.predict(sequence):
            index, shape = prediction.index, prediction.labels.shape
            if index in scored:
                scores[index] = self._score(sequence, prediction)
            if prediction.seconds is not None:
                step_ms.append(1000 * prediction.seconds)
            if index in wanted:
                kept[index] = prediction.labels.copy()
            if writer is not None:
                writer.write(index, prediction.labels)
            on_frame()
        return SequenceResult(
            name=sequence.name, frames=len(sequence), width=shape[1], height=shape[0],
            scored=tuple(scores), j=tuple(j for j, _ in scores.values()),
            f=tuple(f for _, f in scores.values()), step_ms=tuple(step_ms), kept=kept,
        )

    def _score(self, sequence: VideoSequence, prediction: Prediction) -> tuple[float, float]:
        truth = sequence.mask(prediction.index)
        try:
            return self.protocol.score(prediction.labels, truth)
        except ValueError as error:
            raise EvaluationError(
                f"{sequence.mask_paths[prediction.index]} cannot be scored: {error}"
            ) from error


class _MaskWriter:
    def __init__(self, folder: Path, sequence: VideoSequence, value: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._stems, self._value = folder, sequence.stems, value

    def write(self, index: int, labels: np.ndarray) -> None:
        out = np.where(labels != 0, self._value, 0).astype(np.uint8)
        write_labels(self._folder / f"{self._stems[index]}.png", out)


def picture_frames(sequence: VideoSequence, count: int) -> tuple[int, ...]:
    """Indices of `count` frames spread over the scored ones, first and last of them included."""
    if count < 1:
        return ()
    spread = np.linspace(1, len(sequence) - 2, count)
    return tuple(dict.fromkeys(int(index) for index in np.round(spread)))


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
