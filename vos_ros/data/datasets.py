# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every layout of annotated videos that can be read, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vos_ros.data.davis import DavisDataset
from vos_ros.data.folder import FolderDataset
from vos_ros.data.segtrack import SegTrackDataset
from vos_ros.data.sequence import SequenceDataset, SequenceError
from vos_ros.data.youtube_vos import YouTubeVosDataset


@dataclass(frozen=True)
class Layout:
    """How a data set lies on disk: what opens it, and the split taken when none is named."""

    open: Callable[[Path, str], SequenceDataset]
    split: str


LAYOUTS: dict[str, Layout] = {
    "davis2016": Layout(lambda root, split: DavisDataset(root, split, year=2016), "val"),
    "davis2017": Layout(lambda root, split: DavisDataset(root, split, year=2017), "val"),
    "youtube_vos": Layout(YouTubeVosDataset, "valid"),
    "segtrack_v2": Layout(SegTrackDataset, ""),
    "folder": Layout(FolderDataset, ""),
}


def open_dataset(layout: str, root: Path | str, split: str | None = None) -> SequenceDataset:
    """The sequences of a split of the data set under `root`.

    Args:
        layout: one of `LAYOUTS`.
        root: the data set's folder.
        split: the name of a list or folder of sequences; None takes the layout's own, which is all
            sequences for segtrack_v2 and folder.

    Raises:
        SequenceError: for an unknown layout. What is missing on disk is told when it is read.
    """
    if layout not in LAYOUTS:
        raise SequenceError(f"there is no layout {layout}; known are {', '.join(LAYOUTS)}")
    kind = LAYOUTS[layout]
    return kind.open(Path(root), kind.split if split is None else split)
