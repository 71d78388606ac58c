# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checking the images and masks that come from outside, before anything is computed from them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

#: ids are written to 8-bit label images
MAX_ID = 255
#: two aspect ratios agree within this share
_ASPECT_TOLERANCE = 0.01


class SegmentationError(ValueError):
    """A request that cannot be met; the message says what was wrong and what would be right."""


def check_image(image: np.ndarray) -> None:
    """Raise SegmentationError unless it is H x W x 3 uint8 with pixels in it."""
    fits = isinstance(image, np.ndarray) and image.ndim == 3 and image.shape[2] == 3
    if not fits or image.dtype != np.uint8 or image.size == 0:
        raise SegmentationError(
            f"an image must be height x width x 3 bytes (uint8, RGB), not {_described(image)}"
        )


def check_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A label image fit for an image of a given size.

    Args:
        mask: h x w integers or booleans, 0 background.
        size: height and width of the image.

    Returns:
        The labels, height x width uint8, a copy. A mask of another size but equal aspect ratio is
        resized (nearest pixel).

    Raises:
        SegmentationError: when it is no such mask, holds no object or ids beyond 1..255, has
            another aspect ratio, or an object is lost in resizing.
    """
    fits = isinstance(mask, np.ndarray) and mask.ndim == 2 and mask.dtype.kind in "uib"
    if not fits or mask.size == 0:
        raise SegmentationError(f"a mask must be height x width integers, not {_described(mask)}")
    if not mask.any():
        raise SegmentationError(
            "the mask holds no object: every pixel is 0, which is the background; "
            "give each object's pixels an id from 1 to 255"
        )
    low, high = int(mask.min()), int(mask.max())
    if low < 0 or high > MAX_ID:
        raise SegmentationError(
            f"the mask holds the id {low if low < 0 else high}; ids must be within 1..{MAX_ID}"
        )
    # Copied, since the caller may use its array for the next mask.
    labels = mask.astype(np.uint8, order="C")
    if labels.shape == size:
        return labels
    _check_aspect(labels.shape, size)
    resized = resize(labels, size)
    lost = sorted(set(ids_of(labels)) - set(ids_of(resized)))
    if lost:
        raise SegmentationError(
            f"object {lost[0]} is lost when the mask is resized from {_size(labels.shape)} to the "
            f"image's {_size(size)}; give a mask of the image's own size"
        )
    return resized


def _check_aspect(mask: Sequence[int], image: Sequence[int]) -> None:
    ratio = (mask[1] * image[0]) / (mask[0] * image[1])
    if abs(ratio - 1) > _ASPECT_TOLERANCE:
        raise SegmentationError(
            f"the mask is {_size(mask)} pixels but the image is {_size(image)}, and their aspect "
            "ratios differ; give a mask of the image's own size, or one scaled evenly"
        )


def resize(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Labels at another height and width, each pixel the nearest one's."""
    if labels.shape == size or labels.size == 0:
        return labels if labels.shape == size else np.zeros(size, np.uint8)
    return cv2.resize(labels, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)


def ids_of(labels: np.ndarray) -> tuple[int, ...]:
    """The ids in an 8-bit label image, ascending, background left out."""
    counts = np.bincount(labels.ravel(), minlength=1)
    return tuple(int(i) for i in np.flatnonzero(counts) if i > 0)


def statistics(labels: np.ndarray, ids: Sequence[int]) -> np.ndarray:
    """Of given labels, what `readout.read_out` says of predicted ones.

    Returns:
        K x 6 float32 in the order of `ids`: score (1 where the object has pixels: a mask that
        somebody gave is certain), area in pixels, and box x, y, width, height.
    """
    rows = []
    for object_id in ids:
        own = labels == object_id
        area = int(own.sum())
        x, y, w, h = cv2.boundingRect(own.astype(np.uint8)) if area else (0, 0, 0, 0)
        rows.append((float(area > 0), area, x, y, w, h))
    return np.array(rows, np.float32).reshape(-1, 6)


def _described(array: object) -> str:
    """What was given in place of an array that fits, for a message."""
    if not isinstance(array, np.ndarray):
        return f"a {type(array).__name__}"
    return f"{' x '.join(map(str, array.shape)) or 'a single value'} {array.dtype}"


def _size(shape: Sequence[int]) -> str:
    return f"{shape[1]} x {shape[0]}"
