# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the `data` entry of a stage to batches of clips."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from vos_ros.data.clip import ClipSource
from vos_ros.data.coco import CocoStills
from vos_ros.data.datasets import open_dataset
from vos_ros.data.faults import FaultLog
from vos_ros.data.mixture import ClipMixture, clip_loader
from vos_ros.data.sequence import SequenceError, VideoSequence
from vos_ros.data.still_mix import StillMix
from vos_ros.data.still_set import Photographs, StillSet
from vos_ros.data.stills import StillError, longest_still
from vos_ros.data.synthesis import StillClips
from vos_ros.data.video_clips import VideoClips
from vos_ros.data.video_mix import VideoMix
from vos_ros.training.data_entries import check_data, entries_of, video_layout, video_split
from vos_ros.training.stage import Stage, StageError

#: layouts in which every frame has a mask, so that one without is a fault
COMPLETE = ("davis2016", "davis2017", "segtrack_v2")


class StageBatches:
    """The batches of a stage, from any step on, for :class:`vos_ros.training.loop.Trainer`.

    Files that cannot be used are told in the log, kept in `faults`, and passed over. Objects of the
    first entry of stills, where there is one, are pasted over the videos, too.

    Args:
        stage: whose data to read; see `vos_ros.training.data_entries`.
        root: the folder that the paths in the stage are relative to.
        workers: processes that make clips.
        strict: refuse the first file that cannot be used.
        rank: which of the processes that train together this is, from 0.
        world: how many they are; each gets an equal part of every batch.

    Raises:
        StageError: when an entry is unknown, missing or of another kind, a folder holds nothing
            usable, or the batch cannot be divided evenly.
    """

    def __init__(
        self,
        stage: Stage,
        root: Path,
        workers: int = 1,
        strict: bool = False,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        check_data(stage.data)
        if stage.batch % world:
            raise StageError(
                f"a batch of {stage.batch} clips cannot be divided among {world} processes; "
                f"make it a multiple of {world}"
            )
        self.stage, self.root, self.workers = stage, Path(root), workers
        self._rank, self._world = rank, world
        self._log = FaultLog(strict)
        try:
            self._stills = [self._still_set(entry) for entry in entries_of(stage.data, "stills")]
            self._videos = [self._sequences(entry) for entry in entries_of(stage.data, "video")]
            self._sources(stage.lengths[0][1])  # what is not usable is told before any training
        except (StillError, SequenceError) as error:
            raise _unreadable(str(error)) from error

    @property
    def faults(self) -> dict[str, str]:
        """Path -> what is wrong, of every file met so far that could not be used."""
        return dict(self._log.known)

    def __call__(self, step: int, length: int) -> Iterator[tuple[Tensor, Tensor]]:
        """This process's part of the batches from `step` on, of clips of `length` frames.

        The gap between frames is that of the step `step`.

        Raises:
            StageError: when a clip cannot be made.
        """
        mixture = ClipMixture(
            self._sources(length, self.stage.gap_at(step)),
            seed=self.stage.seed,
            start=step * self.stage.batch,
            count=(self.stage.steps - step) * self.stage.batch,
        )
        loader = clip_loader(
            mixture, self.stage.batch, self.workers, rank=self._rank, world=self._world
        )
        for batch in loader:
            self._log.add(batch.faults)
            if batch.failure:
                raise _unreadable(batch.failure)
            assert batch.images is not None and batch.labels is not None
            yield batch.images, batch.labels

    def _still_set(self, entry: dict[str, Any]) -> tuple[StillSet, Photographs | None]:
        longest = longest_still(self.stage.size)
        coco = [
            CocoStills(self.root / part["annotations"], self.root / part["images"])
            for part in entry.get("coco", [])
        ]
        folders = [self.root / folder for folder in entry.get("folders", [])]
        stills = StillSet([*folders, *coco], longest=longest, faults=self._log)
        if "backgrounds" not in entry:
            return stills, None
        folder = self.root / entry["backgrounds"]
        return stills, Photographs(folder, longest=longest, faults=self._log)

    def _sequences(self, entry: dict[str, Any]) -> list[VideoSequence]:
        """The sequences of an entry; one that cannot be opened is noted and left out."""
        root = self.root / entry["root"]
        dataset = open_dataset(video_layout(entry), root, video_split(entry))
        found = []
        for name in dataset.names:
            try:
                found.append(dataset.sequence(name))
            except SequenceError as error:
                self._log.note(f"{root}, sequence {name}", error)
        if not found:
            raise SequenceError(f"none of the sequences of {root} can be opened")
        return found

    def _sources(self, length: int, gap: int | None = None) -> list[tuple[ClipSource, float]]:
        """The sources of clips with their weights. gap: instead of that of the entries."""
        stage, data = self.stage, self.stage.data
        options: dict[str, Any] = {"size": stage.size, "length": length, "seed": stage.seed}
        sources: list[tuple[ClipSource, float]] = []
        for entry, (stills, photographs) in zip(
            entries_of(data, "stills"), self._stills, strict=True
        ):
            mix = StillMix(**entry.get("mix", {}))
            clips = StillClips(stills, photographs, targets=stage.objects, mix=mix, **options)
            sources.append((clips, entry.get("weight", 1)))
        for entry, sequences in zip(entries_of(data, "video"), self._videos, strict=True):
            video = VideoClips(
                sequences,
                max_gap=gap or entry.get("max_gap", 6),
                reference=entry.get("reference", 0.3),
                objects=stage.objects,
                complete=video_layout(entry) in COMPLETE,
                stills=self._stills[0][0] if self._stills else None,
                mix=VideoMix(**entry.get("mix", {})),
                faults=self._log,
                **options,
            )
            sources.append((video, entry.get("weight", 1)))
        return sources


def _unreadable(what: str) -> StageError:
    return StageError(f"the data of the stage cannot be read: {what}")
