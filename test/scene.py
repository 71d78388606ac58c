# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A made-up film: a textured thing on a known path over a textured ground, and where it is."""

from __future__ import annotations

import cv2
import numpy as np


class Scene:
    """Frames and their true masks, the same for the same seed.

    Args:
        width, height: of the frames, in pixels.
        seed: of the textures.
    """

    def __init__(self, width: int = 320, height: int = 240, seed: int = 7) -> None:
        random = np.random.default_rng(seed)
        self.width, self.height = width, height
        # The ground is larger than the frame, for the camera drifts over it.
        self._ground = _texture(random, height + 40, width + 80, (95, 125, 85), 35)
        self._size = height * 2 // 5
        self._skin = _texture(random, self._size, self._size, (190, 95, 60), 45)
        self._shape = _outline(self._size)

    def truth(self, number: int) -> np.ndarray:
        """The mask of a frame: height x width uint8, 1 where the thing is."""
        left, top = self._place(number)
        mask = np.zeros((self.height, self.width), np.uint8)
        mask[top : top + self._size, left : left + self._size] = self._shape
        return mask

    def frame(self, number: int) -> np.ndarray:
        """A frame: height x width x 3 uint8, red first."""
        drift = number // 2 % 80
        image = self._ground[20 : 20 + self.height, drift : drift + self.width].copy()
        left, top = self._place(number)
        patch = image[top : top + self._size, left : left + self._size]
        patch[self._shape > 0] = self._skin[self._shape > 0]
        # A lens is never perfectly sharp, and cut-out edges would be.
        return cv2.GaussianBlur(image, (0, 0), 0.7)

    def _place(self, number: int) -> tuple[int, int]:
        angle = 2 * np.pi * number / 60
        left = (self.width - self._size) * (0.5 + 0.35 * np.sin(angle))
        top = (self.height - self._size) * (0.5 + 0.30 * np.sin(2 * angle))
        return round(left), round(top)


def _texture(
    random: np.random.Generator, height: int, width: int, colour: tuple[int, ...], depth: float
) -> np.ndarray:
    """Blotches of several sizes around a colour, height x width x 3 uint8."""
    image = np.zeros((height, width, 3)) + colour
    for cell in (48, 16, 6):
        coarse = random.normal(0, 1, (height // cell + 2, width // cell + 2, 3))
        image += depth / 3 * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(image, 0, 255).astype(np.uint8)


def _outline(size: int) -> np.ndarray:
    """A round thing with five bumps, size x size uint8 of 0 and 1."""
    rows, columns = np.mgrid[:size, :size] - (size - 1) / 2
    angle = np.arctan2(rows, columns)
    return (np.hypot(rows, columns) < size * (0.4 + 0.07 * np.cos(5 * angle))).astype(np.uint8)
