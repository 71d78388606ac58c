# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A picture and what is known of it, made smaller and put into few bytes.

Pictures become WebP: at equal likeness (SSIM, PSNR) it takes 15 to 30 % less than JPEG on frames of
DAVIS and photographs of ECSSD. Masks become PNG, which loses nothing.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from vos_ros.data.image_files import LEAST_SIDE, label_palette

SUFFIX = ".webp"
_EFFORT = 4  # of the encoder, 0 to 6: the last two save 2 % and take half as long again
_COLOURS = 16  # most that a PNG of less than 8 bits a pixel holds


@dataclass(frozen=True)
class Packing:
    """How much is to be kept of a picture.

    Attributes:
        size: longest shorter side, pixels; what is smaller stays as it is.
        quality: of WebP, 1 to 100.
    """

    size: int = 288
    quality: int = 80

    def __post_init__(self) -> None:
        if self.size < LEAST_SIDE or not 1 <= self.quality <= 100:
            raise ValueError(
                f"size {self.size}, quality {self.quality}: a size of {LEAST_SIDE} or more and a "
                "quality from 1 to 100 are needed"
            )


@dataclass(frozen=True)
class Picture:
    """One picture with its masks.

    Attributes:
        path: of its file.
        image: H x W x 3 uint8 RGB.
        masks: values of each mask file, H x W uint8.
        ids: of the objects, H x W uint8, where one file describes all pictures of a set.
    """

    path: Path
    image: np.ndarray
    masks: Mapping[Path, np.ndarray] = field(default_factory=dict)
    ids: np.ndarray | None = None


def shrunk(picture: Picture, size: int) -> Picture:
    """The picture with a shorter side of at most `size` pixels; itself where it has that."""
    height, width = picture.image.shape[:2]
    scale = size / min(height, width)
    if scale >= 1:
        return picture
    smaller = (round(width * scale), round(height * scale))
    return replace(
        picture,
        image=cv2.resize(picture.image, smaller, interpolation=cv2.INTER_AREA),
        masks={path: shrunk_ids(ids, smaller) for path, ids in picture.masks.items()},
        ids=None if picture.ids is None else shrunk_ids(picture.ids, smaller),
    )


def shrunk_ids(ids: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A mask at a width and height by nearest neighbour, with every id that it shows.

    One that falls between the pixels that are taken keeps one: which objects a video has may be
    told by its first mask alone.
    """
    small = cv2.resize(ids, size, interpolation=cv2.INTER_NEAREST)
    for lost in np.setdiff1d(ids, small):
        rows, columns = np.nonzero(ids == lost)
        middle = len(rows) // 2
        row = rows[middle] * size[1] // ids.shape[0]
        small[row, columns[middle] * size[0] // ids.shape[1]] = lost
    return small


def encoded(picture: Picture, small: Picture, packing: Packing) -> tuple[str, bytes]:
    """The end of the name and the content of a picture's new file.

    small: the picture, shrunk. A file that need not be shrunk, and is no larger as it is, is kept.
    """
    content = picture_bytes(small.image, packing.quality)
    if small is picture:
        before = picture.path.read_bytes()
        if len(before) <= len(content):
            return picture.path.suffix, before
    return SUFFIX, content


def picture_bytes(image: np.ndarray, quality: int) -> bytes:
    """H x W x 3 uint8 RGB as WebP."""
    return _encoded(Image.fromarray(image), "WEBP", quality=quality, method=_EFFORT)


def mask_bytes(values: np.ndarray) -> bytes:
    """H x W uint8 as a PNG that `read_labels` gives back."""
    image = Image.fromarray(values)
    count = int(values.max(initial=0)) + 1
    if count <= _COLOURS:  # a palette of so few takes few bits a pixel
        image.putpalette(label_palette()[: max(2, count)].ravel().tolist())
    return _encoded(image, "PNG", optimize=True)


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()
