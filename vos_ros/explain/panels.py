# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a figure holds: a part of a network, a row for each frame, a column for each map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vos_ros.explain.scene import Scene


@dataclass(frozen=True)
class Scale:
    """How numbers become colours.

    Attributes:
        label: what the numbers are, for the colour bar.
        low: the least number; the least of all that is shown if None.
        high: the largest likewise.
        signed: whether 0 is the middle, and the sign matters.
    """

    label: str
    low: float | None = None
    high: float | None = None
    signed: bool = False


#: of masks
PROBABILITY = Scale("probability of the object", 0.0, 1.0)


@dataclass(frozen=True)
class Column:
    """One map in all rows.

    Attributes:
        title: what it is.
        source: where in the paper.
        scale: of its numbers; None for pictures.
    """

    title: str
    source: str
    scale: Scale | None = None


@dataclass(frozen=True)
class Cell:
    """One map of one frame: numbers, a picture, or numbers over a picture.

    Attributes:
        values: h x w float32 over the padded input, whatever its stride.
        picture: RGB uint8.
        caption: written into it.
        mark: a place of the padded input, x and y in pixels, to be marked.
        outlined: whether an outline of the object belongs on it.
        outline: soft mask over the padded input, where that is not the frame's own.
        frame: x, y, width and height of what is to be framed, the picture being 1.
    """

    values: np.ndarray | None = None
    picture: np.ndarray | None = None
    caption: str = ""
    mark: tuple[float, float] | None = None
    outlined: bool = True
    outline: np.ndarray | None = None
    frame: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Part:
    """A part of a network, and how it is shown.

    Attributes:
        name: for the file.
        heading: what it is called, and where the paper has it.
        says: how to read the figure, in a sentence or two.
        columns: what is shown.
        cells: the row of one frame, a cell for each column.
    """

    name: str
    heading: str
    says: str
    columns: tuple[Column, ...]
    cells: Callable[[Scene], tuple[Cell, ...]]


def picture_of(scene: Scene, mark: tuple[float, float] | None = None) -> Cell:
    """What the network sees, with the outline of what it finds."""
    return Cell(picture=scene.view, mark=mark)


def labels_of(scene: Scene) -> Cell:
    """The final labels on the camera's image, and the part of it that the network sees."""
    region = scene.geometry.region
    rows, columns = scene.geometry.camera
    frame = None
    if region.size != (rows, columns):
        frame = (region.x / columns, region.y / rows, region.width / columns, region.height / rows)
    return Cell(picture=scene.overlay(), outlined=False, frame=frame)


#: of `picture_of`
SEEN = Column("what the network sees", "outline: final soft mask")
#: of `labels_of`
LABELS = Column("final labels", "white frame: the part seen")
