# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a clip shows of a video, of pictures and masks alike: a crop that moves, or all of it."""

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
from vos_ros.data.video_mix import VideoMix

LARGEST_SCALE = 1.25


def draw_view(
    rng: np.random.Generator,
    mask: np.ndarray,
    size: tuple[int, int],
    length: int,
    mix: VideoMix | None = None,
) -> np.ndarray:
    """A crop that shows something of the mask in frame 0 and moves a little: length x 3 x 3.

    mask: of what is to be seen, h x w, not empty, at the size of the video. size: of the clip.
    mix: VideoMix() when None.
    """
    mix = mix or VideoMix()
    height, width = size
    fit = max(height / mask.shape[0], width / mask.shape[1])
    small = rng.random() < mix.small
    low, high = (0.6, 1.0) if small else (1.0, 1.5)
    scale = fit * float(np.exp(rng.uniform(np.log(low), np.log(high))))
    turn = _turn(rng, mix)
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
        _middle(size)
        @ linear(turn, scale, flip=bool(rng.random() < mix.mirrored))
        @ translation(-middle[0], -middle[1])
    )
    view = _moved(rng, start, size, length, mix)
    if not small:
        view = np.stack([keep_inside(matrix, mask.shape, size) for matrix in view])
    return view


def draw_whole(
    rng: np.random.Generator, size: tuple[int, int], length: int, mix: VideoMix
) -> np.ndarray:
    """Views of frames that are resized to the clip already: length x 3 x 3.

    Each is the identity where nothing is to be done to them.
    """
    turn = _turn(rng, mix)
    most = np.log(LARGEST_SCALE)
    scale = float(np.exp(rng.uniform(-most, most))) if rng.random() < mix.scaled else 1.0
    change = linear(turn, scale, flip=bool(rng.random() < mix.mirrored))
    start = _middle(size) @ change @ np.linalg.inv(_middle(size))
    return _moved(rng, start, size, length, mix)


def fitted(
    image: np.ndarray, ids: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """A frame and its ids resized to H, W, each side by its own factor: H x W x 3 and H x W."""
    shape = size[::-1]
    shrunk = size[0] <= ids.shape[0] and size[1] <= ids.shape[1]
    way = cv2.INTER_AREA if shrunk else cv2.INTER_LINEAR
    return (
        cv2.resize(image, shape, interpolation=way),
        cv2.resize(ids, shape, interpolation=cv2.INTER_NEAREST_EXACT),
    )


def _middle(size: tuple[int, int]) -> np.ndarray:
    return translation((size[1] - 1) / 2, (size[0] - 1) / 2)


def _turn(rng: np.random.Generator, mix: VideoMix) -> float:
    return float(rng.normal(0.0, 0.12)) if rng.random() < mix.turned else 0.0


def _moved(
    rng: np.random.Generator, start: np.ndarray, size: tuple[int, int], length: int, mix: VideoMix
) -> np.ndarray:
    """A view that stays as it starts, or moves a little about the middle of the clip."""
    if rng.random() >= mix.moved:
        return np.repeat(start[None], length, 0)
    steps = changes(rng, length, draw_pace(rng, 0.05), 0.5 * size[0], size[1])
    return _middle(size) @ steps @ np.linalg.inv(_middle(size)) @ start


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
    map_x, map_y = cv2.split(source_points(view, None, image.shape[:2], xs, ys))
    drawn = cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR, borderValue=margin)
    shares = [cv2.remap(c, map_x, map_y, cv2.INTER_LINEAR, borderValue=0) for c in covers]
    # A pixel belongs to what covers most of it, so that two that touch leave no seam between them.
    ground = 255 - np.sum(shares, 0, dtype=np.int16)
    labels = np.argmax(np.stack([ground, *shares]), 0).astype(np.uint8)
    return drawn, labels
