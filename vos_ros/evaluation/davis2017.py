# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The semi-supervised protocol of DAVIS-2017: several objects, given by the first frame's mask."""

from __future__ import annotations

from collections.abc import Sequence

from vos_ros.data.sequence import VideoSequence, some
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.evaluation.protocol import Protocol, need_frames, need_masks


class Davis2017(Protocol):
    """Each id of the first mask is an object; the first and the last frame are not scored.

    Sequences of which only the first mask is public, as in test-dev, are not scored: their masks
    are written for those who hold the truth.
    """

    name = "davis2017"

    def check(self, sequence: VideoSequence) -> None:
        """The first frame needs a mask; if any other has one, all but the last do."""
        need_frames(sequence, 3, "the first and the last are not scored")
        need_masks(sequence, (0,), "it must show the objects that are to be followed")
        need_masks(
            sequence,
            self.scored(sequence),
            "as others have one, every frame but the last needs one to be scored",
        )

    def check_all(self, sequences: Sequence[VideoSequence]) -> None:
        """All sequences have a truth or none has: figures of a part would pass for the whole."""
        super().check_all(sequences)
        without = [sequence.name for sequence in sequences if not self.scored(sequence)]
        if 0 < len(without) < len(sequences):
            raise EvaluationError(
                f"of {some(without)} there is only the first mask, of the other sequences there "
                "are all; give the masks that are missing, or score the others by name"
            )

    def scored(self, sequence: VideoSequence) -> Sequence[int]:
        """All but the first and the last, where there is a truth."""
        return () if sequence.annotated == (0,) else range(1, len(sequence) - 1)
