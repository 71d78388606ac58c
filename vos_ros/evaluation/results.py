# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What came out for one sequence: scores of each object in each frame, and times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np


@dataclass(frozen=True)
class ObjectResult:
    """J and F of one object, fractions, one for each frame in `scored` (their indices)."""

    id: int
    scored: tuple[int, ...]
    j: tuple[float, ...]
    f: tuple[float, ...]


@dataclass(frozen=True)
class SequenceResult:
    """What came out for one sequence.

    `objects` are those that were followed, ascending by id; their scores are empty where there is
    no truth. `step_ms` holds the milliseconds of every `step`, empty where masks were read. `kept`
    holds the labels of some frames, by index, for pictures: as `packed`, which takes a hundredth of
    the memory.
    """

    name: str
    frames: int
    width: int
    height: int
    objects: tuple[ObjectResult, ...]
    step_ms: tuple[float, ...] = ()
    kept: dict[int, bytes] = field(default_factory=dict, compare=False, repr=False)

    @property
    def scored(self) -> tuple[int, ...]:
        """Indices of the frames in which some object was scored, ascending."""
        return tuple(sorted({index for entry in self.objects for index in entry.scored}))

    def frame_scores(self, index: int) -> tuple[float, float] | None:
        """J and F of a frame, means over the objects scored in it; None where none was."""
        scores = [
            (entry.j[entry.scored.index(index)], entry.f[entry.scored.index(index)])
            for entry in self.objects
            if index in entry.scored
        ]
        return None if not scores else tuple(np.mean(scores, axis=0).tolist())


def packed(labels: np.ndarray) -> bytes:
    """H x W uint8 labels as a PNG."""
    return cv2.imencode(".png", labels)[1].tobytes()


def unpacked(picture: bytes) -> np.ndarray:
    """The H x W uint8 labels of `packed`."""
    return np.asarray(cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_UNCHANGED))


def gathered(
    ids: Iterable[int], scores: Mapping[int, Mapping[int, tuple[float, float]]]
) -> tuple[ObjectResult, ...]:
    """The objects' results from `scores[frame index][object id]` = J, F."""
    results = []
    for object_id in sorted(ids):
        own = {index: found[object_id] for index, found in scores.items() if object_id in found}
        results.append(
            ObjectResult(
                object_id,
                tuple(own),
                tuple(j for j, _ in own.values()),
                tuple(f for _, f in own.values()),
            )
        )
    return tuple(results)
