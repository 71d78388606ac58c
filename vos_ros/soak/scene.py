# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Moving objects before a moving ground, of any size, with their true masks."""

from __future__ import annotations

import cv2
import numpy as np

OBJECTS = 4
_GROUND = (270, 360)  # rows and columns of the ground's texture, of which an image shows a part
_SIDE = 96  # of an object's texture


class Scene:
    """Images and their true masks; the same ones for the same seed.

    Each object goes around on a path of its own, is hidden behind later ones at times, and the
    paths of two of them lead out of the image.

    Args:
        seed: of textures, outlines and paths.
    """

    def __init__(self, seed: int) -> None:
        chance = np.random.default_rng(seed)
        self._ground = _texture(chance, *_GROUND, spread=35)
        self._skins = [_texture(chance, _SIDE, _SIDE, spread=45) for _ in range(OBJECTS)]
        self._outlines = [_outline(chance) for _ in range(OBJECTS)]
        self._periods = chance.uniform(60, 240, (OBJECTS, 2))
        self._phases = chance.uniform(0, 2 * np.pi, (OBJECTS, 2))
        self._reach = np.where(np.arange(OBJECTS) % 2, 0.62, 0.35)

    def image(self, number: int, width: int, height: int) -> np.ndarray:
        """The image of this number, height x width x 3 uint8 RGB."""
        drift = number // 2 % 80
        part = self._ground[: _GROUND[0], drift : drift + _GROUND[1] - 80]
        image = cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR)
        for index, (place, inside) in enumerate(self._placed(number, width, height)):
            side = inside.shape[0]
            skin = cv2.resize(self._skins[index], (side, side), interpolation=cv2.INTER_LINEAR)
            _paste(image, skin, inside, place)
        return image

    def labels(self, number: int, width: int, height: int) -> np.ndarray:
        """The true mask of the image of this number, height x width uint8: 0, or 1..`OBJECTS`."""
        labels = np.zeros((height, width), np.uint8)
        for index, (place, inside) in enumerate(self._placed(number, width, height)):
            own = np.full(inside.shape, index + 1, np.uint8)
            _paste(labels, own, inside, place)
        return labels

    def _placed(
        self, number: int, width: int, height: int
    ) -> list[tuple[tuple[int, int], np.ndarray]]:
        """Left and top edge of each object, and the outline within its square."""
        side = max(8, min(width, height) // 3)
        angles = 2 * np.pi * number / self._periods + self._phases
        centres = 0.5 + self._reach[:, None] * np.sin(angles)
        corners = np.rint(centres * (width, height) - side / 2).astype(int)
        outlines = (
            cv2.resize(o, (side, side), interpolation=cv2.INTER_NEAREST) > 0 for o in self._outlines
        )
        return [((int(x), int(y)), o) for (x, y), o in zip(corners, outlines, strict=True)]


def _paste(
    image: np.ndarray, patch: np.ndarray, inside: np.ndarray, place: tuple[int, int]
) -> None:
    """Put a square patch into an image where it is inside; what lies outside the image is lost."""
    left, top = place
    rows = slice(max(top, 0), max(min(top + len(patch), image.shape[0]), 0))
    columns = slice(max(left, 0), max(min(left + len(patch), image.shape[1]), 0))
    part = image[rows, columns]
    cut = (
        slice(rows.start - top, rows.start - top + part.shape[0]),
        slice(columns.start - left, columns.start - left + part.shape[1]),
    )
    part[inside[cut]] = patch[cut][inside[cut]]


def _texture(chance: np.random.Generator, height: int, width: int, spread: float) -> np.ndarray:
    """Blotches of three sizes around a colour, height x width x 3 uint8."""
    image = np.zeros((height, width, 3)) + chance.uniform(60, 195, 3)
    for cell in (48, 16, 6):
        coarse = chance.normal(0, spread / 2, (height // cell + 2, width // cell + 2, 3))
        image += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(image, 0, 255).astype(np.uint8)


def _outline(chance: np.random.Generator) -> np.ndarray:
    """A round thing with some bumps: uint8 of 0 and 1."""
    rows, columns = np.mgrid[:_SIDE, :_SIDE] - (_SIDE - 1) / 2
    bumps = chance.integers(2, 6) * np.arctan2(rows, columns) + chance.uniform(0, 6)
    radius = _SIDE * (0.4 + 0.08 * np.cos(bumps))
    return (np.hypot(rows, columns) < radius).astype(np.uint8)
