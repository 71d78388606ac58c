# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The protocol of DAVIS-2016, semi-supervised: one object, given by the mask of the first frame.

Whatever is not background is the object. The first frame, which is given, and the last are not
scored. J and F of a sequence are means over its scored frames, those of a split are means over
its sequences, so that a short video weighs as much as a long one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vos_ros.data.davis import DavisDataset, DavisError
from vos_ros.data.sequence import VideoSequence
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.evaluation.measures import contour_accuracy, region_similarity


class Davis2016:
    """What is read, what is scored and how, for DAVIS-2016."""

    name = "davis2016"

    def dataset(self, root: Path, split: str) -> DavisDataset:
        """The sequences of a split, masks binary."""
        return DavisDataset(root=root, split=split, year=2016)

    def check(self, sequence: VideoSequence) -> None:
        """Raises unless the sequence can be scored; reads no image.

        Done for all sequences before the first is run, so that a missing mask is told at once and
        not after an hour.
        """
        if len(sequence) < 3:
            raise EvaluationError(
                f"the sequence {sequence.name} in {sequence.frame_paths[0].parent} has "
                f"{len(sequence)} frames; three at least are needed, as the first and the last "
                "are not scored"
            )
        for index in (0, *self.scored(sequence)):
            if index not in sequence.mask_paths:
                raise DavisError(
                    f"there is no mask for the frame {sequence.frame_paths[index]}; every frame "
                    "but the last needs one to be scored"
                )

    def scored(self, sequence: VideoSequence) -> range:
        """Indices of the frames that count."""
        return range(1, len(sequence) - 1)

    def score(self, labels: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
        """J and F, fractions, of H x W labels against an H x W truth."""
        return region_similarity(labels, truth), contour_accuracy(labels, truth)

    def object_value(self, sequence: VideoSequence) -> int:
        """The value that the object has in the files of the truth: 255 in DAVIS-2016 as published.

        Masks are written with the same value, because public tools compare values where this
        protocol only asks for background or not.
        """
        values = np.unique(sequence.raw_mask(0))
        values = values[values != 0]
        return int(values[0]) if len(values) == 1 else 1
