# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The protocol of DAVIS-2016, semi-supervised: one object, given by the mask of the first frame."""

from __future__ import annotations

from vos_ros.data.sequence import VideoSequence
from vos_ros.evaluation.protocol import Protocol, need_frames, need_masks


class Davis2016(Protocol):
    """Whatever is not background is the object; the first and the last frame are not scored."""

    name = "davis2016"

    def check(self, sequence: VideoSequence) -> None:
        """Every frame but the last needs a mask."""
        need_frames(sequence, 3, "the first and the last are not scored")
        need_masks(
            sequence, (0, *self.scored(sequence)), "every frame but the last needs one to be scored"
        )

    def scored(self, sequence: VideoSequence) -> range:
        """All but the first, which is given, and the last."""
        return range(1, len(sequence) - 1)
