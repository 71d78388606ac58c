# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the `data` entry of a stage to batches of clips."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from vos_ros.data.clip import ClipSource
from vos_ros.data.davis import DavisDataset, DavisError
from vos_ros.data.mixture import ClipMixture, clip_loader
from vos_ros.data.stills import StillError
from vos_ros.data.synthesis import StillClips
from vos_ros.data.video_clips import VideoClips
from vos_ros.training.stage import Stage, StageError


@dataclass(frozen=True)
class _Kind:
    """What an entry must be, in words and as a test."""

    words: str
    holds: Callable[[object], bool]
    required: bool = False


def _text(value: object) -> bool:
    return isinstance(value, str) and value != ""


_WEIGHT = _Kind(
    "a number above 0",
    lambda v: isinstance(v, (int, float)) and not isinstance(v, bool) and 0 < v < math.inf,
)
_ENTRIES = {
    "stills": {
        "folders": _Kind(
            "a list of folders",
            lambda v: isinstance(v, list) and v != [] and all(map(_text, v)),
            required=True,
        ),
        "backgrounds": _Kind("a folder", _text),
        "weight": _WEIGHT,
    },
    "video": {
        "root": _Kind("a folder", _text, required=True),
        "split": _Kind("the name of a list of sequences", _text),
        "max_gap": _Kind(
            "a whole number of 1 or more",
            lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 1,
        ),
        "weight": _WEIGHT,
    },
}


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
        StageError: when an entry is unknown, missing or of another kind, or a folder holds nothing
            usable.
    """

    def __init__(self, stage: Stage, root: Path, workers: int = 1) -> None:
        _check_data(stage.data)
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
                sources.append((clips, entry.get("weight", 1)))
            if "video" in self.stage.data:
                entry = self.stage.data["video"]
                root, gap = self.root / entry["root"], entry.get("max_gap", 6)
                names = DavisDataset(root, entry.get("split", "train")).names
                # Objects of the stills, where there are any, are pasted over the videos too.
                video = VideoClips(root, names, max_gap=gap, stills=stills, **options)
                sources.append((video, entry.get("weight", 1)))
        except (StillError, DavisError) as error:
            raise StageError(f"the data of the stage cannot be read: {error}") from error
        return sources


def _check_data(data: dict) -> None:
    """Raise StageError unless every entry is one that is known, and of its kind."""
    if not data or not set(data) <= set(_ENTRIES):
        unknown = ", ".join(sorted(str(name) for name in set(data) - set(_ENTRIES)))
        raise StageError(f"data may hold stills and video, not {unknown or 'nothing'}")
    for name, entry in data.items():
        known = _ENTRIES[name]
        if not isinstance(entry, dict):
            raise StageError(f"data/{name} must hold `name: value` entries, not {entry!r}")
        for key, value in entry.items():
            if key not in known:
                raise StageError(f"data/{name}: unknown {key}; known are {', '.join(known)}")
            if not known[key].holds(value):
                raise StageError(f"data/{name}/{key} must be {known[key].words}, not {value!r}")
        missing = [key for key, kind in known.items() if kind.required and key not in entry]
        if missing:
            raise StageError(f"data/{name}: {', '.join(missing)} must be given")
