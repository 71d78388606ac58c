# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stills to draw from at random: folders of them, or any other source, and plain photographs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from vos_ros.data.faults import FaultLog
from vos_ros.data.stills import (
    IMAGE_SUFFIXES,
    Still,
    StillError,
    fit_within,
    read_ids,
    read_image,
)


class StillSource(Protocol):
    """Stills by number, read from disk each time."""

    def __len__(self) -> int: ...

    def path(self, index: int) -> Path:
        """Of the image."""

    def read(self, index: int) -> Still:
        """Raises StillError with the file at fault."""


class FolderStills:
    """A folder of `images/*` and `masks/*.png` with equal stems."""

    def __init__(self, root: Path | str, faults: FaultLog | None = None) -> None:
        """Raises StillError when there is no such folder; an image without a mask is a fault."""
        faults = FaultLog() if faults is None else faults
        self._pairs: list[tuple[Path, Path]] = []
        folder = Path(root) / "images"
        if not folder.is_dir():
            raise StillError("no such folder; stills lie in images/ and masks/", folder)
        for image in sorted(folder.iterdir()):
            if image.suffix.lower() not in IMAGE_SUFFIXES:
                continue
            mask = Path(root) / "masks" / f"{image.stem}.png"
            if mask.is_file():
                self._pairs.append((image, mask))
            else:
                faults.note(image, StillError(f"no mask {mask}", image))

    def __len__(self) -> int:
        return len(self._pairs)

    def path(self, index: int) -> Path:
        """See `StillSource`."""
        return self._pairs[index][0]

    def mask_path(self, index: int) -> Path:
        """Of the mask."""
        return self._pairs[index][1]

    def read(self, index: int) -> Still:
        """See `StillSource`."""
        image_path, mask_path = self._pairs[index]
        image, ids = read_image(image_path), read_ids(mask_path)
        if ids.shape != image.shape[:2]:
            what = (
                f"{ids.shape[1]} x {ids.shape[0]} pixels, "
                f"its image has {image.shape[1]} x {image.shape[0]}"
            )
            raise StillError(what, mask_path)
        if not ids.any():
            raise StillError("the mask is empty", mask_path)
        return Still(image, ids)


class StillSet:
    """The stills of several sources, decoded on demand, the last used ones kept in memory.

    A bad one is noted and passed over.
    """

    def __init__(
        self,
        sources: Sequence[Path | str | StillSource],
        *,
        longest: int = 672,
        cache_bytes: int = 500_000_000,
        faults: FaultLog | None = None,
    ) -> None:
        """Raises StillError when nothing usable is listed, or for any bad file when strict.

        sources: of stills; a path is a folder with `images/` and `masks/`.
        longest: decoded stills are shrunk to this longer side, pixels.
        cache_bytes: the decoded stills kept, together, per process.
        faults: where bad files are noted.
        """
        self.faults = FaultLog() if faults is None else faults
        self._longest = longest
        self._cache_bytes = cache_bytes
        self._cached = 0
        self._cache: OrderedDict[int, Still] = OrderedDict()
        self._sources = [
            FolderStills(source, self.faults) if isinstance(source, (str, Path)) else source
            for source in sources
        ]
        self._ends = np.cumsum([len(source) for source in self._sources])
        if not len(self):
            names = ", ".join(str(source) for source in sources)
            raise StillError(f"{names}: nothing in images/ has a mask of its stem in masks/")

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, index: int) -> Still:
        """The still of this number. Raises StillError for a bad file, strict or not."""
        if index in self._cache:
            self._cache.move_to_end(index)
            return self._cache[index]
        source, number = self._place(index)
        still = self._cache[index] = fit_within(source.read(number), self._longest)
        self._cached += still.bytes
        while self._cached > self._cache_bytes and len(self._cache) > 1:
            self._cached -= self._cache.popitem(last=False)[1].bytes
        return still

    def draw(self, rng: np.random.Generator) -> Still:
        """A random still; a bad one is noted and passed over for the one after it."""
        start = int(rng.integers(len(self)))
        for step in range(len(self)):
            index = (start + step) % len(self)
            source, number = self._place(index)
            self.faults.reading(source.path(number))
            try:
                return self[index]
            except StillError as error:
                self.faults.note(error.path or source.path(number), error)
        raise StillError(f"none of the {len(self)} stills can be read")

    def _place(self, index: int) -> tuple[StillSource, int]:
        """The source that has this still, and the still's number there."""
        which = int(np.searchsorted(self._ends, index, side="right"))
        source = self._sources[which]
        return source, index - int(self._ends[which]) + len(source)


class Photographs:
    """Photographs without masks, below one folder; bad ones are noted and passed over."""

    def __init__(
        self,
        root: Path | str,
        *,
        longest: int = 672,
        cache_bytes: int = 200_000_000,
        faults: FaultLog | None = None,
    ) -> None:
        """Raises StillError when the folder holds no image. Arguments as for StillSet."""
        bare = BareFolder(root)
        if not len(bare):
            raise StillError("no image in this folder", root)
        self._set = StillSet([bare], longest=longest, cache_bytes=cache_bytes, faults=faults)

    @property
    def faults(self) -> FaultLog:
        """Where bad files are noted."""
        return self._set.faults

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """A random photograph, H x W x 3 uint8 RGB."""
        return self._set.draw(rng).image


class BareFolder:
    """Every image below a folder, as stills that show no object."""

    def __init__(self, root: Path | str) -> None:
        paths = Path(root).rglob("*")
        self._paths = sorted(path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES)

    def __len__(self) -> int:
        return len(self._paths)

    def path(self, index: int) -> Path:
        """See `StillSource`."""
        return self._paths[index]

    def read(self, index: int) -> Still:
        """See `StillSource`."""
        image = read_image(self._paths[index])
        return Still(image, np.zeros(image.shape[:2], np.uint8))
