# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Annotated frames of several videos, each checked as it is read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vos_ros.data.faults import FaultLog
from vos_ros.data.image_files import too_small
from vos_ros.data.sequence import SequenceError, VideoSequence


class VideoFrames:
    """The videos that have masks, and their frames; what is bad is noted."""

    def __init__(
        self, sequences: Sequence[VideoSequence], faults: FaultLog, complete: bool = False
    ) -> None:
        """Raises SequenceError when no sequence has a mask, or for the first fault when strict.

        complete: every frame ought to have a mask; one without is noted, though never read.
        """
        self._faults = faults
        self._sequences: list[VideoSequence] = []
        for sequence in sequences:
            if sequence.annotated:
                self._sequences.append(sequence)
            else:
                folder = sequence.frame_paths[0].parent
                faults.note(folder, SequenceError(f"no frame in {folder} has a mask"))
        if not self._sequences:
            names = ", ".join(sequence.name for sequence in sequences)
            raise SequenceError(f"none of the sequences has masks: {names}")
        if complete:
            self._note_missing()
        self._first: dict[int, frozenset[int] | None] = {}

    def __len__(self) -> int:
        return len(self._sequences)

    def annotated(self, which: int) -> tuple[int, ...]:
        """Indices of the frames of a video that have a mask."""
        return self._sequences[which].annotated

    def read(self, which: int, index: int) -> tuple[np.ndarray, np.ndarray] | None:
        """One frame, h x w x 3 uint8 RGB, and its ids, h x w uint8; None when it is bad."""
        sequence = self._sequences[which]
        path = sequence.frame_paths[index]
        self._faults.reading(path)
        try:
            image, ids = sequence.pair(index)
        except SequenceError as error:
            self._faults.note(_culprit(sequence, index, str(error)), error)
            return None
        if what := too_small(image):
            self._faults.note(path, SequenceError(f"{path}: {what}"))
            return None
        known = self._known(which)
        shown = np.flatnonzero(np.bincount(ids.ravel(), minlength=256))
        new = [] if known is None else [int(k) for k in shown if k and k not in known]
        if new:
            path = sequence.mask_files(index)[0]
            listed = ", ".join(map(str, new))
            what = f"{path} shows {listed}, which the first mask of {sequence.name} does not"
            self._faults.note(path, SequenceError(what))
            return None
        return image, ids

    def _known(self, which: int) -> frozenset[int] | None:
        """The ids that may occur in a video; None where any may.

        Where objects may enter later, each mask decides for itself. A first mask that is empty or
        bad decides nothing; a bad one is noted when it is read as a frame.
        """
        sequence = self._sequences[which]
        if sequence.late and sequence.starts is None:
            return None
        if which not in self._first:
            try:
                by_frame = sequence.introductions
                known = frozenset(k for ids in by_frame.values() for k in ids)
            except SequenceError:
                known = None
            self._first[which] = known or None
        return self._first[which]

    def _note_missing(self) -> None:
        for sequence in self._sequences:
            masked = set(sequence.annotated)
            for index, path in enumerate(sequence.frame_paths):
                if index not in masked:
                    self._faults.note(path, SequenceError(f"the frame {path} has no mask"))


def _culprit(sequence: VideoSequence, index: int, what: str) -> str:
    """The file for which a frame cannot be used: the frame itself or, that being well, a mask.

    what: the error, which names one of the masks where there are several.
    """
    try:
        sequence.frame(index)
    except SequenceError:
        return str(sequence.frame_paths[index])
    masks = [*map(str, sequence.mask_files(index)), str(sequence.frame_paths[index])]
    return next((path for path in masks if path in what), masks[0])
