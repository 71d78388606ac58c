# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Words on an image that can be read on any ground, and that keep out of each other's way."""

from __future__ import annotations

import cv2
import numpy as np

FONT = cv2.FONT_HERSHEY_SIMPLEX
SMALLEST_TEXT = 0.33
"""Below this scale the strokes of the font run into each other."""

Box = tuple[int, int, int, int]
"""x, y, width and height, pixels."""


class Tags:
    """Writes on an image, each text on a plate of its own.

    Args:
        canvas: H x W x 3 uint8 RGB, contiguous; it is drawn on.
    """

    def __init__(self, canvas: np.ndarray) -> None:
        self._canvas = canvas
        self._taken: list[Box] = []
        self._listed = 0

    def list(self, text: str, colour: tuple[int, int, int]) -> None:
        """Write a line at the lower left, above those that are there already."""
        height = self._canvas.shape[0]
        wide, tall = self._size(text)
        self._listed += 1
        self._put(text, colour, self._inside(0, height - self._listed * tall, wide, tall))

    def write(self, text: str, colour: tuple[int, int, int], box: Box) -> None:
        """Write beside or into a box: where it covers least of what is written already."""
        x, y, width, height = box
        wide, tall = self._size(text)
        tops = (y - tall, y + height, y, y + height - tall, y - 2 * tall, y + height + tall)
        corners = [(left, top) for top in tops for left in (x, x + width - wide)]
        places = [self._inside(left, top, wide, tall) for left, top in corners]
        self._put(text, colour, min(places, key=self._covered))

    def _inside(self, left: int, top: int, wide: int, tall: int) -> Box:
        """The place moved into the image."""
        height, width = self._canvas.shape[:2]
        left = max(0, min(left, width - wide))
        return left, max(0, min(top, height - tall)), wide, tall

    def _covered(self, place: Box) -> int:
        """Pixels of other plates that a plate would cover."""
        x, y, wide, tall = place
        return sum(
            max(0, min(x + wide, a + w) - max(x, a)) * max(0, min(y + tall, b + h) - max(y, b))
            for a, b, w, h in self._taken
        )

    def _fitted(self, text: str) -> tuple[float, int, int, int, int]:
        """Scale and weight of the text, and its width, ascent and descent in pixels."""
        height, width = self._canvas.shape[:2]
        scale = max(0.4, min(height, width) / 900)
        weight = max(1, round(scale * 1.6))
        (wide, ascent), descent = cv2.getTextSize(text, FONT, scale, weight)
        if wide + 10 > width:
            scale = max(SMALLEST_TEXT, scale * (width - 10) / wide)
            weight = 1
            (wide, ascent), descent = cv2.getTextSize(text, FONT, scale, weight)
        return scale, weight, wide, ascent, descent

    def _size(self, text: str) -> tuple[int, int]:
        """Width and height of the plate of a text."""
        _, _, wide, ascent, descent = self._fitted(drawable(text))
        tall = ascent + descent + 4
        return wide + _stripe(tall) + 6, tall

    def _put(self, text: str, colour: tuple[int, int, int], place: Box) -> None:
        text = drawable(text)
        scale, weight, _, ascent, _ = self._fitted(text)
        left, top, wide, tall = place
        self._taken.append(place)
        plate = self._canvas[top : top + tall, left : left + wide]
        plate[:] = plate // 4
        stripe = _stripe(tall)  # of the object's colour: it ties the words to the area
        plate[:, :stripe] = colour
        at = (left + stripe + 3, top + ascent + 2)
        cv2.putText(self._canvas, text, at, FONT, scale, (255, 255, 255), weight, cv2.LINE_AA)


def drawable(text: str) -> str:
    """What of a text the built-in font can draw; the rest are question marks."""
    return text.encode("ascii", "replace").decode()


def _stripe(tall: int) -> int:
    return max(3, tall // 4)
