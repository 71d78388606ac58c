# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What people draw to say where an object is: boxes, scribbles and polygons.

Coordinates are pixels of the image, x to the right and y down, 0 at the outer edge of the first
pixel: the pixel in column 3 reaches from 3.0 to 4.0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

__all__ = ["Box", "Polygon", "Scribble"]

Point = tuple[float, float]
_SHIFT = 4  # OpenCV draws with coordinates in sixteenths of a pixel


class StrokeError(ValueError):
    """Something drawn that cannot be used; the message says what was wrong."""


@dataclass(frozen=True)
class Box:
    """Where to look for an object (`add`), or what to clear.

    Raises:
        StrokeError: a side is not above 0, or a number is none.
    """

    x: float
    y: float
    width: float
    height: float
    add: bool = True

    def __post_init__(self) -> None:
        _check_finite(self.x, self.y, self.width, self.height)
        if self.width <= 0 or self.height <= 0:
            raise StrokeError(
                f"A box is {_show(self.width)} pixels wide and {_show(self.height)} high; both must"
                " be above 0."
            )

    def area(self, size: tuple[int, int]) -> np.ndarray:
        """The pixels whose centre is inside: height x width of `size`, uint8 of 0 and 1."""
        height, width = size
        left, top = _centres(self.x, width), _centres(self.y, height)
        right, bottom = _centres(self.x + self.width, width), _centres(self.y + self.height, height)
        return _filled(size, slice(top, bottom), slice(left, right))


@dataclass(frozen=True)
class Scribble:
    """A line across the object (`add`) or across what is not of it.

    Raises:
        StrokeError: there is no point, or a number is none, or the width is not above 0.
    """

    points: tuple[Point, ...]
    width: float
    add: bool = True

    def __post_init__(self) -> None:
        _check_finite(self.width, *(value for point in self.points for value in point))
        if not self.points or self.width <= 0:
            raise StrokeError("A scribble needs a point or more and a width above 0.")

    def area(self, size: tuple[int, int]) -> np.ndarray:
        """The pixels it covers: height x width of `size`, uint8 of 0 and 1."""
        canvas = np.zeros(size, np.uint8)
        path, thick = _fixed(self.points, size), max(1, round(self.width))
        # A line of OpenCV has round ends, and none at all when it has no length.
        cv2.polylines(canvas, [path], False, 1, thick, cv2.LINE_8, _SHIFT)
        for point in (path[0], path[-1]):
            centre = tuple(int(value) for value in point)
            cv2.circle(canvas, centre, (thick << _SHIFT) // 2, 1, -1, cv2.LINE_8, _SHIFT)
        return canvas


@dataclass(frozen=True)
class Polygon:
    """The outline of what is of the object (`add`) or not of it, taken as it is.

    Raises:
        StrokeError: it has fewer than three corners, or a number is none.
    """

    points: tuple[Point, ...]
    add: bool = True

    def __post_init__(self) -> None:
        _check_finite(*(value for point in self.points for value in point))
        if len(self.points) < 3:
            raise StrokeError(f"A polygon needs three corners or more, and has {len(self.points)}.")

    def area(self, size: tuple[int, int]) -> np.ndarray:
        """The pixels inside: height x width of `size`, uint8 of 0 and 1."""
        canvas = np.zeros(size, np.uint8)
        cv2.fillPoly(canvas, [_fixed(self.points, size)], 1, cv2.LINE_8, _SHIFT)
        return canvas


Stroke = Box | Scribble | Polygon


def _check_finite(*values: float) -> None:
    if not all(math.isfinite(value) for value in values):
        raise StrokeError("What was drawn has a coordinate that is no finite number.")


def _show(value: float) -> str:
    return f"{value:g}"


def _centres(edge: float, side: int) -> int:
    """How many of `side` pixels have their centre before an edge."""
    return int(min(max(math.ceil(edge - 0.5), 0), side))


def _filled(size: tuple[int, int], rows: slice, columns: slice) -> np.ndarray:
    area = np.zeros(size, np.uint8)
    area[rows, columns] = 1
    return area


def _fixed(points: tuple[Point, ...], size: tuple[int, int]) -> np.ndarray:
    """Points as OpenCV draws them: whole numbers are the centres of pixels there."""
    far = 2 * np.array(size[::-1], float)  # what lies further out changes nothing in the image
    inside = np.clip(np.array(points, float) - 0.5, -far, far)
    return np.round(inside * (1 << _SHIFT)).astype(np.int32)
