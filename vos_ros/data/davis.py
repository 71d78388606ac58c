# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reader of videos in the DAVIS layout.

    ROOT/ImageSets/<set>/SPLIT.txt            names of the sequences of a split
    ROOT/JPEGImages/<resolution>/SEQ/*.jpg    frames
    ROOT/Annotations/<resolution>/SEQ/*.png   masks; a mask belongs to the frame with its stem

DAVIS-2016 keeps its lists in `ImageSets/480p` (or `2016`) and binary masks (0 and 255); DAVIS-2017
in `ImageSets/2017` and palette PNGs whose indices are the object ids. Only names are read up
front: an image is opened when it is asked for. Whatever is missing, does not match or cannot be
read raises `DavisError` with its path.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from vos_ros.data.image_files import ImageFileError, read_labels, read_rgb

FRAME_SUFFIXES = (".jpg", ".jpeg", ".png")
LIST_FOLDERS = {2016: ("480p", "2016"), 2017: ("2017",)}
"""Folders under ImageSets in which the lists of each year are found, the first that has it."""


class DavisError(ValueError):
    """A data set is not as it must be; the message is a sentence that names the path."""


@dataclass(frozen=True)
class DavisSequence:
    """One video: its frames in order and the masks that exist for them.

    Every frame may have a mask, or only some: of DAVIS-2017 test-dev only the first is public.
    With `binary` any non-zero pixel of a mask is object 1.
    """

    name: str
    frame_paths: tuple[Path, ...]
    mask_paths: dict[int, Path] = field(hash=False)  # by frame index
    binary: bool

    def __len__(self) -> int:
        return len(self.frame_paths)

    @property
    def stems(self) -> tuple[str, ...]:
        """Name of each frame without its suffix; a mask written for it takes the same."""
        return tuple(path.stem for path in self.frame_paths)

    @property
    def annotated(self) -> tuple[int, ...]:
        """Indices of the frames that have a mask, ascending."""
        return tuple(sorted(self.mask_paths))

    def frame(self, index: int) -> np.ndarray:
        """Frame `index` as H x W x 3 uint8 RGB."""
        return _named(read_rgb, self.frame_paths[index])

    def raw_mask(self, index: int) -> np.ndarray:
        """Mask of frame `index` as H x W uint8 with the values that the file holds."""
        if index not in self.mask_paths:
            frame = self.frame_paths[index]
            raise DavisError(f"there is no mask for the frame {frame}; one named {frame.stem}.png"
                             " is needed")
        return _named(read_labels, self.mask_paths[index])

    def mask(self, index: int) -> np.ndarray:
        """Mask of frame `index` as H x W uint8: 0 background, else the object id."""
        labels = self.raw_mask(index)
        return (labels != 0).astype(np.uint8) if self.binary else labels

    def pair(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Frame and mask of `index`, checked to be of one size."""
        image, labels = self.frame(index), self.mask(index)
        if image.shape[:2] != labels.shape:
            raise DavisError(
                f"the mask {self.mask_paths[index]} is {_size(labels)} pixels, its frame "
                f"{self.frame_paths[index]} {_size(image)}; they must be of one size"
            )
        return image, labels


@dataclass(frozen=True)
class DavisDataset:
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
        path = self._list_path()
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DavisError(f"the list {path} cannot be read: {error}") from error
        names = tuple(dict.fromkeys(_sequence_name(line) for line in lines if line.strip()))
        if not names:
            raise DavisError(f"the list {path} is empty; it must name one sequence a line")
        return names

    def sequence(self, name: str) -> DavisSequence:
        """The sequence `name`, which need not be of the split. Reads the two folders, no image."""
        frames = self._files("JPEGImages", name, FRAME_SUFFIXES)
        masks = self._files("Annotations", name, (".png",))
        index_of = {path.stem: index for index, path in enumerate(frames)}
        if len(index_of) != len(frames):
            raise DavisError(f"two frames in {frames[0].parent} differ only in their suffix; "
                             "one image a frame is needed")
        for path in masks:
            if path.stem not in index_of:
                raise DavisError(f"the mask {path} has no frame: {frames[0].parent} holds no "
                                 f"image named {path.stem}")
        by_index = {index_of[path.stem]: path for path in masks}
        return DavisSequence(name, frames, by_index, binary=self.year == 2016)

    def sequences(self, names: Iterable[str] = ()) -> tuple[DavisSequence, ...]:
        """The sequences `names`, which must be of the split; all of the split when none."""
        chosen = tuple(names) or self.names
        unknown = [name for name in chosen if name not in self.names]
        if unknown:
            raise DavisError(
                f"{', '.join(unknown)}: not in the split {self.split} of {self.root}, which holds "
                f"{', '.join(self.names)}"
            )
        return tuple(self.sequence(name) for name in chosen)

    def _list_path(self) -> Path:
        if not Path(self.root).is_dir():
            raise DavisError(f"there is no folder {self.root}; it must hold ImageSets, JPEGImages "
                             "and Annotations")
        if self.year not in LIST_FOLDERS:
            raise DavisError(f"there is no DAVIS of {self.year}; the years are 2016 and 2017")
        paths = [Path(self.root) / "ImageSets" / folder / f"{self.split}.txt"
                 for folder in LIST_FOLDERS[self.year]]
        for path in paths:
            if path.is_file():
                return path
        raise DavisError(f"there is no list of the split {self.split}: looked for "
                         f"{' and '.join(map(str, paths))}")

    def _files(self, kind: str, name: str, suffixes: tuple[str, ...]) -> tuple[Path, ...]:
        folder = Path(self.root) / kind / self.resolution / name
        if not folder.is_dir():
            raise DavisError(f"the sequence {name} has no folder {folder}")
        # Sorted by name, as DAVIS numbers its frames with leading zeros. Names with a leading dot
        # are the resource forks that some archivers leave behind.
        files = tuple(sorted(path for path in folder.iterdir()
                             if path.suffix.lower() in suffixes
                             and not path.name.startswith(".")))
        if not files:
            raise DavisError(f"the folder {folder} holds no file ending in {', '.join(suffixes)}")
        return files


def _sequence_name(line: str) -> str:
    """`bear`, or the official lists' `/JPEGImages/480p/bear/00000.jpg /Annotations/...`."""
    first = line.split()[0]
    return Path(first).parent.name if "/" in first else first


def _named(read, path: Path) -> np.ndarray:
    try:
        return read(path)
    except ImageFileError as error:
        raise DavisError(str(error)) from error


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"
