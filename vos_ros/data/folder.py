# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Any folder in the layout of DAVIS, with or without lists and a folder for the resolution.

ROOT/JPEGImages/[<resolution>/]SEQ/*     frames
ROOT/Annotations/[<resolution>/]SEQ/*    masks; a mask belongs to the frame with its stem
ROOT/ImageSets/[<set>/]SPLIT.txt         names of sequences, where a split is asked for
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from vos_ros.data.image_files import read_labels
from vos_ros.data.layout import (
    FRAME_SUFFIXES,
    MASK_SUFFIXES,
    files_in,
    folders_in,
    paired,
    read_list,
)
from vos_ros.data.sequence import VOID, SequenceDataset, SequenceError, VideoSequence, opened

PREFERRED = "480p"
"""The resolution that is taken where there are several."""

_FRAMES = (*FRAME_SUFFIXES, ".bmp")


@dataclass(frozen=True)
class FolderDataset(SequenceDataset):
    """The sequences under `root`: those of a list, or all when `split` is empty.

    `binary` says whether whatever is not background is one object. None finds it out for each
    sequence: masks whose only value is 255 are of one object, others hold ids.
    """

    root: Path
    split: str = ""
    binary: bool | None = None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """In the order of the list, else sorted."""
        if self.split:
            return read_list(self._list_path())
        names = folders_in(self._home("JPEGImages"))
        if not names:
            raise SequenceError(
                f"there are no sequences in {self._home('JPEGImages')}; "
                f"{self.root} must hold JPEGImages and Annotations, in each a "
                "folder for each sequence"
            )
        return names

    @property
    def lists(self) -> tuple[Path, ...]:
        """The list of the split, where one is asked for. Raises SequenceError."""
        return (self._list_path(),) if self.split else ()

    def sequence(self, name: str) -> VideoSequence:
        """The sequence `name`. Reads names, and the first mask where `binary` is None."""
        frames = files_in(self._home("JPEGImages") / name, _FRAMES)
        masks = files_in(self._home("Annotations") / name, MASK_SUFFIXES)
        by_index = paired(frames, masks)
        binary = _is_binary(by_index) if self.binary is None else self.binary
        return VideoSequence(name, frames, by_index, binary=binary)

    def _home(self, kind: str) -> Path:
        """The folder that holds the folders of the sequences."""
        folder = Path(self.root) / kind
        if not folder.is_dir():
            raise SequenceError(
                f"there is no folder {folder}; {self.root} must hold JPEGImages and Annotations"
            )
        inner = folders_in(folder)
        if not any(folders_in(folder / name) for name in inner):
            return folder
        if PREFERRED in inner or len(inner) == 1:
            return folder / (PREFERRED if PREFERRED in inner else inner[0])
        raise SequenceError(
            f"{folder} holds the resolutions {', '.join(inner)}; leave one, or name one {PREFERRED}"
        )

    def _list_path(self) -> Path:
        lists = Path(self.root) / "ImageSets"
        paths = [
            folder / f"{self.split}.txt"
            for folder in (lists, *(lists / name for name in folders_in(lists)))
        ]
        found = [path for path in paths if path.is_file()]
        if len(found) != 1:
            what = f"{len(found)} lists" if found else "no list"
            raise SequenceError(
                f"there is {what} of the split {self.split}; one file "
                f"{self.split}.txt is needed in {lists} or a folder in it"
            )
        return found[0]


def _is_binary(masks: dict[int, Path]) -> bool:
    """Whether the first mask that shows something knows no other value than 255."""
    for _, path in sorted(masks.items()):
        values = np.unique(opened(read_labels, path))
        values = values[values != 0]
        if values.size:
            return values.tolist() == [VOID]
    return False
