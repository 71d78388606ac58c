# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A video in which every object has a double: each frame beside its own mirror image.

The double looks and moves as the object does, and what lies where is all that tells them apart. A
method that goes by looks alone takes both, and then has J of about a half.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from vos_ros.data.sequence import VideoSequence


@dataclass(frozen=True)
class TwinSequence(VideoSequence):
    """Frames of twice the width, the mirror image on the right; masks show the left alone.

    Made by `twin_of`. `plain` is the video that it is made of, of any data set; paths are its own.
    """

    plain: VideoSequence = field(kw_only=True, repr=False)

    def frame(self, index: int) -> np.ndarray:
        """Frame `index` and its mirror image, H x 2W x 3 uint8 RGB."""
        return _mirrored(self.plain.frame(index))

    def mask_files(self, index: int) -> tuple[Path, ...]:
        """The files of the plain video."""
        return self.plain.mask_files(index)

    def raw_mask(self, index: int) -> np.ndarray:
        """Mask of frame `index`, H x 2W uint8; the right half is background."""
        return _alone(self.plain.raw_mask(index))

    def pair(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Frame and mask of `index`, whose files are checked to be of one size."""
        image, labels = self.plain.pair(index)
        return _mirrored(image), _alone(labels)


def twin_of(sequence: VideoSequence, suffix: str = "") -> TwinSequence:
    """The video beside its mirror image; `suffix` is added to its name."""
    kept = {entry.name: getattr(sequence, entry.name) for entry in fields(VideoSequence)}
    return TwinSequence(**kept | {"name": sequence.name + suffix}, plain=sequence)


def _mirrored(image: np.ndarray) -> np.ndarray:
    return np.concatenate([image, image[:, ::-1]], axis=1)


def _alone(labels: np.ndarray) -> np.ndarray:
    return np.concatenate([labels, np.zeros_like(labels)], axis=1)
