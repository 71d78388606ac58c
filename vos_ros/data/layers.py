# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures laid over each other, each with its own motion, drawn frame by frame.

Colour, opacity and label of a layer go through the same map, so masks cannot drift from pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vos_ros.data.motion import Motion, source_points

CELL = 8  # the map is exact at points this many pixels apart and linear between them


@dataclass(frozen=True)
class Layer:
    """One moving picture.

    image: h x w x 3 uint8 RGB. alpha: h x w uint8 opacity, or None for a picture that fills the
    frame (its border is mirrored). label: what its visible pixels are called, 0 for background.
    shutter: share of the time between frames that is exposed; 0 means no motion blur.
    """

    image: np.ndarray
    alpha: np.ndarray | None
    motion: Motion
    label: int = 0
    shutter: float = 0.0

    @property
    def inside(self) -> np.ndarray:
        """h x w bool: where it is more than half opaque."""
        if self.alpha is None:
            return np.ones(self.image.shape[:2], bool)
        return self.alpha > 127


@dataclass(frozen=True)
class Patch:
    """The part of the frame that a layer touches: its corner, and float32 maps of x and y."""

    left: int
    top: int
    map_x: np.ndarray
    map_y: np.ndarray


def shrink_for(
    image: np.ndarray, alpha: np.ndarray | None, scale: float
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Image, alpha and the matrix from the shrunk to the given picture, for drawing at `scale`.

    Drawing a picture much smaller by interpolation alone would alias; averaging first does not.
    """
    factor = min(1.0, max(scale * 1.25, 4.0 / min(image.shape[:2])))
    if factor > 0.75:
        return image, alpha, np.eye(3)
    height, width = image.shape[:2]
    size = (max(2, round(width * factor)), max(2, round(height * factor)))
    fx, fy = width / size[0], height / size[1]
    back = np.array([[fx, 0, fx / 2 - 0.5], [0, fy, fy / 2 - 0.5], [0, 0, 1.0]])
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    if alpha is not None:
        alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    return small, alpha, back


def patch_of(layer: Layer, frame: int, size: tuple[int, int], spread: float = 0.0) -> Patch | None:
    """The map of one layer in one frame, cut to where its source lies; None if out of view.

    spread: pixels by which blur will widen it.
    """
    height, width = size
    rows, columns = -(-height // CELL) + 2, -(-width // CELL) + 2
    xs = (np.arange(columns) - 0.5) * CELL - 0.5
    ys = (np.arange(rows) - 0.5) * CELL - 0.5
    source = layer.image.shape[:2]
    lattice = None if layer.motion.lattices is None else layer.motion.lattices[frame]
    points = source_points(layer.motion.matrices[frame], lattice, source, xs, ys)
    top, bottom, left, right = 0, rows, 0, columns
    if layer.alpha is not None:
        reach = 1.0 + float(
            max(np.abs(np.diff(points, axis=0)).max(), np.abs(np.diff(points, axis=1)).max())
        )
        inside = (
            (points[..., 0] > -reach)
            & (points[..., 0] < source[1] + reach)
            & (points[..., 1] > -reach)
            & (points[..., 1] < source[0] + reach)
        )
        if not inside.any():
            return None
        margin = 1 + int(np.ceil(spread / CELL))
        used_y, used_x = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        top, bottom = max(0, used_y[0] - margin), min(rows, used_y[-1] + 1 + margin)
        left, right = max(0, used_x[0] - margin), min(columns, used_x[-1] + 1 + margin)
    maps = cv2.resize(
        points[top:bottom, left:right],
        ((right - left) * CELL, (bottom - top) * CELL),
        interpolation=cv2.INTER_LINEAR,
    )
    # The first row and column of cells lie outside the frame: they only carry the interpolation.
    y0, x0 = (top - 1) * CELL, (left - 1) * CELL
    y1, x1 = min(height, y0 + maps.shape[0]), min(width, x0 + maps.shape[1])
    maps = maps[max(0, -y0) : y1 - y0, max(0, -x0) : x1 - x0]
    if maps.size == 0:
        return None
    map_x, map_y = (np.ascontiguousarray(maps[..., axis]) for axis in (0, 1))
    return Patch(max(0, x0), max(0, y0), map_x, map_y)


def exposure(layer: Layer, frame: int) -> np.ndarray:
    """The way (x, y in pixels) that the layer's middle goes while the shutter is open."""
    if layer.shutter <= 0.0:
        return np.zeros(2)
    matrices = layer.motion.matrices
    before, after = max(0, frame - 1), min(len(matrices) - 1, frame + 1)
    if before == after:
        return np.zeros(2)
    middle = np.array([layer.image.shape[1] / 2, layer.image.shape[0] / 2, 1.0])
    ends = [matrices[k] @ middle for k in (before, after)]
    way = ends[1][:2] / ends[1][2] - ends[0][:2] / ends[0][2]
    way = way * layer.shutter / (after - before)
    length = float(np.hypot(*way))
    return way * min(1.0, 21.0 / max(length, 1e-6))


def line_kernel(way: np.ndarray) -> np.ndarray | None:
    """The kernel of a straight motion blur, or None when it would not be seen."""
    length = float(np.hypot(*way))
    if length < 1.5:
        return None
    radius = int(np.ceil(length / 2))
    kernel = np.zeros((2 * radius + 1, 2 * radius + 1), np.float32)
    for step in np.linspace(-0.5, 0.5, 4 * radius + 1):
        x, y = radius + step * way[0], radius + step * way[1]
        column, row = int(np.floor(x)), int(np.floor(y))
        for dr, dc in ((0, 0), (0, 1), (1, 0), (1, 1)):
            r, c = min(row + dr, 2 * radius), min(column + dc, 2 * radius)
            kernel[r, c] += abs(1 - dr - (y - row)) * abs(1 - dc - (x - column))
    return kernel / kernel.sum()


def draw_layer(layer: Layer, frame: int, image: np.ndarray, labels: np.ndarray) -> None:
    """Draw one layer into the frame's image (H x W x 3) and labels (H x W), in place."""
    way = exposure(layer, frame)
    kernel = line_kernel(way)
    patch = patch_of(layer, frame, labels.shape, float(np.abs(way).max()))
    if patch is None:
        return
    height, width = patch.map_x.shape
    where = np.s_[patch.top : patch.top + height, patch.left : patch.left + width]
    border = cv2.BORDER_REFLECT_101 if layer.alpha is None else cv2.BORDER_REPLICATE
    colour = cv2.remap(layer.image, patch.map_x, patch.map_y, cv2.INTER_LINEAR, borderMode=border)
    if layer.alpha is None:
        image[where] = colour if kernel is None else cv2.filter2D(colour, -1, kernel)
        labels[where] = layer.label
        return
    alpha = cv2.remap(
        layer.alpha, patch.map_x, patch.map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    labels[where][alpha > 127] = layer.label
    if kernel is not None:
        # What lies around a cut-out has been painted in its own colours, so colour may be blurred
        # by itself. The label stays that of the middle of the exposure.
        colour = cv2.filter2D(colour, -1, kernel)
        alpha = cv2.filter2D(alpha, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    weight = alpha.astype(np.float32) * (1.0 / 255.0)
    image[where] = cv2.blendLinear(colour, np.ascontiguousarray(image[where]), weight, 1.0 - weight)


def draw_frame(
    layers: list[Layer], frame: int, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """One frame of all layers, the first one hindmost: H x W x 3 uint8 and H x W uint8."""
    image = np.zeros((*size, 3), np.uint8)
    labels = np.zeros(size, np.uint8)
    for layer in layers:
        draw_layer(layer, frame, image, labels)
    return image, labels
