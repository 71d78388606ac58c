# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One annotated video on disk, and what every data set of such videos offers.

Only names are read up front: an image is opened when it is asked for. Whatever is missing, does not
match or cannot be read raises `SequenceError` with its path.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from vos_ros.data.image_files import ImageFileError, read_labels, read_rgb

VOID = 255
"""Value of pixels that belong to nobody in masks that hold object ids; read as background."""


class SequenceError(ValueError):
    """A data set is not as it must be; the message is a sentence that names the path."""


@dataclass(frozen=True)
class VideoSequence:
    """One video: its frames in order and the masks that exist for them.

    Every frame may have a mask, or only some: of DAVIS-2017 test-dev only the first is public, of
    YouTube-VOS every fifth. With `binary` any non-zero pixel of a mask is object 1; else the values
    are object ids, `VOID` excepted.

    `starts` says in which frame (by index) each object id is first shown, where a data set says so.
    Without it the objects are those of the first mask, or with `late` those that any mask shows,
    each from the first mask that has it. `requested` are the frames whose masks a submission must
    hold; all when None.
    """

    name: str
    frame_paths: tuple[Path, ...]
    mask_paths: dict[int, Path] = field(hash=False)  # by frame index
    binary: bool = False
    starts: dict[int, int] | None = field(default=None, hash=False)
    late: bool = False
    requested: tuple[int, ...] | None = None

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

    @cached_property
    def introductions(self) -> dict[int, tuple[int, ...]]:
        """Frame index -> ids of the objects that are first shown there, both ascending.

        Reads the first mask, or all of them with `late`, unless `starts` says it. Empty for a video
        without masks. Raises SequenceError when a mask cannot be read.
        """
        starts = self._seen() if self.starts is None else self.starts
        frames = sorted(set(starts.values()))
        return {
            frame: tuple(sorted(i for i, start in starts.items() if start == frame))
            for frame in frames
        }

    def frame(self, index: int) -> np.ndarray:
        """Frame `index` as H x W x 3 uint8 RGB."""
        return opened(read_rgb, self.frame_paths[index])

    def mask_files(self, index: int) -> tuple[Path, ...]:
        """The files that the mask of frame `index` is read from; none where it has no mask."""
        return (self.mask_paths[index],) if index in self.mask_paths else ()

    def raw_mask(self, index: int) -> np.ndarray:
        """Mask of frame `index` as H x W uint8 with the values that the file holds."""
        return opened(read_labels, self._checked(index)[0])

    def mask_values(self, index: int) -> dict[Path, np.ndarray]:
        """What to put into each file of the mask of `index`, H x W uint8, for it to be read alike.

        Those are the values that it holds, but for pixels that belong to nobody: they are 0.
        """
        (path,) = self._checked(index)
        return {path: self.raw_mask(index) if self.binary else self.mask(index)}

    def mask(self, index: int) -> np.ndarray:
        """Mask of frame `index` as H x W uint8: 0 background, else the object id."""
        labels = self.raw_mask(index)
        if self.binary:
            return (labels != 0).astype(np.uint8)
        return np.where(labels == VOID, 0, labels).astype(np.uint8)

    def pair(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Frame and mask of `index`, checked to be of one size."""
        image, labels = self.frame(index), self.mask(index)
        if image.shape[:2] != labels.shape:
            raise SequenceError(
                f"the mask {self.mask_files(index)[0]} is {size_of(labels)} pixels, its frame "
                f"{self.frame_paths[index]} {size_of(image)}; they must be of one size"
            )
        return image, labels

    def _checked(self, index: int) -> tuple[Path, ...]:
        """The files of a mask that must be there."""
        files = self.mask_files(index)
        if not files:
            frame = self.frame_paths[index]
            raise SequenceError(
                f"there is no mask for the frame {frame}; one named {frame.stem}.png is needed"
            )
        return files

    def _seen(self) -> dict[int, int]:
        """The first mask that shows each object, among those that may introduce one."""
        starts: dict[int, int] = {}
        for index in self.annotated if self.late else self.annotated[:1]:
            for object_id in np.unique(self.mask(index)).tolist():
                if object_id:
                    starts.setdefault(object_id, index)
        return starts


class SequenceDataset(ABC):
    """Videos of one split of a data set.

    A subclass has the attributes `root` and `split`, says which videos there are, and opens one.
    """

    root: Path
    split: str

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Names of the sequences, in the order of the data set. Raises SequenceError."""

    @property
    def lists(self) -> tuple[Path, ...]:
        """The files that the names are read from; none where they are those of folders."""
        return ()

    @abstractmethod
    def sequence(self, name: str) -> VideoSequence:
        """The sequence `name`, which need not be of the split. Reads names, no image."""

    def sequences(self, names: Iterable[str] = ()) -> tuple[VideoSequence, ...]:
        """The sequences `names`, which must be of the split, each once; all when none."""
        chosen = tuple(dict.fromkeys(names)) or self.names
        known = set(self.names)
        unknown = [name for name in chosen if name not in known]
        if unknown:
            where = f"in the split {self.split} of" if self.split else "in"
            raise SequenceError(
                f"{', '.join(unknown)}: not {where} {self.root}, which holds {some(self.names)}"
            )
        return tuple(self.sequence(name) for name in chosen)


def opened(read: Callable[[Path], np.ndarray], path: Path) -> np.ndarray:
    """What `read` makes of the file; its error becomes a SequenceError."""
    try:
        return read(path)
    except ImageFileError as error:
        raise SequenceError(str(error)) from error


def size_of(image: np.ndarray) -> str:
    """Width and height of an image, for a message."""
    return f"{image.shape[1]}x{image.shape[0]}"


def some(names: Sequence[str], most: int = 30) -> str:
    """The names, cut short where there are hundreds; for a message."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
