# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames and label masks as files.

Pillow reads them: it keeps the indices of a palette PNG, which are the object ids, where OpenCV
would turn them into colours, and it refuses a truncated file where OpenCV fills the rest with grey.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

LEAST_SIDE = 16
"""Pixels: a picture with a shorter side is of no use for training, whatever it shows."""


class ImageFileError(ValueError):
    """A file cannot be read as the image it should be; the message names its path."""


def read_rgb(path: Path | str) -> np.ndarray:
    """The picture in `path` as H x W x 3 uint8 RGB. Raises ImageFileError."""
    return np.array(_opened(path, "RGB"))


def read_labels(path: Path | str) -> np.ndarray:
    """The label mask in `path` as H x W uint8 with the values that the file holds.

    Palette images give their indices, one-bit images 0 and 1. Grey masks saved in colour, of
    which DAVIS-2016 has a few, give their grey value. Raises ImageFileError for a mask in real
    colours or of more than 8 bits, and for a file that cannot be read.
    """
    image = _opened(path)
    if image.mode in ("P", "L"):
        return np.array(image)
    if image.mode == "1":
        return np.array(image).astype(np.uint8)
    if image.mode in ("LA", "PA"):
        return np.array(image)[..., 0].copy()
    if image.mode in ("RGB", "RGBA"):
        channels = np.array(image)[..., :3]
        if (channels == channels[..., :1]).all():
            return channels[..., 0].copy()
        raise ImageFileError(
            f"the mask {path} is a colour picture; a mask must be a palette or "
            "grey image whose values are object ids"
        )
    raise ImageFileError(
        f"the mask {path} has pixels of the kind {image.mode}; a mask must be a "
        "palette or grey image of 8 bits"
    )


def write_labels(path: Path | str, labels: np.ndarray) -> None:
    """Writes H x W uint8 `labels` as a palette PNG whose indices are the object ids.

    The file appears whole or not at all, so that an interrupted run leaves no half mask. Its
    folder must exist. Raises ValueError when the array is not H x W uint8.
    """
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise ValueError(
            f"the labels are {labels.dtype} of shape {labels.shape}; H x W uint8 is needed"
        )
    image = Image.fromarray(np.ascontiguousarray(labels))
    image.putpalette(label_palette().ravel().tolist())
    part = Path(path).with_suffix(".part")
    image.save(part, format="PNG")
    os.replace(part, path)


def too_small(image: np.ndarray) -> str:
    """What keeps a picture from being trained on for its size; empty where nothing does."""
    height, width = image.shape[:2]
    if min(height, width) >= LEAST_SIDE:
        return ""
    return f"{width} x {height} pixels; both sides must have {LEAST_SIDE} or more"


def label_palette() -> np.ndarray:
    """The 256 colours of the PASCAL VOC and DAVIS masks, 256 x 3 uint8 RGB.

    The bits of an index are dealt in turn to red, green and blue, from the highest bit down.
    """
    index = np.arange(256)
    palette = np.zeros((256, 3), dtype=np.uint8)
    for bit in range(8):
        channel, place = bit % 3, 7 - bit // 3
        palette[:, channel] |= (((index >> bit) & 1) << place).astype(np.uint8)
    return palette


def _opened(path: Path | str, mode: str | None = None) -> Image.Image:
    if not Path(path).is_file():
        raise ImageFileError(f"there is no file {path}")
    try:
        with Image.open(path) as image:
            image.load()  # decodes now, so that damage shows here
            return image.convert(mode) if mode else image.copy()
    except Exception as error:  # each of Pillow's decoders has its own for a damaged file
        raise ImageFileError(f"{path} cannot be read as an image: {error}") from error
