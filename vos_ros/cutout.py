# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From what a person has drawn on an image to the mask of the object that was meant.

Boxes and scribbles are completed by GrabCut (Rother, Kolmogorov and Blake, SIGGRAPH 2004) in
OpenCV's implementation; polygons are taken as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vos_ros.strokes import Box, Polygon, Scribble, Stroke

__all__ = ["Cutout"]

_WORK_SIDE = 256  # pixels: the longer side of what GrabCut sees; its time grows with the area
_ROUNDS = 3
_MARGIN = 0.35  # of a box's sides: how much of its surroundings tell what is not of the object
_NEAR = 0.2  # of a line's length: what is so near is of the object, to begin with
_EDGE = 10  # the part of an image's sides that is its edge
_SPECK = 0.02  # of the mask: smaller islands and holes are noise
_KEEP, _DROP = 1, 2  # in `_State.sure`


@dataclass(frozen=True, eq=False)
class _State:
    """A mask and what a person has said for certain, both H x W uint8.

    `mask` is 0 or 1; `sure` 0, _KEEP or _DROP.
    """

    mask: np.ndarray
    sure: np.ndarray


class Cutout:
    """A mask in the making on one image. The same strokes always make the same mask.

    What was worked out for earlier strokes is kept (compressed, some kilobytes each), so that
    another stroke, or one less, costs no more than itself. One thread at a time may use it.

    Args:
        image: H x W x 3 uint8 RGB; not changed.
    """

    def __init__(self, image: np.ndarray) -> None:
        self._image = image
        self._strokes: list[Stroke] = []
        self._states: list[bytes] = []

    def mask(self, strokes: Sequence[Stroke]) -> np.ndarray:
        """The mask that some strokes make, one after the other: H x W uint8 of 0 and 1.

        It has no pixel where nothing stands out from its surroundings.
        """
        known = self._forget_other_than(strokes)
        state = self._state(known)
        for stroke in strokes[known:]:
            state = _apply(self._image, state, stroke)
            self._strokes.append(stroke)
            self._states.append(_pack(state))
        return state.mask

    def _forget_other_than(self, strokes: Sequence[Stroke]) -> int:
        """Keep what is known of the strokes these begin with; return how many those are."""
        both = zip(self._strokes, strokes, strict=False)
        known = next((i for i, (old, new) in enumerate(both) if old != new), None)
        known = min(len(self._strokes), len(strokes)) if known is None else known
        del self._strokes[known:], self._states[known:]
        return known

    def _state(self, count: int) -> _State:
        if count:
            return _unpack(self._states[count - 1])
        nothing = np.zeros(self._image.shape[:2], np.uint8)
        return _State(nothing, nothing)


def cut_box(image: np.ndarray, box: Box) -> np.ndarray:
    """The mask of what is in a box, H x W uint8 of 0 and 1; see `Cutout`."""
    return Cutout(image).mask([box])


def _pack(state: _State) -> bytes:
    return cv2.imencode(".png", state.mask | state.sure << 1)[1].tobytes()


def _unpack(packed: bytes) -> _State:
    both = np.asarray(cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_UNCHANGED))
    return _State(both & 1, both >> 1)


def _apply(image: np.ndarray, state: _State, stroke: Stroke) -> _State:
    area = stroke.area(image.shape[:2])
    if not area.any():  # beside the image
        return state
    if isinstance(stroke, Box) and stroke.add:
        found = _cut(image, area, area, state.sure, _grown(_bounds(area), _MARGIN, area.shape))
        return _State(state.mask | _without_specks(found), state.sure)
    sure = np.where(area, np.uint8(_KEEP if stroke.add else _DROP), state.sure)
    if isinstance(stroke, Scribble):
        return _State(_scribbled(image, state.mask, sure, area, stroke.add), sure)
    assert isinstance(stroke, Polygon | Box)
    return _State(state.mask | area if stroke.add else state.mask & ~area & 1, sure)


def _scribbled(
    image: np.ndarray, mask: np.ndarray, sure: np.ndarray, area: np.ndarray, add: bool
) -> np.ndarray:
    """The mask after a scribble: changed in its direction only, and only where it is connected."""
    everywhere = np.ones(mask.shape, np.uint8)
    before = mask
    if not mask.any():
        if not add:
            return mask
        before = _begun(image, area, sure)
    region = _grown(_bounds(before | area), _MARGIN, mask.shape)
    found = _cut(image, before | area if add else before, everywhere, sure, region)
    found = np.where(sure > 0, sure == _KEEP, found).astype(np.uint8)
    # Only what hangs together with the line is changed: the rest is as the person left it.
    if add:
        return mask | _without_specks(_touching((found & ~mask & 1) | area, area))
    return mask & ~_touching((mask & ~found & 1) | area, area) & 1


