# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The protocol of YouTube-VOS: objects that begin in different frames, masks for its server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vos_ros.data.sequence import VideoSequence
from vos_ros.data.youtube_vos import YouTubeVosDataset
from vos_ros.evaluation.protocol import Protocol, need_masks


@dataclass(frozen=True)
class YouTubeVos(Protocol):
    """Each object is given in the frame where it first appears, and added there.

    Masks are written for the frames that meta.json lists, in a folder `Annotations`. Where there
    are masks beyond those that give objects, as in `train`, the annotated frames are scored, each
    object in those after its first. With `all_frames` the network sees every frame of the videos,
    from `SPLIT_all_frames`; what is written and scored stays the same.
    """

    all_frames: bool = False

    name = "youtube_vos"

    def dataset(self, root: Path, split: str) -> YouTubeVosDataset:
        """The videos of a split."""
        return YouTubeVosDataset(root, split, self.all_frames)

    def check(self, sequence: VideoSequence) -> None:
        """Frames in which objects begin need masks, and all that meta.json lists if any has one.

        Reads the masks if meta.json is absent.
        """
        need_masks(sequence, tuple(self.introductions(sequence)), "an object begins there")
        if sequence.starts is not None and self.scored(sequence):
            need_masks(
                sequence,
                self.written(sequence),
                "meta.json lists it and others have one, so it is to be scored",
            )

    def scored(self, sequence: VideoSequence) -> Sequence[int]:
        """The annotated frames after the first object's, unless masks only give objects."""
        starts = self.introductions(sequence)
        if set(sequence.annotated) <= set(starts):
            return ()
        return tuple(index for index in sequence.annotated if index > min(starts))

    def written(self, sequence: VideoSequence) -> Sequence[int]:
        """Those that a submission must hold, from the first object on."""
        wanted = range(len(sequence)) if sequence.requested is None else sequence.requested
        first = min(self.introductions(sequence))
        return tuple(index for index in wanted if index >= first)

    def folder(self, masks: Path) -> Path:
        """`Annotations`, which the benchmark's server wants at the top of the archive."""
        return masks / "Annotations"
