# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The protocol of SegTrack v2: mean intersection over union of all objects.

Each object is a problem of its own, given by its first mask and scored in every frame after it,
the last included, as F. Perazzi et al. do in "Learning Video Object Segmentation from Static
Images" (CVPR 2017). All objects weigh the same; the mean over videos, which some report beside it,
is in the report too.
"""

from __future__ import annotations

from typing import Any

from vos_ros.data.sequence import SequenceError, VideoSequence
from vos_ros.evaluation.protocol import Protocol, need_frames, need_masks


class SegTrackV2(Protocol):
    """Every frame after an object's first mask counts; the first frame never does."""

    name = "segtrack_v2"
    measure = "mIoU"

    def check(self, sequence: VideoSequence) -> None:
        """Every frame needs a mask of every object."""
        need_frames(sequence, 2, "the first is not scored")
        need_masks(sequence, range(len(sequence)), "every frame needs one to be scored")
        for index in range(len(sequence)):
            for path in sequence.mask_files(index):
                if not path.is_file():
                    raise SequenceError(
                        f"there is no mask {path}, as there is of other objects in that frame; "
                        "every frame needs one of every object to be scored"
                    )

    def scored(self, sequence: VideoSequence) -> range:
        """All but the first."""
        return range(1, len(sequence))

    def figures(self, report: dict[str, Any]) -> dict[str, Any]:
        """`miou` is J over all objects; `miou_over_sequences` that over the videos."""
        return {"miou": report["j"], "miou_over_sequences": report["sequence_means"]["j"]}
