# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Made-up clips of two objects of the same make, both followed: which is which, to the pixel.

Everything is drawn from a seed, as in `gaps`: the two have one colour and nearly one shape, as two
apples have, and differ by their texture alone, or by nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from vos_ros.evaluation.gaps import drifting_ground, outline, paste, photographed, texture

#: frames of a clip
LENGTH = 60


@dataclass(frozen=True)
class PairClip:
    """One clip.

    Attributes:
        way: one of `WAYS`.
        alike: whether the two are the same to the pixel, so that only their paths tell.
        seed: of everything that is drawn.
        height: of the frames, pixels.
        width: of the frames, pixels.
    """

    way: str
    alike: bool
    seed: int
    height: int = 144
    width: int = 192

    def frames(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Image, H x W x 3 uint8 RGB, and truth, H x W uint8 of 0, 1 and 2, of every frame."""
        rng = np.random.default_rng(self.seed)
        ground = drifting_ground(rng, self.height, self.width, LENGTH)
        side = round(0.32 * self.height)
        colour, shape = rng.uniform(40, 215, 3), outline(rng, side)
        first = texture(rng, side, side, colour)
        second, second_shape = texture(rng, side, side, colour), outline(rng, side)
        if self.alike:
            second, second_shape = first, shape
        things = {1: (first, shape), 2: (second, second_shape)}
        for number in range(LENGTH):
            image = ground(number)
            truth = np.zeros((self.height, self.width), np.uint8)
            places = WAYS[self.way](number / (LENGTH - 1))
            for key, (x, y) in zip((2, 1), reversed(places), strict=True):  # 1 is in front of 2
                picture, own = things[key]
                left, top = x * self.width - side / 2, y * self.height - side / 2
                paste(image, picture, own, left, top)
                paste(truth, np.full(own.shape, key, np.uint8), own, left, top)
            yield photographed(rng, image), truth


Places = tuple[tuple[float, float], tuple[float, float]]


def _past(t: float) -> Places:
    """Side by side, the one to the right and the other to the left, without touching."""
    return (0.2 + 0.6 * t, 0.3), (0.8 - 0.6 * t, 0.72)


def _across(t: float) -> Places:
    """Through the same place, the first before the second, each on its way."""
    return (0.2 + 0.6 * t, 0.45), (0.8 - 0.6 * t, 0.55)


def _back(t: float) -> Places:
    """To the same place and back again to where each came from."""
    return (0.2 + 0.35 * np.sin(np.pi * t), 0.45), (0.8 - 0.35 * np.sin(np.pi * t), 0.55)


def _out(t: float) -> Places:
    """Out of the image at the sides, and in again at the side where the other went out."""
    away = 0.55 * np.sin(np.pi * t) ** 2
    if t < 0.5:
        return (0.25 - away, 0.5), (0.75 + away, 0.5)
    return (0.75 + away, 0.5), (0.25 - away, 0.5)


#: how the two move, from what share of the clip is over to the middle of each, x and y, 0..1
WAYS: dict[str, Callable[[float], Places]] = {
    "past": _past,
    "across": _across,
    "back": _back,
    "out": _out,
}
