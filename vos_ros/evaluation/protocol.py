# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a protocol decides: which objects are given where, which frames are scored, what is written.

J and F of an object are means over its scored frames; overall figures are means over all objects
of all sequences. Whether a mask is needed on disk is checked before anything runs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vos_ros.data.datasets import open_dataset
from vos_ros.data.sequence import SequenceDataset, SequenceError, VideoSequence
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.evaluation.measures import contour_accuracy, region_similarity


class Protocol(ABC):
    """Rules of one benchmark. Without state, so that it can be sent to worker processes.

    Every object is given by its mask in one frame, and predicted and scored only after it. Ids that
    a prediction has and the truth has not count as background, as do void pixels of the truth.
    """

    name: str
    """What `--dataset` calls it; also the name of its layout on disk."""

    measure = "J"
    """What the table calls region similarity."""

    averaging = "mean over all objects of the mean over the scored frames of each"
    """How the overall figures come from those of the frames, in words, for the report."""

    def dataset(self, root: Path, split: str) -> SequenceDataset:
        """The sequences of a split."""
        return open_dataset(self.name, root, split)

    @abstractmethod
    def check(self, sequence: VideoSequence) -> None:
        """Raises unless the sequence can be run and scored as the protocol asks; reads no frame.

        Done for all sequences before the first is run, so that a missing mask is told at once and
        not after an hour.
        """

    def check_all(self, sequences: Sequence[VideoSequence]) -> None:
        """As `check`, for all that are to be run together."""
        for sequence in sequences:
            self.check(sequence)

    @abstractmethod
    def scored(self, sequence: VideoSequence) -> Sequence[int]:
        """Indices of the frames that count, ascending; none where the truth is not public."""

    def written(self, sequence: VideoSequence) -> Sequence[int]:
        """Indices of the frames whose masks are written, ascending."""
        return range(len(sequence))

    def folder(self, masks: Path) -> Path:
        """The folder under `masks` that holds a folder of PNGs for each sequence."""
        return masks

    def introductions(self, sequence: VideoSequence) -> dict[int, tuple[int, ...]]:
        """Frame index -> ids of the objects that the mask of that frame gives, both ascending.

        Reads the first mask at least. Raises EvaluationError when there is no object.
        """
        found = sequence.introductions
        if not found:
            first = sequence.mask_files(sequence.annotated[0])[0]
            raise EvaluationError(
                f"the mask {first} holds no object; it must show what is to be "
                f"followed in the sequence {sequence.name}"
            )
        return found

    def score(
        self, labels: np.ndarray, truth: np.ndarray, ids: Sequence[int], binary: bool = False
    ) -> dict[int, tuple[float, float]]:
        """J and F, fractions, of each object: H x W labels against an H x W truth.

        With `binary`, whatever is not background is the one object, in both.
        """
        if binary:
            return {ids[0]: _both(labels, truth)}
        return {object_id: _both(labels == object_id, truth == object_id) for object_id in ids}

    def figures(self, report: dict[str, Any]) -> dict[str, Any]:
        """What this benchmark calls its own figures, from a report; stands beside the others."""
        return {}

    def object_value(self, sequence: VideoSequence) -> int:
        """The value that the object of a binary sequence has in the files of the truth.

        Such as 255 in DAVIS-2016 as published. Masks are written with the same value, because
        public tools compare values where a protocol only asks for background or not.
        """
        values = np.unique(sequence.raw_mask(sequence.annotated[0]))
        values = values[values != 0]
        return int(values[0]) if len(values) == 1 else 1


def need_frames(sequence: VideoSequence, least: int, why: str) -> None:
    """Raises unless the sequence is long enough."""
    if len(sequence) < least:
        words = {2: "two", 3: "three"}
        raise EvaluationError(
            f"the sequence {sequence.name} in {sequence.frame_paths[0].parent} has "
            f"{len(sequence)} frames; {words.get(least, least)} at least are needed, as {why}"
        )


def need_masks(sequence: VideoSequence, indices: Sequence[int], why: str) -> None:
    """Raises unless each of these frames has a mask."""
    for index in indices:
        if not sequence.mask_files(index):
            raise SequenceError(
                f"there is no mask for the frame {sequence.frame_paths[index]}; {why}"
            )


def _both(mask: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    return region_similarity(mask, truth), contour_accuracy(mask, truth)
