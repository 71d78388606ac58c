# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Objects taken out of photographs, and the hole they leave filled."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vos_ros.data.stills import Still

MARGIN = 6  # pixels kept around a cut-out


@dataclass(frozen=True)
class Cutout:
    """image h x w x 3 uint8 RGB, alpha h x w uint8 with a soft edge. centre: of its box, (x, y)."""

    image: np.ndarray
    alpha: np.ndarray

    @property
    def area(self) -> int:
        """Pixels more than half covered."""
        return int(np.count_nonzero(self.alpha > 127))

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of its box, x and y."""
        height, width = self.alpha.shape
        return (width - 1) / 2, (height - 1) / 2

    def mirrored(self) -> Cutout:
        """Left for right."""
        return Cutout(
            np.ascontiguousarray(self.image[:, ::-1]), np.ascontiguousarray(self.alpha[:, ::-1])
        )


def choose_object(
    still: Still, rng: np.random.Generator, least: float = 0.003, most: float = 0.8
) -> np.ndarray | None:
    """The mask (H x W bool) of a random object whose share of the image is within the bounds."""
    counts = np.bincount(still.ids.ravel(), minlength=256)
    counts[0] = 0
    total = still.ids.size
    fitting = np.flatnonzero((counts >= max(80.0, least * total)) & (counts <= most * total))
    if not fitting.size:
        return None
    return still.ids == int(rng.choice(fitting))


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Top, bottom, left, right (ends excluded) of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def border_contact(mask: np.ndarray) -> float:
    """How much of the object's box lies cut off by the image's border, as a share of its outline.

    A cut-off side is straight; put elsewhere it would look like nothing that ever was.
    """
    edges = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
    touching = sum(int(np.count_nonzero(edge)) for edge in edges)
    top, bottom, left, right = box_of(mask)
    return touching / (2 * (bottom - top + right - left))


def fill(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Fill what is not known from what is, smoothly, by averages over ever larger squares.

    image: H x W x 3 uint8; known: H x W bool. Known pixels stay as they are.
    """
    colour = image.astype(np.float32)
    weight = known.astype(np.float32)
    colours: list[np.ndarray] = [colour * weight[..., None]]
    weights: list[np.ndarray] = [weight]
    while min(weights[-1].shape) > 2 and not (weights[-1] > 0).all():
        size = tuple((side + 1) // 2 for side in weights[-1].shape[::-1])
        colours.append(cv2.resize(colours[-1], size, interpolation=cv2.INTER_AREA))
        weights.append(cv2.resize(weights[-1], size, interpolation=cv2.INTER_AREA))
    filled = colours[-1] / np.maximum(weights[-1], 1e-4)[..., None]
    for colour, weight in zip(colours[-2::-1], weights[-2::-1], strict=True):
        above = cv2.resize(filled, weight.shape[::-1], interpolation=cv2.INTER_LINEAR)
        trust = np.minimum(1.0, weight * 4.0)[..., None]
        filled = colour / np.maximum(weight, 1e-4)[..., None] * trust + above * (1.0 - trust)
    result = np.clip(filled + 0.5, 0, 255).astype(np.uint8)
    result[known] = image[known]
    return result


def cut_out(image: np.ndarray, mask: np.ndarray, soft: float = 0.8) -> Cutout:
    """Cut an object out with a soft edge, its surroundings painted in its own colours.

    Without that paint the edge would carry a rim of the old background, by which a network could
    tell a pasted object from a real one. soft: standard deviation of the edge, pixels.
    """
    height, width = mask.shape
    top, bottom, left, right = box_of(mask)
    window = np.s_[
        max(0, top - MARGIN) : min(height, bottom + MARGIN),
        max(0, left - MARGIN) : min(width, right + MARGIN),
    ]
    image, mask = image[window], mask[window].astype(np.uint8)
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8), borderValue=1)
    if np.count_nonzero(inner) < 0.5 * np.count_nonzero(mask):
        inner = mask  # so thin that nothing else would be left
    image = fill(image, inner > 0)
    # A border of nothing on every side: the edge is soft where the photograph ended, too.
    image = cv2.copyMakeBorder(image, 2, 2, 2, 2, cv2.BORDER_REPLICATE)
    alpha = cv2.copyMakeBorder(mask * np.uint8(255), 2, 2, 2, 2, cv2.BORDER_CONSTANT)
    return Cutout(image, cv2.GaussianBlur(alpha, (0, 0), soft))


def without(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The image with the object replaced by what surrounds it.

    Colours are filled in smoothly, and fine detail is borrowed from beside the object, lest the
    place give itself away by being blurred.
    """
    known = cv2.dilate(mask.astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
    filled = fill(image, known)
    top, bottom, left, right = box_of(~known) if not known.all() else (0, 1, 0, 1)
    smooth = filled.astype(np.float32)
    detail = smooth - cv2.GaussianBlur(smooth, (0, 0), 6.0)
    ways = [
        (round(down * (bottom - top)), round(across * (right - left)))
        for down in (-0.9, -0.45, 0.0, 0.45, 0.9)
        for across in (-0.9, -0.45, 0.0, 0.45, 0.9)
    ]
    bare = ~known
    for _ in range(3):  # what one way leaves bare, the next may cover
        covers = [np.count_nonzero(_moved(known, way) & bare) for way in ways]
        way = ways[int(np.argmax(covers))]
        usable = _moved(known, way) & bare
        smooth[usable] += _moved(detail, way)[usable]
        bare &= ~usable
    return np.where(known[..., None], image, np.clip(smooth, 0, 255).astype(np.uint8))


def _moved(array: np.ndarray, way: tuple[int, int]) -> np.ndarray:
    """The array moved by `way` (down, right); what moves in is False in a mask, else mirrored."""
    matrix = np.array([[1.0, 0.0, way[1]], [0.0, 1.0, way[0]]])
    size = array.shape[1::-1]
    if array.dtype == bool:
        return cv2.warpAffine(array.astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST) > 0
    return cv2.warpAffine(
        array, matrix, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101
    )
