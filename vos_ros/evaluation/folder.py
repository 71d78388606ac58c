# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The protocol for any folder in the layout of DAVIS, whatever frames are annotated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vos_ros.data.folder import FolderDataset
from vos_ros.data.sequence import VideoSequence
from vos_ros.evaluation.errors import EvaluationError
from vos_ros.evaluation.protocol import Protocol


@dataclass(frozen=True)
class Folder(Protocol):
    """The objects of a sequence's first mask, scored wherever there is a later one.

    `binary` says whether whatever is not background is one object; None finds it out.
    """

    binary: bool | None = None

    name = "folder"

    def dataset(self, root: Path, split: str) -> FolderDataset:
        """The sequences of a list, or all."""
        return FolderDataset(root, split, self.binary)

    def check(self, sequence: VideoSequence) -> None:
        """A frame must come after the first mask, else there is nothing to follow it in."""
        first = sequence.annotated[0]
        if first == len(sequence) - 1:
            raise EvaluationError(
                f"the first mask of the sequence {sequence.name} is "
                f"{sequence.mask_files(first)[0]}, that of its last frame; no "
                "frame is left to follow it in"
            )

    def scored(self, sequence: VideoSequence) -> Sequence[int]:
        """Every annotated frame but the first of them."""
        return sequence.annotated[1:]

    def written(self, sequence: VideoSequence) -> Sequence[int]:
        """All from the first mask on."""
        return range(sequence.annotated[0], len(sequence))
