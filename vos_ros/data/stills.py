# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Photographs and their object masks, read from files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from vos_ros.data.image_files import ImageFileError, read_labels, read_rgb, too_small

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
VOID_ID = 255  # "do not care" in most sets that carry several ids
MOST_OBLONG = 10  # times the shorter side: shrunk to serve a clip, nothing would be left of more


class StillError(ValueError):
    """A still that cannot be used; the message opens with the path of the file at fault, if any."""

    def __init__(self, what: str, path: Path | str | None = None) -> None:
        super().__init__(what if path is None else f"{path}: {what}")
        self.path = path


@dataclass(frozen=True)
class Still:
    """One photograph: image H x W x 3 uint8 RGB, ids H x W uint8 (0 background)."""

    image: np.ndarray
    ids: np.ndarray

    @property
    def bytes(self) -> int:
        """Of memory that it takes."""
        return self.image.nbytes + self.ids.nbytes


def read_image(path: Path) -> np.ndarray:
    """Read an image as H x W x 3 uint8 RGB. Raises StillError with the path.

    One that is too small or too oblong for a clip to be made of it is refused as well.
    """
    try:
        image = read_rgb(path)
    except ImageFileError as error:
        what = "not a readable image" if path.is_file() else "there is no such file"
        raise StillError(what, path) from error
    shorter, longer = sorted(image.shape[:2])
    what = too_small(image)
    if not what and longer > MOST_OBLONG * shorter:
        what = f"one side of {longer} pixels, the other of {shorter}; that is too oblong to use"
    if what:
        raise StillError(what, path)
    return image


def read_ids(path: Path) -> np.ndarray:
    """Read a mask as H x W uint8 ids, as `read_labels` does. Raises StillError with the path.

    Where ids 1..n stand beside 255, 255 is void and becomes 0; alone it is the object of a binary
    mask and stays.
    """
    try:
        ids = read_labels(path)
    except ImageFileError as error:
        raise StillError(f"not a readable mask ({error})", path) from error
    if ids.max() == VOID_ID and ((ids > 0) & (ids < VOID_ID)).any():
        ids[ids == VOID_ID] = 0
    return ids


def longest_still(size: tuple[int, int]) -> int:
    """The longer side at which stills serve clips of this height and width, pixels."""
    return round(1.5 * max(size))


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
