# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Photographs and their object masks, read from files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from vos_ros.data.image_files import ImageFileError, read_rgb

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
VOID_ID = 255  # "do not care" in most sets that carry several ids


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
        return self.image.nbytes + self.ids.nbytes


def read_image(path: Path) -> np.ndarray:
    """Read an image as H x W x 3 uint8 RGB. Raises StillError with the path."""
    try:
        return read_rgb(path)
    except ImageFileError as error:
        what = "not a readable image" if path.is_file() else "there is no such file"
        raise StillError(what, path) from error


def read_ids(path: Path) -> np.ndarray:
    """Read a mask as H x W uint8 ids. Palette files give their indices, not their colours.

    Where ids 1..n stand beside 255, 255 is void and becomes 0; alone it is the object of a binary
    mask and stays.
    """
    try:
        with Image.open(path) as file:
            if file.mode not in ("L", "P", "1"):
                what = f"a mask has one channel of ids, this one is {file.mode}"
                raise StillError(what, path)
            ids = np.array(file.convert("L") if file.mode == "1" else file, np.uint8)
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, StillError):
            raise
        raise StillError(f"not a readable mask ({error})", path) from error
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
