# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where to look: the part of a camera image around the objects, so that small ones are seen large.

The network's input is of the same size whatever part it shows, so that looking closer costs
nothing and every object is seen at about the same size. What is outside the part is not seen at
all: the whole image is looked at whenever an object has to be searched for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from vos_ros.presence import Box

__all__ = ["RegionSettings"]

#: on each axis a region is at least this many times as long as the box of the objects
LEAST_MARGIN = 1.25
#: a region that would be this share of the image's sides is the whole image: hardly closer
_NEARLY_WHOLE = 0.92


@dataclass(frozen=True)
class Region:
    """A rectangle of whole pixels of a camera image, so that cutting it out copies nothing.

    Attributes:
        x: of the left border.
        y: of the upper border.
        width: in pixels.
        height: in pixels.
    """

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def whole(cls, camera: tuple[int, int]) -> Region:
        """All of an image of (height, width)."""
        return cls(0, 0, camera[1], camera[0])

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width

    @property
    def window(self) -> tuple[slice, slice]:
        """The rows and columns of an array at the camera's size."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


@dataclass(frozen=True)
class RegionSettings:
    """How closely the objects are looked at.

    Attributes:
        margin: how many times as large as a square object the region around it is, at least 1.25.
            Smaller shows it larger, and loses it sooner when it moves fast.
        smallest: the smallest share of the image's sides that a region may have, above 0 and at
            most 1, which is always the whole image.
    """

    margin: float = 1.5
    smallest: float = 0.2

    def __post_init__(self) -> None:
        if not LEAST_MARGIN <= self.margin < math.inf:
            raise ValueError(
                f"the region's margin must be at least {LEAST_MARGIN}, not {self.margin}: what is "
                "close beside the objects has to be seen, too"
            )
        if not 0 < self.smallest <= 1:
            raise ValueError(
                f"the smallest region must be a share of the image above 0 and at most 1, not "
                f"{self.smallest}"
            )


#: used where nothing else is said
DEFAULT_REGION = RegionSettings()


def region_settings(margin: float, smallest: float) -> RegionSettings | None:
    """As people choose them: a margin of 0 means the whole image always, which is None.

    Raises:
        ValueError: when a value is out of range.
    """
    settings = RegionSettings(margin or LEAST_MARGIN, smallest)
    return settings if margin else None


def region_around(
    boxes: Iterable[Box], camera: tuple[int, int], settings: RegionSettings
) -> Region:
    """The part of the next image to look at, from where the objects are in this one.

    It is of the image's own shape (to a pixel), inside the image, and as near as that allows has
    the box around all objects in its middle. On each axis it is at least 1.25 of that box and
    `margin` - 1.25 of the side of a square of the same area, so that a thin object has as much
    beside it as above it.

    Args:
        boxes: x, y, width, height of each object in pixels of the image; one without width or
            height has to be searched for.
        camera: height and width of the image.
        settings: how closely to look.

    Returns:
        The region; the whole image when an object has to be searched for, when there is none, and
        when the region would hardly be smaller.
    """
    boxes = list(boxes)
    if not boxes or not all(width > 0 and height > 0 for _, _, width, height in boxes):
        return Region.whole(camera)
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right = max(x + width for x, _, width, _ in boxes)
    bottom = max(y + height for _, y, _, height in boxes)
    share = _share(bottom - top, right - left, camera, settings)
    if share >= _NEARLY_WHOLE:
        return Region.whole(camera)
    height, width = (math.ceil(share * side) for side in camera)
    return Region(
        _placed(left + right, width, camera[1]), _placed(top + bottom, height, camera[0]),
        width, height,
    )  # fmt: skip


def _share(height: int, width: int, camera: tuple[int, int], settings: RegionSettings) -> float:
    """The share of the image's sides that a region around a box has."""
    around = (settings.margin - LEAST_MARGIN) * math.sqrt(height * width)
    wanted = (LEAST_MARGIN * side + around for side in (height, width))
    shares = (length / side for length, side in zip(wanted, camera, strict=True))
    return max(settings.smallest, *shares)


def _placed(ends: int, length: int, limit: int) -> int:
    """Where a length begins that has the middle of two ends in its own, and stays within a limit.

    Args:
        ends: the sum of both.
    """
    return min(max((ends - length) // 2, 0), limit - length)
