# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the `data` entry of a stage to batches of clips."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from vos_ros.data.clip import ClipSource
from vos_ros.data.davis import DavisDataset, DavisError
from vos_ros.data.mixture import ClipMixture, clip_loader
from vos_ros.data.stills import StillError
from vos_ros.data.synthesis import StillClips
from vos_ros.data.video_clips import VideoClips
from vos_ros.training.stage import Stage, StageError


class StageBatches:
    """The batches of a stage, from any step on, for :class:`vos_ros.training.loop.Trainer`.

    The `data` entry of the stage may hold

    - ``stills``: ``folders`` (paths of folders of stills), ``backgrounds`` (a folder of
      photographs), ``weight``;
    - ``video``: ``root`` (a folder in DAVIS layout), ``split``, ``max_gap``, ``weight``.

    Args:
        stage: whose data to read.
        root: the folder that the paths in the stage are relative to.
        workers: processes that make clips.

    Raises:
        StageError: when an entry is unknown, nothing is mixed, or a folder holds nothing usable.
    """

    def __init__(self, stage: Stage, root: Path, workers: int = 1) -> None:
        unknown = sorted(set(stage.data) - {"stills", "video"})
        if unknown or not stage.data:
            raise StageError(f"data may hold stills and video, not {', '.join(unknown) or 'nothing'}")
        self.stage, self.root, self.workers = stage, root, workers
        self._sources(stage.lengths[0][1])  # a folder that is absent is told before any training

    def __call__(self, step: int, length: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches from `step` on, of clips of `length` frames."""
        mixture = ClipMixture(
            self._sources(length),
            seed=self.stage.seed,
            start=step * self.stage.batch,
            count=(self.stage.steps - step) * self.stage.batch,
        )
        return iter(clip_loader(mixture, self.stage.batch, self.workers))

    def _sources(self, length: int) -> list[tuple[ClipSource, float]]:
        options = {"size": self.stage.size, "length": length, "seed": self.stage.seed}
        sources: list[tuple[ClipSource, float]] = []
        stills = None
        try:
            if "stills" in self.stage.data:
                entry = self.stage.data["stills"]
                folders = [self.root / folder for folder in entry["folders"]]
                backgrounds = self.root / entry["backgrounds"] if "backgrounds" in entry else None
                clips = StillClips(folders, backgrounds, **options)
                stills = clips.stills
                sources.append((clips, float(entry.get("weight", 1))))
            if "video" in self.stage.data:
                entry = self.stage.data["video"]
                root, gap = self.root / entry["root"], entry.get("max_gap", 6)
                names = DavisDataset(root, entry.get("split", "train")).names
                # Objects of the stills, where there are any, are pasted over the videos too.
                video = VideoClips(root, names, max_gap=gap, stills=stills, **options)
                sources.append((video, float(entry.get("weight", 1))))
        except (StillError, DavisError) as error:
            raise StageError(f"the data of the stage cannot be read: {error}") from error
        except KeyError as error:
            raise StageError(f"an entry under data lacks {error}") from error
        return sources
