# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""SegTrack v2 as published.

    ROOT/ImageSets/all.txt               names of the videos, some with an asterisk before them
    ROOT/JPEGImages/VIDEO/*              frames: PNG or BMP, whatever the folder is called
    ROOT/GroundTruth/VIDEO/*             masks of a video with one object
    ROOT/GroundTruth/VIDEO/1/*, 2/* ...  masks of a video with several, a folder for each

Frames and masks have one stem; their suffixes differ even within a video.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from vos_ros.data.image_files import read_rgb
from vos_ros.data.layout import files_in, folders_in, paired, read_list
from vos_ros.data.sequence import (
    VOID,
    SequenceDataset,
    SequenceError,
    VideoSequence,
    opened,
    size_of,
)

IMAGE_SUFFIXES = (".png", ".bmp", ".jpg", ".jpeg", ".webp")
WHITE = 255


@dataclass(frozen=True)
class LayeredSequence(VideoSequence):
    """A video with a mask file for each object: `layers[frame index][object id]`.

    Where two objects claim a pixel, the one with the greater id has it. A frame for which any
    object has a file needs one of each: an object that is not seen has a black one.
    """

    layers: dict[int, dict[int, Path]] = field(default_factory=dict, hash=False)

    def mask_files(self, index: int) -> tuple[Path, ...]:
        """The files of all objects for frame `index`, also one that ought to be there and is not.

        None where no object has a file.
        """
        return tuple(self.layers.get(index, {}).values())

    def mask_values(self, index: int) -> dict[Path, np.ndarray]:
        """Of each object's file: 255 where the object is, else 0."""
        return {
            path: np.uint8(WHITE) * foreground(opened(read_rgb, path))
            for path in self._checked(index)
        }

    def raw_mask(self, index: int) -> np.ndarray:
        """The objects' masks in one, H x W uint8: ids, or 255 for the object of a binary video."""
        self._checked(index)
        labels: np.ndarray | None = None
        for object_id, path in sorted(self.layers[index].items()):
            own = foreground(opened(read_rgb, path))
            if labels is None:
                labels = np.zeros(own.shape, np.uint8)
            if own.shape != labels.shape:
                raise SequenceError(
                    f"the mask {path} is {size_of(own)} pixels, those of other "
                    f"objects {size_of(labels)}; they must be of one size"
                )
            labels[own] = WHITE if self.binary else object_id
        assert labels is not None
        return labels


@dataclass(frozen=True)
class SegTrackDataset(SequenceDataset):
    """The videos under `root`; there is one split, all of them."""

    root: Path
    split: str = ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Those of ImageSets/all.txt, else all folders of frames, sorted."""
        if self.lists:
            return read_list(self.lists[0])
        folder = Path(self.root) / "JPEGImages"
        names = folders_in(folder)
        if not names:
            raise SequenceError(
                f"there are no videos in {folder}; {self.root} must hold "
                "JPEGImages and GroundTruth, in each a folder for each video"
            )
        return names

    @property
    def lists(self) -> tuple[Path, ...]:
        """The list that is read; none where all folders are taken."""
        path = Path(self.root) / "ImageSets" / f"{self.split or 'all'}.txt"
        return (path,) if self.split or path.is_file() else ()

    def sequence(self, name: str) -> LayeredSequence:
        """The video `name`. Reads the names of its files."""
        frames = files_in(Path(self.root) / "JPEGImages" / name, IMAGE_SUFFIXES)
        truth = Path(self.root) / "GroundTruth" / name
        folders = {
            int(key): truth / key
            for key in folders_in(truth)
            if key.isdecimal() and 0 < int(key) < VOID
        }
        masks = {
            object_id: paired(frames, files_in(folder, IMAGE_SUFFIXES))
            for object_id, folder in sorted((folders or {1: truth}).items())
        }
        layers = {
            index: {object_id: _file_of(found, index, frames) for object_id, found in masks.items()}
            for index in sorted(set().union(*masks.values()))
        }
        first = {index: min(paths.items())[1] for index, paths in layers.items()}
        # Not every object is there from the first frame on.
        return LayeredSequence(name, frames, first, binary=not folders, late=True, layers=layers)


def _file_of(masks: dict[int, Path], index: int, frames: Sequence[Path]) -> Path:
    """An object's mask of a frame; where there is none, the path at which it is missed."""
    beside = next(iter(masks.values()))
    return masks.get(index, beside.with_name(frames[index].stem + beside.suffix))


def foreground(picture: np.ndarray) -> np.ndarray:
    """Which pixels of a mask of one object, H x W x 3, are the object, H x W bool.

    Those nearer to white than to black: some files are smoothed at the edges. A file of 0 and 1 has
    no white and is taken as it is.
    """
    values = picture.max(axis=2)
    return values >= (128 if values.max(initial=0) > 1 else 1)