def _begun(image: np.ndarray, line: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """A first mask where there is but a line: of things up to three times as long as it."""
    size = line.shape
    x, y, width, height = _bounds(line)
    long = max(width, height)
    near = cv2.distanceTransform(1 - line, cv2.DIST_L2, 3) <= _NEAR * long
    square = (x + width // 2 - long // 2, y + height // 2 - long // 2, long, long)
    possible = np.zeros(size, np.uint8)
    left, top, across, down = _grown(square, 1.0, size)
    possible[top : top + down, left : left + across] = 1
    found = _cut(image, near | line, possible, sure, _grown(square, 1.0 + 2 * _MARGIN, size))
    return _touching(found | line, line)


def _cut(
    image: np.ndarray,
    likely: np.ndarray,
    possible: np.ndarray,
    sure: np.ndarray,
    region: tuple[int, int, int, int],
) -> np.ndarray:
    """What GrabCut takes for the object in a region of the image.

    Args:
        image: H x W x 3 uint8.
        likely: H x W, 1 where the object is to begin with.
        possible: H x W, 0 where it cannot be.
        sure: as in `_State`.
        region: x, y, width and height of what is looked at; nothing is found outside.

    Returns:
        H x W uint8 of 0 and 1.
    """
    x, y, width, height = region
    window = slice(y, y + height), slice(x, x + width)
    scale = min(1.0, _WORK_SIDE / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image[window], size, interpolation=cv2.INTER_AREA)
    labels = np.where(_shrunk(likely[window], size) > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    labels[_shrunk(possible[window], size) < 0.5] = cv2.GC_BGD
    # A thin line must not vanish in a smaller image.
    labels[_shrunk(sure[window] == _KEEP, size) > 0] = cv2.GC_FGD
    labels[_shrunk(sure[window] == _DROP, size) > 0.5] = cv2.GC_BGD
    found = np.zeros(image.shape[:2], np.uint8)
    found[window] = _enlarged(_grab(small, labels.astype(np.uint8)), (width, height))
    return found


def _grab(image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """GrabCut from labels of OpenCV's kind; 0 and 1, uint8."""
    inside = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    if inside.all():
        # It learns what is not of the object from pixels that are not: the edge must do.
        height, width = labels.shape
        down, across = -(-height // _EDGE), -(-width // _EDGE)
        border = np.ones(labels.shape, bool)
        border[down:-down, across:-across] = False
        labels[border & (labels == cv2.GC_PR_FGD)] = cv2.GC_PR_BGD
        inside &= labels != cv2.GC_PR_BGD
    if not inside.any() or inside.all():
        return inside.astype(np.uint8)
    cv2.setRNGSeed(0)  # its clustering draws random numbers
    unused = (0, 0, 0, 0)
    ground, thing = np.zeros((1, 65)), np.zeros((1, 65))
    image = np.ascontiguousarray(image)
    cv2.grabCut(image, labels, unused, ground, thing, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)


def _shrunk(area: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The share of each larger pixel that an area covers."""
    return cv2.resize(area.astype(np.float32), size, interpolation=cv2.INTER_AREA)


def _enlarged(area: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    smooth = cv2.resize(area.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return (smooth > 0.5).astype(np.uint8)


def _bounds(area: np.ndarray) -> tuple[int, int, int, int]:
    """The smallest box around an area: x, y, width and height."""
    x, y, width, height = cv2.boundingRect(area)
    return x, y, width, height


def _grown(
    box: tuple[int, int, int, int], margin: float, size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """A box with this share of its sides added all around, as far as the image goes."""
    x, y, width, height = box
    across, down = max(8, round(margin * width)), max(8, round(margin * height))
    left, top = max(0, x - across), max(0, y - down)
    right, bottom = min(size[1], x + width + across), min(size[0], y + height + down)
    return left, top, right - left, bottom - top


def _touching(area: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Those pieces of an area that a line goes through."""
    _, pieces = cv2.connectedComponents(area, connectivity=4)
    touched = np.unique(pieces[(line > 0) & (area > 0)])
    return np.isin(pieces, touched[touched > 0]).astype(np.uint8)


def _without_specks(area: np.ndarray) -> np.ndarray:
    """An area without its smallest islands and holes."""
    least = _SPECK * np.count_nonzero(area)
    area = _large_pieces(area, least)
    return 1 - _large_pieces(1 - area, least)


def _large_pieces(area: np.ndarray, least: float) -> np.ndarray:
    count, pieces, statistics, _ = cv2.connectedComponentsWithStats(area, connectivity=4)
    large = statistics[:, cv2.CC_STAT_AREA] >= least
    large[0] = False
    return large[pieces].astype(np.uint8) if count > 1 else area
