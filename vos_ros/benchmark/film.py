# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A made-up film to run on: textured discs that swing over a textured ground."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vos_ros.benchmark.errors import BenchmarkError
from vos_ros.benchmark.settings import Size

#: an object needs a cell of the frame of at least so many pixels a side
_LEAST_CELL = 12


@dataclass(frozen=True)
class Film:
    """Frames, and the mask of the first.

    Attributes:
        frames: H x W x 3 uint8 RGB each, to be played round and round.
        mask: H x W uint8, ids 1..n.
    """

    frames: list[np.ndarray]
    mask: np.ndarray


def make_film(size: Size, objects: int, length: int = 8, seed: int = 1) -> Film:
    """The same film for the same arguments.

    Raises:
        BenchmarkError: when so many objects have no room.
    """
    random = np.random.default_rng(seed)
    columns = math.ceil(math.sqrt(objects * size.width / size.height))
    rows = math.ceil(objects / columns)
    cell = min(size.width // columns, size.height // rows)
    if cell < _LEAST_CELL:
        raise BenchmarkError(f"{objects} objects have no room in an image of {size} pixels")
    ground = _texture(random, size, random.uniform(90, 160, 3))
    skins = [_texture(random, size, random.uniform(0, 255, 3)) for _ in range(objects)]
    centres = [
        (size.width * (k % columns + 0.5) / columns, size.height * (k // columns + 0.5) / rows)
        for k in range(objects)
    ]
    frames = []
    for number in range(length):
        labels = _labels(size, centres, cell, 2 * math.pi * number / length)
        frame = ground.copy()
        for k, skin in enumerate(skins, start=1):
            frame[labels == k] = skin[labels == k]
        frames.append(frame)
    return Film(frames, _labels(size, centres, cell, 0.0))


def _labels(
    size: Size, centres: Sequence[tuple[float, float]], cell: int, angle: float
) -> np.ndarray:
    """H x W uint8: discs of 0.6 of their cell, swung aside by up to 0.1 of it."""
    labels = np.zeros((size.height, size.width), np.uint8)
    for k, (x, y) in enumerate(centres, start=1):
        centre = (round(x + 0.1 * cell * math.cos(angle + k)), round(y))
        cv2.circle(labels, centre, round(0.3 * cell), k, thickness=-1)
    return labels


def _texture(random: np.random.Generator, size: Size, colour: np.ndarray) -> np.ndarray:
    """Blotches of about 16 pixels around a colour, H x W x 3 uint8."""
    coarse = random.normal(0, 30, (size.height // 16 + 2, size.width // 16 + 2, 3)) + colour
    fine = cv2.resize(coarse, (size.width, size.height), interpolation=cv2.INTER_CUBIC)
    return np.clip(fine, 0, 255).astype(np.uint8)
