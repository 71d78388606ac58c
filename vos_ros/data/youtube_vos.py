# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""YouTube-VOS as published.

    ROOT/SPLIT/JPEGImages/VIDEO/*.jpg              frames
    ROOT/SPLIT/Annotations/VIDEO/*.png             palette PNGs whose indices are the object ids
    ROOT/SPLIT/meta.json                           objects of each video and the frames they are in
    ROOT/SPLIT_all_frames/JPEGImages/VIDEO/*.jpg   every frame of the videos, where it was fetched

In `train` every fifth frame is annotated. In `valid` only the first mask of each object is public:
one that appears later is shown in the mask of that frame, which says nothing about the objects
before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vos_ros.data.layout import FRAME_SUFFIXES, MASK_SUFFIXES, files_in, folders_in, paired
from vos_ros.data.sequence import SequenceDataset, SequenceError, VideoSequence, some


@dataclass(frozen=True)
class YouTubeVosDataset(SequenceDataset):
    """The videos of one split under `root`, such as train or valid.

    With `all_frames` the frames are those of `SPLIT_all_frames`; masks are still requested only of
    the frames in `SPLIT`.
    """

    root: Path
    split: str = "train"
    all_frames: bool = False

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the videos, sorted."""
        folder = self._home / "JPEGImages"
        names = folders_in(folder)
        if not names:
            raise SequenceError(
                f"there are no videos in {folder}; it must hold a folder of frames for each"
            )
        return names

    def sequences(self, names: Iterable[str] = ()) -> tuple[VideoSequence, ...]:
        """The videos `names`; all when none, and then those of meta.json must all be there."""
        names = tuple(names)
        absent = sorted(set(self._meta or ()) - set(self.names))
        if absent and not names:
            raise SequenceError(
                f"{self._meta_path} names videos that are not in "
                f"{self._home / 'JPEGImages'}: {some(absent)}"
            )
        return super().sequences(names)

    def sequence(self, name: str) -> VideoSequence:
        """The video `name`. Reads the names of its files and, once, meta.json.

        Raises SequenceError when a frame that meta.json lists is not there.
        """
        asked = files_in(self._home / "JPEGImages" / name, FRAME_SUFFIXES)
        frames = asked
        if self.all_frames:
            whole = Path(self.root) / f"{self.split}_all_frames" / "JPEGImages" / name
            frames = files_in(whole, FRAME_SUFFIXES)
        masks = files_in(self._home / "Annotations" / name, MASK_SUFFIXES)
        index_of = {path.stem: index for index, path in enumerate(frames)}
        objects = self._objects(name)
        starts, stems = None, {path.stem for path in asked}
        if objects is not None:
            starts = _starts(objects, index_of, self._meta_path)
            stems = {stem for entry in objects.values() for stem in entry}
        absent = sorted(stems - set(index_of))
        if absent:
            where = self._meta_path if objects is not None else asked[0].parent
            raise SequenceError(
                f"the frames {some(absent)} of the video {name} are in {where}, "
                f"but not in {frames[0].parent}"
            )
        requested = tuple(sorted(index_of[stem] for stem in stems))
        return VideoSequence(
            name, frames, paired(frames, masks), starts=starts, late=True, requested=requested
        )

    @property
    def _home(self) -> Path:
        return Path(self.root) / self.split

    @property
    def _meta_path(self) -> Path:
        return self._home / "meta.json"

    @cached_property
    def _meta(self) -> dict[str, Any] | None:
        """The videos in meta.json; None where there is no such file."""
        if not self._meta_path.is_file():
            return None
        try:
            return dict(json.loads(self._meta_path.read_text(encoding="utf-8"))["videos"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SequenceError(
                f"{self._meta_path} cannot be read: it must be JSON that holds "
                f"`videos` by name ({error!r})"
            ) from error

    def _objects(self, name: str) -> dict[int, Sequence[str]] | None:
        """Object id -> stems of the frames it is in; None where meta.json does not say."""
        if self._meta is None or name not in self._meta:
            return None
        try:
            return {
                int(key): [str(stem) for stem in entry["frames"]]
                for key, entry in self._meta[name]["objects"].items()
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SequenceError(
                f"{self._meta_path} says of the video {name} something else than "
                f"`objects` with an id and their `frames` ({error!r})"
            ) from error


def _starts(
    objects: dict[int, Sequence[str]], index_of: dict[str, int], path: Path
) -> dict[int, int]:
    """Object id -> index of the first frame it is in."""
    starts = {}
    for object_id, stems in objects.items():
        if not stems or min(stems) not in index_of:
            what = min(stems) if stems else "no frame"
            raise SequenceError(
                f"{path} has object {object_id} begin in {what}, which is not "
                "among the frames of its video"
            )
        starts[object_id] = index_of[min(stems)]
    return starts
