# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures for people: object colours, the overlay of masks on an image, contact sheets.

Needs numpy and OpenCV only. Every image here is H x W x 3 uint8 in RGB order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np

from vos_ros.tags import FONT, SMALLEST_TEXT, Tags, drawable

__all__ = ["contact_sheet", "draw_overlay"]

# Okabe and Ito, "Color Universal Design" (2008), with a violet for their black (that is the
# background). The order puts colours side by side that stay apart in hue *and* lightness for every
# kind of colour vision.
_BASE = (
    (240, 228, 66),  # yellow
    (0, 158, 115),  # bluish green
    (0, 114, 178),  # blue
    (213, 94, 0),  # vermilion
    (86, 180, 233),  # sky blue
    (230, 159, 0),  # orange
    (204, 121, 167),  # reddish purple
    (100, 50, 200),  # violet
)
_HIGHEST_ID = 255
_SHEET_BACKGROUND = 24
_DARK = (16, 16, 16)  # around the outlines


class Presence(Protocol):
    """The part of an object's presence that is drawn (`vos_ros.presence.ObjectPresence` fits)."""

    @property
    def id(self) -> int:
        """What its pixels are labelled with."""

    @property
    def present(self) -> bool:
        """Whether it is in the image."""

    @property
    def score(self) -> float:
        """How sure that is, 0 to 1."""

    @property
    def doubtful(self) -> bool:
        """Whether it may be something else; its tag has a question mark then."""


