# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DAVIS-2016 and DAVIS-2017 as published.

    ROOT/ImageSets/<set>/SPLIT.txt            names of the sequences of a split
    ROOT/JPEGImages/<resolution>/SEQ/*.jpg    frames
    ROOT/Annotations/<resolution>/SEQ/*.png   masks; a mask belongs to the frame with its stem

DAVIS-2016 keeps its lists in `ImageSets/480p` (or `2016`) and binary masks (0 and 255); DAVIS-2017
in `ImageSets/2017` and palette PNGs whose indices are the object ids. Of the split test-dev of 2017
only the first mask of each sequence is public.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vos_ros.data.layout import FRAME_SUFFIXES, MASK_SUFFIXES, files_in, paired, read_list
from vos_ros.data.sequence import SequenceDataset, SequenceError, VideoSequence

LIST_FOLDERS = {2016: ("480p", "2016"), 2017: ("2017",)}
"""Folders under ImageSets in which the lists of each year are found, the first that has it."""

DavisError = SequenceError
"""What is raised here; one kind of error for all data sets."""


@dataclass(frozen=True)
class DavisDataset(SequenceDataset):
    """The sequences of one split under `root`.

    `year` chooses the lists and the kind of mask: 2016 is binary, 2017 keeps object ids.
    """

    root: Path
    split: str
    year: int = 2016
    resolution: str = "480p"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the sequences, in the order of the list."""
        return read_list(self._list_path())

    @property
    def lists(self) -> tuple[Path, ...]:
        """The list of the split. Raises SequenceError where there is none."""
        return (self._list_path(),)

    def sequence(self, name: str) -> VideoSequence:
        """The sequence `name`, which need not be of the split. Reads the two folders, no image."""
        frames = files_in(self._folder("JPEGImages", name), FRAME_SUFFIXES)
        masks = files_in(self._folder("Annotations", name), MASK_SUFFIXES)
        return VideoSequence(name, frames, paired(frames, masks), binary=self.year == 2016)

    def _folder(self, kind: str, name: str) -> Path:
        return Path(self.root) / kind / self.resolution / name

    def _list_path(self) -> Path:
        if not Path(self.root).is_dir():
            raise SequenceError(
                f"there is no folder {self.root}; it must hold ImageSets, "
                "JPEGImages and Annotations"
            )
        if self.year not in LIST_FOLDERS:
            raise SequenceError(f"there is no DAVIS of {self.year}; the years are 2016 and 2017")
        paths = [
            Path(self.root) / "ImageSets" / folder / f"{self.split}.txt"
            for folder in LIST_FOLDERS[self.year]
        ]
        for path in paths:
            if path.is_file():
                return path
        raise SequenceError(
            f"there is no list of the split {self.split}: looked for "
            f"{' and '.join(map(str, paths))}"
        )
