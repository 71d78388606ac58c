# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Photographs with object masks: folders of `images/*` and `masks/*` with equal stems."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

logger = logging.getLogger(__name__)

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
VOID_ID = 255  # "do not care" in most sets that carry several ids


class StillError(ValueError):
    """A still that cannot be used; the message opens with its path."""


@dataclass(frozen=True)
class Still:
    """One photograph: image H x W x 3 uint8 RGB, ids H x W uint8 (0 background)."""

    image: np.ndarray
    ids: np.ndarray

    @property
    def bytes(self) -> int:
        return self.image.nbytes + self.ids.nbytes


def read_image(path: Path) -> np.ndarray:
    """Read an image as H x W x 3 uint8 RGB. Raises StillError with the path."""
    try:
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise StillError(f"{path}: cannot be read ({error.strerror})") from error
    return decode_image(encoded, path)


def decode_image(encoded: np.ndarray, path: Path) -> np.ndarray:
    """Decode the bytes of an image file to H x W x 3 uint8 RGB; `path` is for the message."""
    try:
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if encoded.size else None
    except cv2.error:
        image = None
    if image is None:
        raise StillError(f"{path}: not a readable image")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def read_ids(path: Path) -> np.ndarray:
    """Read a mask as H x W uint8 ids. Palette files give their indices, not their colours.

    Where ids 1..n stand beside 255, 255 is void and becomes 0; alone it is the object of a binary
    mask and stays.
    """
    try:
        with Image.open(path) as file:
            if file.mode not in ("L", "P", "1"):
                raise StillError(f"{path}: a mask has one channel of ids, this one is {file.mode}")
            ids = np.array(file.convert("L") if file.mode == "1" else file, np.uint8)
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, StillError):
            raise
        raise StillError(f"{path}: not a readable mask ({error})") from error
    if ids.max() == VOID_ID and ((ids > 0) & (ids < VOID_ID)).any():
        ids[ids == VOID_ID] = 0
    return ids


def fit_within(still: Still, limit: float) -> Still:
    """Shrink so that the longer side is at most `limit` pixels; ids by nearest neighbour."""
    height, width = still.ids.shape
    scale = limit / max(height, width)
    if scale >= 1:
        return still
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Still(
        cv2.resize(still.image, size, interpolation=cv2.INTER_AREA),
        cv2.resize(still.ids, size, interpolation=cv2.INTER_NEAREST),
    )


class StillSet:
    """All stills of some folders, decoded on demand, the last used ones kept in memory.

    A bad file is named in the log once, counted in `bad` and left out; with `strict` it is an
    error.
    """

    def __init__(
        self,
        roots: Sequence[Path | str],
        *,
        longest: int = 672,
        cache_bytes: int = 500_000_000,
        strict: bool = False,
    ) -> None:
        """Raises StillError when nothing usable is listed, or for any bad file when `strict`.

        roots: folders, each with `images/` and `masks/`.
        longest: decoded stills are shrunk to this longer side, pixels.
        cache_bytes: the decoded stills kept, together, per process.
        """
        self.bad: dict[Path, str] = {}
        self._strict = strict
        self._longest = longest
        self._cache_bytes = cache_bytes
        self._cached = 0
        self._cache: OrderedDict[int, Still] = OrderedDict()
        self._pairs: list[tuple[Path, Path]] = []
        for root in roots:
            self._list(Path(root))
        if not self._pairs:
            names = ", ".join(str(root) for root in roots)
            raise StillError(f"{names}: nothing in images/ has a mask of its stem in masks/")

    def _list(self, root: Path) -> None:
        folder = root / "images"
        if not folder.is_dir():
            raise StillError(f"{folder}: no such folder; stills lie in images/ and masks/")
        for image in sorted(folder.iterdir()):
            if image.suffix.lower() not in IMAGE_SUFFIXES:
                continue
            mask = root / "masks" / f"{image.stem}.png"
            if mask.is_file():
                self._pairs.append((image, mask))
            else:
                self._refuse(image, StillError(f"{image}: no mask {mask}"))

    def _refuse(self, path: Path, error: StillError) -> None:
        if self._strict:
            raise error
        if path not in self.bad:
            self.bad[path] = str(error)
            logger.warning("skipped %s (%d bad so far)", error, len(self.bad))

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> Still:
        """The still of this number. Raises StillError for a bad file, strict or not."""
        cached = self._cache.get(index)
        if cached is not None:
            self._cache.move_to_end(index)
            return cached
        still = self._read(*self._pairs[index])
        self._cache[index] = still
        self._cached += still.bytes
        while self._cached > self._cache_bytes and len(self._cache) > 1:
            self._cached -= self._cache.popitem(last=False)[1].bytes
        return still

    def _read(self, image_path: Path, mask_path: Path) -> Still:
        image = read_image(image_path)
        ids = read_ids(mask_path)
        if ids.shape != image.shape[:2]:
            raise StillError(
                f"{mask_path}: {ids.shape[1]} x {ids.shape[0]} pixels, "
                f"its image has {image.shape[1]} x {image.shape[0]}"
            )
        if not ids.any():
            raise StillError(f"{mask_path}: the mask is empty")
        return fit_within(Still(image, ids), self._longest)

    def draw(self, rng: np.random.Generator) -> Still:
        """A random still; a bad one is named, counted and passed over for the one after it."""
        start = int(rng.integers(len(self)))
        for step in range(len(self)):
            index = (start + step) % len(self)
            try:
                return self[index]
            except StillError as error:
                self._refuse(self._pairs[index][0], error)
        raise StillError(f"none of the {len(self)} stills can be read")

    def check(self) -> dict[Path, str]:
        """Read every file once; the bad ones with what is wrong. Raises on the first if strict."""
        for image, mask in self._pairs:
            try:
                self._read(image, mask)
            except StillError as error:
                self._refuse(image, error)
        return dict(self.bad)


class Photographs:
    """Photographs without masks, below one folder; bad ones are named, counted and passed over."""

    def __init__(
        self,
        root: Path | str,
        *,
        longest: int = 672,
        cache_bytes: int = 150_000_000,
        strict: bool = False,
    ) -> None:
        """Raises StillError when the folder holds no image. Sizes as for StillSet."""
        self.bad: dict[Path, str] = {}
        self._strict = strict
        self._longest = longest
        self._paths = sorted(
            path for path in Path(root).rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES
        )
        if not self._paths:
            raise StillError(f"{root}: no image in this folder")
        self._cache_bytes = cache_bytes
        self._cached = 0
        self._cache: OrderedDict[int, np.ndarray] = OrderedDict()

    def __len__(self) -> int:
        return len(self._paths)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """A random photograph, H x W x 3 uint8 RGB."""
        start = int(rng.integers(len(self)))
        for step in range(len(self)):
            index = (start + step) % len(self)
            try:
                return self._get(index)
            except StillError as error:
                if self._strict:
                    raise
                path = self._paths[index]
                if path not in self.bad:
                    self.bad[path] = str(error)
                    logger.warning("skipped %s (%d bad so far)", error, len(self.bad))
        raise StillError(f"none of the {len(self)} photographs can be read")

    def _get(self, index: int) -> np.ndarray:
        if index in self._cache:
            self._cache.move_to_end(index)
            return self._cache[index]
        image = read_image(self._paths[index])
        image = fit_within(Still(image, np.zeros(image.shape[:2], np.uint8)), self._longest).image
        self._cache[index] = image
        self._cached += image.nbytes
        while self._cached > self._cache_bytes and len(self._cache) > 1:
            self._cached -= self._cache.popitem(last=False)[1].nbytes
        return image
