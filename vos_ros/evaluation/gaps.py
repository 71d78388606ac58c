# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Made-up clips in which an object goes out of view for a known number of frames and comes back.

Everything is drawn from a seed: textured ground and objects, a drifting camera, noise, and light
that changes a little. The truth is known to the pixel, and so is what else could be taken for the
object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

#: how the object goes out of view: a board slides over it, or it leaves at one side of the image
#: and comes back at the other
WAYS = ("covered", "exit")
#: frames that it is seen first, that it takes to go and to come back, and that it is seen again
SEEN, MOVING, BACK = 10, 6, 20
_DRIFT = 0.4  # pixels a frame that the camera moves


@dataclass(frozen=True)
class GapClip:
    """One clip.

    Attributes:
        way: one of `WAYS`.
        gap: frames in which nothing of the object is seen, 1 or more.
        look_alike: whether another object of the same make stays in view all the time.
        seed: of everything that is drawn.
        height: of the frames, pixels.
        width: of the frames, pixels.
    """

    way: str
    gap: int
    look_alike: bool
    seed: int
    height: int = 144
    width: int = 192

    @property
    def length(self) -> int:
        """The number of frames."""
        return SEEN + MOVING + self.gap + MOVING + BACK

    @property
    def hidden(self) -> range:
        """The frames in which nothing of the object is seen."""
        return range(SEEN + MOVING, SEEN + MOVING + self.gap)

    @property
    def returned(self) -> int:
        """The frame from which on it is surely seen whole again."""
        return SEEN + MOVING + self.gap + MOVING

    def frames(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Image, H x W x 3 uint8 RGB, and truth, H x W uint8 of 0 and 1, of every frame."""
        rng = np.random.default_rng(self.seed)
        ground = drifting_ground(rng, self.height, self.width, self.length)
        side = round(0.36 * self.height)
        colour, shape = rng.uniform(40, 215, 3), outline(rng, side)
        thing = texture(rng, side, side, colour)
        # Of the same colour and nearly the same shape, as two apples are.
        other, other_shape = texture(rng, side, side, colour), outline(rng, side)
        board = texture(rng, self.height, 2 * side)
        for number in range(self.length):
            image = ground(number)
            if self.look_alike:
                x = 0.78 * self.width + 4 * np.sin(number / 9) - side / 2
                paste(image, other, other_shape, x, 0.72 * self.height - side / 2)
            truth = np.zeros((self.height, self.width), np.uint8)
            x, y = self._place(number, side)
            paste(image, thing, shape, x, y)
            paste(truth, np.ones_like(shape), shape, x, y)
            if self.way == "covered":
                whole = np.ones(board.shape[:2], np.uint8)
                at = self._board(number, side)
                paste(image, board, whole, at, 0)
                paste(truth, np.zeros_like(whole), whole, at, 0)
            yield photographed(rng, image), truth

    def _away(self, number: int) -> float:
        """0 where the object is seen whole, 1 where it is just out of view, between on the way."""
        if number < self.returned - MOVING:
            return float(np.clip((number + 1 - SEEN) / (MOVING + 1), 0, 1))
        return float(np.clip((self.returned - number) / (MOVING + 1), 0, 1))

    def _place(self, number: int, side: int) -> tuple[float, float]:
        """Left and top of the object."""
        x = 0.3 * self.width + 1.5 * np.sin(number / 7) - side / 2
        y = 0.34 * self.height + 1.5 * np.cos(number / 5) - side / 2
        if self.way == "exit":
            away = 1.0 if number in self.hidden else self._away(number)
            # Out on the left; back from above, so that its place tells nothing.
            if number < self.hidden.stop:
                x -= away * (x + side + 1)
            else:
                x, y = x + 0.2 * self.width, y - away * (y + side + 1)
        return x, y

    def _board(self, number: int, side: int) -> float:
        """Left of the board: it comes from the left until it covers the object, and goes back."""
        away = 1.0 if number in self.hidden else self._away(number)
        right = 0.3 * self.width + (2 * away - 1) * (side / 2 + 1)
        return right - 2 * side


def drifting_ground(
    rng: np.random.Generator, height: int, width: int, length: int
) -> Callable[[int], np.ndarray]:
    """From the number of a frame to what a moving camera sees of a ground, H x W x 3 float."""
    ground = texture(rng, height + 40, width + 40 + round(_DRIFT * length))

    def seen(number: int) -> np.ndarray:
        left = 20 + round(_DRIFT * number)
        return ground[20 : 20 + height, left : left + width].copy()

    return seen


def texture(
    rng: np.random.Generator, height: int, width: int, colour: np.ndarray | None = None
) -> np.ndarray:
    """Blotches of several sizes around a colour, H x W x 3 float."""
    middle = rng.uniform(50, 200, 3) if colour is None else colour
    image = np.zeros((height, width, 3)) + middle
    for cell, depth in ((32, 20), (12, 18), (4, 14)):
        shape = height // cell + 3, width // cell + 3
        # Light and dark far more than hue, as surfaces are.
        coarse = rng.normal(0, depth, (*shape, 1)) + rng.normal(0, depth / 4, (*shape, 3))
        image += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return image


def outline(rng: np.random.Generator, side: int) -> np.ndarray:
    """A round thing with bumps, side x side uint8 of 0 and 1."""
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    angle = np.arctan2(rows, columns) + rng.uniform(0, 2 * np.pi)
    bumps = 1 + 0.12 * np.cos(rng.integers(3, 6) * angle)
    return (np.hypot(rows, columns) < 0.43 * side * bumps).astype(np.uint8)


def paste(image: np.ndarray, picture: np.ndarray, shape: np.ndarray, x: float, y: float) -> None:
    """Draw a picture where its shape is 1, as far as it lies in the image."""
    left, top = round(x), round(y)
    rows = slice(max(0, top), min(image.shape[0], top + shape.shape[0]))
    columns = slice(max(0, left), min(image.shape[1], left + shape.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    own = (
        slice(rows.start - top, rows.stop - top),
        slice(columns.start - left, columns.stop - left),
    )
    inside = shape[own] > 0
    image[rows, columns][inside] = picture[own][inside]


def photographed(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """As a camera sees it: not quite sharp, in changing light, with noise; uint8."""
    seen = cv2.GaussianBlur(image, (0, 0), 0.7) * rng.normal(1, 0.015)
    return np.clip(seen + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8)
