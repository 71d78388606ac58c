# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a clip shows of a video: a crop that moves a little, of pictures and masks alike."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from vos_ros.data.cutouts import box_of
from vos_ros.data.motion import (
    changes,
    draw_pace,
    keep_inside,
    linear,
    source_points,
    translation,
)

WHOLE = 0.15  # share of the clips that show the whole picture small, framed by one colour


def draw_view(
    rng: np.random.Generator, mask: np.ndarray, size: tuple[int, int], length: int
) -> np.ndarray:
    """A crop that shows something of the mask in frame 0 and moves a little: length x 3 x 3.

    mask: of what is to be seen, h x w, not empty, at the size of the video. size: of the clip.
    """
    height, width = size
    fit = max(height / mask.shape[0], width / mask.shape[1])
    whole = rng.random() < WHOLE
    low, high = (0.6, 1.0) if whole else (1.0, 1.5)
    scale = fit * float(np.exp(rng.uniform(np.log(low), np.log(high))))
    turn = float(rng.normal(0.0, 0.12)) if rng.random() < 0.5 else 0.0
    top, bottom, left, right = box_of(mask)
    spot = np.array([rng.uniform(left, right), rng.uniform(top, bottom)])
    # The view's middle, kept where the view stays within the picture if it can.
    half = np.array([width, height]) / (2.0 * scale)
    bounds = np.array([mask.shape[1], mask.shape[0]], float)
    middle = spot + rng.uniform(-0.8, 0.8, 2) * half
    middle = np.where(
        half * 2 < bounds, np.clip(middle, half, np.maximum(half, bounds - half)), bounds / 2
    )
    start = (
        translation((width - 1) / 2, (height - 1) / 2)
        @ linear(turn, scale, flip=bool(rng.random() < 0.5))
        @ translation(-middle[0], -middle[1])
    )
    view = np.repeat(start[None], length, 0)
    if rng.random() < 0.5:
        steps = changes(rng, length, draw_pace(rng, 0.05), 0.5 * height, width)
        centre = translation((width - 1) / 2, (height - 1) / 2)
        view = centre @ steps @ np.linalg.inv(centre) @ start
    if not whole:
        view = np.stack([keep_inside(matrix, mask.shape, size) for matrix in view])
    return view


def seen(
    image: np.ndarray,
    covers: Sequence[np.ndarray],
    view: np.ndarray,
    size: tuple[int, int],
    margin: tuple[float, float, float],
) -> tuple[np.ndarray, np.ndarray]:
    """One frame through its view: H x W x 3 uint8 and the labels, H x W uint8.

    covers: of object 1, 2, ..., each h x w uint8, 255 inside. view: 3 x 3. size: H, W. margin: the
    colour beyond the picture.
    """
    xs, ys = np.arange(size[1], dtype=np.float64), np.arange(size[0], dtype=np.float64)
    maps = cv2.split(source_points(view, None, image.shape[:2], xs, ys))
    drawn = cv2.remap(image, *maps, cv2.INTER_LINEAR, borderValue=margin)
    shares = [cv2.remap(cover, *maps, cv2.INTER_LINEAR, borderValue=0) for cover in covers]
    # A pixel belongs to what covers most of it, so that two that touch leave no seam between them.
    ground = 255 - np.sum(shares, 0, dtype=np.int16)
    labels = np.argmax(np.stack([ground, *shares]), 0).astype(np.uint8)
    return drawn, labels