@lru_cache(maxsize=1)
def _table() -> np.ndarray:
    table = np.zeros((_HIGHEST_ID + 1, 3), np.float64)
    rounds = -(-_HIGHEST_ID // len(_BASE))
    for index in range(_HIGHEST_ID):
        step, base = divmod(index, len(_BASE))
        # Later rounds repeat the hues, by turns darker and lighter, never reaching black or white.
        strength = 0.15 + 0.5 * (step + 1) / rounds if step else 0.0
        target = 0.0 if step % 2 else 255.0
        table[index + 1] = (1 - strength) * np.array(_BASE[base]) + strength * target
    colours = np.round(table).astype(np.uint8)
    colours.setflags(write=False)
    return colours


def palette() -> np.ndarray:
    """Return the colours of all ids, 256 x 3 uint8 RGB: row 0 black, row k = `colour_of(k)`."""
    return _table().copy()


def colour_of(object_id: int) -> tuple[int, int, int]:
    """Return the (r, g, b) of an object: the same for an id at every call; 0 is black.

    Ids above 255 do not occur in masks of 8 bits; they take the colours of 1..255 again.
    """
    if object_id < 0:
        raise ValueError(f"an object id is 0 or greater, not {object_id}")
    row = (object_id - 1) % _HIGHEST_ID + 1 if object_id else 0
    red, green, blue = _table()[row].tolist()
    return red, green, blue


def draw_overlay(
    image_rgb: np.ndarray,
    labels: np.ndarray,
    objects: Iterable[Presence] = (),
    alpha: float = 0.5,
    names: Mapping[int, str] | None = None,
) -> np.ndarray:
    """Return a new image with every object filled, outlined and named.

    An outline is of the object's colour with a dark one around it, so that it shows on any ground;
    no tag lies on another one as long as there is room.

    Args:
        image_rgb: H x W x 3 uint8; not changed.
        labels: H x W uint8; 0 background, else the object id.
        objects: presence of the followed objects; gives the text of each tag. One that is absent
            is listed at the lower left. Ids in `labels` without an entry here are drawn untagged,
            unless `names` has a name for them.
        alpha: weight of the object's colour in its area, 0 (none) to 1 (opaque).
        names: what to call the objects; the default is the id.

    Raises:
        ValueError: the two arrays do not belong together, or are of another type.
    """
    _check(image_rgb, labels, alpha)
    canvas = np.array(image_rgb, order="C", copy=True)
    tagged = {item.id: item for item in objects}
    called = dict(names or {})
    boxes: dict[int, tuple[int, int, int, int]] = {}
    labels = np.ascontiguousarray(labels)
    for object_id in _ids_in(labels):
        boxes[object_id] = _paint(canvas, labels, object_id, alpha)
    tags = Tags(canvas)
    for object_id in sorted(tagged):
        item = tagged[object_id]
        if not (object_id in boxes and item.present):
            name = called.get(object_id) or str(object_id)
            tags.list(f"{name} absent {item.score:.2f}", colour_of(object_id))
    for object_id, box in boxes.items():
        found = tagged.get(object_id)
        name = called.get(object_id) or str(object_id)
        if found is not None and found.present:
            name = f"{name}?" if found.doubtful else name
            tags.write(f"{name} {found.score:.2f}", colour_of(object_id), box)
        elif found is None and object_id in called:
            tags.write(name, colour_of(object_id), box)
    return canvas


def _check(image_rgb: np.ndarray, labels: np.ndarray, alpha: float) -> None:
    if image_rgb.ndim != 3 or image_rgb.shape[2] != 3 or image_rgb.dtype != np.uint8:
        raise ValueError(
            f"the image must be H x W x 3 uint8, not {image_rgb.shape} {image_rgb.dtype}"
        )
    if labels.shape != image_rgb.shape[:2] or labels.dtype != np.uint8:
        raise ValueError(
            f"the labels must be {image_rgb.shape[0]} x {image_rgb.shape[1]} uint8 like the "
            f"image, not {labels.shape} {labels.dtype}"
        )
    if not 0.0 <= alpha <= 1.0:
        raise ValueError(f"alpha lies in 0..1, not {alpha}")


def _ids_in(labels: np.ndarray) -> list[int]:
    """Non-zero ids present, ascending (a histogram: np.unique would sort all pixels)."""
    if labels.size == 0:
        return []
    counts = cv2.calcHist([labels], [0], None, [256], [0, 256]).ravel()
    return [int(value) for value in np.flatnonzero(counts) if value]


def _paint(
    canvas: np.ndarray, labels: np.ndarray, object_id: int, alpha: float
) -> tuple[int, int, int, int]:
    """Fill and outline one object in place; return its box: x, y, width, height."""
    where = cv2.inRange(labels, object_id, object_id)
    x, y, width, height = cv2.boundingRect(where)
    # Only the object's box is touched: most of a frame is background.
    window = canvas[y : y + height, x : x + width]
    inside = where[y : y + height, x : x + width]
    colour = colour_of(object_id)
    levels = np.arange(256, dtype=np.float32)[:, None] * (1 - alpha)
    blend = np.round(levels + alpha * np.array(colour, np.float32)).astype(np.uint8)
    cv2.copyTo(cv2.LUT(window, blend[None]), inside, window)
    thickness = max(1, round(min(canvas.shape[:2]) / 240))
    _darken_around(canvas, where, (x, y, width, height), thickness // 2 + 1)
    outlines, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, outlines, -1, colour, thickness, offset=(x, y))
    return x, y, width, height


def _darken_around(
    canvas: np.ndarray, where: np.ndarray, box: tuple[int, int, int, int], reach: int
) -> None:
    """Make what lies up to `reach` pixels around an object dark, in place."""
    x, y, width, height = box
    rows = slice(max(0, y - reach), y + height + reach)
    columns = slice(max(0, x - reach), x + width + reach)
    inside = where[rows, columns]
    grown = cv2.dilate(inside, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    canvas[rows, columns][grown > inside] = _DARK


def contact_sheet(
    tiles: Sequence[np.ndarray],
    columns: int,
    captions: Sequence[str] | None = None,
    tile_width: int = 480,
) -> np.ndarray:
    """Return the tiles in rows of `columns` on one dark sheet, each with its caption below.

    Args:
        tiles: H x W x 3 uint8 images; sizes may differ, aspect ratios are kept.
        columns: tiles a row, 1 or more.
        captions: one text for each tile, or None for no captions.
        tile_width: width of a tile on the sheet, pixels.

    Raises:
        ValueError: no tiles, or numbers that do not fit together.
    """
    if not tiles:
        raise ValueError("a contact sheet needs at least one tile")
    if columns < 1 or tile_width < 1:
        raise ValueError(f"columns and tile_width are 1 or more, not {columns} and {tile_width}")
    if captions is not None and len(captions) != len(tiles):
        raise ValueError(f"{len(tiles)} tiles need as many captions, not {len(captions)}")
    small = [_fit_width(tile, tile_width) for tile in tiles]
    strip = 0 if captions is None else 26
    cell = max(tile.shape[0] for tile in small) + strip
    gap = 4
    rows = -(-len(small) // columns)
    used = min(columns, len(small))
    shape = (rows * (cell + gap) + gap, used * (tile_width + gap) + gap, 3)
    sheet = np.full(shape, _SHEET_BACKGROUND, np.uint8)
    for index, tile in enumerate(small):
        top = gap + index // columns * (cell + gap)
        left = gap + index % columns * (tile_width + gap)
        sheet[top : top + tile.shape[0], left : left + tile_width] = tile
        if captions is not None:
            area = sheet[top + tile.shape[0] :][:strip, left : left + tile_width]
            _caption(area, captions[index])
    return sheet


def _fit_width(tile: np.ndarray, width: int) -> np.ndarray:
    height = max(1, round(tile.shape[0] * width / tile.shape[1]))
    shrinks = width < tile.shape[1]
    return cv2.resize(
        tile, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )


def _caption(area: np.ndarray, text: str) -> None:
    """Write one line into a caption strip, made smaller when it would not fit."""
    text = drawable(text)
    (wide, _), _ = cv2.getTextSize(text, FONT, 0.5, 1)
    scale = min(0.5, max(SMALLEST_TEXT, 0.5 * (area.shape[1] - 8) / max(1, wide)))
    line = np.ascontiguousarray(area)  # OpenCV draws into contiguous memory only
    cv2.putText(line, text, (4, 18), FONT, scale, (230, 230, 230), 1, cv2.LINE_AA)
    area[:] = line
