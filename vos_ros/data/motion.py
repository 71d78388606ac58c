# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a picture moves through a clip: one 3 x 3 matrix and one bending lattice per frame.

Points are (x, y) in pixels, pixel centres at whole numbers. A matrix takes a point of the source
picture to a point of the clip's frame. The lattice bends the source as one would a thin plate: a
spline through the displacements of a few nodes, in source pixels, laid down on a grid that spans
the source.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vos_ros.data.thin_plate import bent_plate

NODES = 6  # displacements per side that a bend is made of
LATTICE = 21  # places per side at which the spline through them is laid down


@dataclass(frozen=True)
class Motion:
    """matrices: T x 3 x 3 float64; lattices: T x LATTICE x LATTICE x 2 float32 or None (rigid)."""

    matrices: np.ndarray
    lattices: np.ndarray | None = None


@dataclass(frozen=True)
class Pace:
    """How much changes from a frame to the next (standard deviations)."""

    shift: float  # of the frame's height
    turn: float  # radians
    zoom: float  # of the logarithm of the scale
    stretch: float  # of the logarithm of the aspect
    shear: float
    tilt: float  # perspective: relative change of scale across the picture
    jitter: float  # share of the above that is not smooth


def draw_pace(rng: np.random.Generator, fast: float = 0.15, scale: float = 1.0) -> Pace:
    """From nearly still to quick; with probability `fast`, hectic; all of it times `scale`."""
    level = float(np.exp(rng.uniform(np.log(0.15), np.log(1.6))))
    if rng.random() < fast:
        level = float(rng.uniform(1.6, 4.0))
    level *= scale
    return Pace(
        shift=0.03 * level,
        turn=0.05 * level * rng.uniform(0.3, 1.3),
        zoom=0.03 * level,
        stretch=0.025 * level,
        shear=0.02 * level,
        tilt=0.02 * level,
        jitter=float(rng.uniform(0.0, 0.5)),
    )


def wander(rng: np.random.Generator, length: int, speed: float, jitter: float) -> np.ndarray:
    """A path of `length` values that starts at 0: a lasting velocity that changes, plus jitter."""
    changes = rng.normal(0.0, speed, length)
    velocity = np.empty(length)
    current = changes[0]
    for step in range(length):
        velocity[step] = current
        current = 0.85 * current + 0.5 * changes[step]
    path = np.concatenate([[0.0], np.cumsum(velocity[:-1])])
    path[1:] += rng.normal(0.0, speed * jitter, length - 1)
    return path


def translation(x: float, y: float) -> np.ndarray:
    """The 3 x 3 matrix of a shift."""
    matrix = np.eye(3)
    matrix[:2, 2] = x, y
    return matrix


def linear(turn: float, scale: float, shear: float = 0.0, flip: bool = False) -> np.ndarray:
    """Mirror (if flip), shear, turn (radians) and scale about the origin."""
    cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
    matrix = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    matrix = matrix @ np.array([[1.0, shear, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    return matrix @ np.diag([-1.0 if flip else 1.0, 1.0, 1.0])


def changes(
    rng: np.random.Generator, length: int, pace: Pace, height: float, extent: float
) -> np.ndarray:
    """Motion about the origin, T x 3 x 3, identity at frame 0.

    height: of the frame, pixels, the unit of the shift; extent: of the moving thing, pixels, across
    which the tilt is measured.
    """
    dx, dy = (wander(rng, length, pace.shift * height, pace.jitter) for _ in range(2))
    turn = wander(rng, length, pace.turn, pace.jitter)
    zoom = np.clip(wander(rng, length, pace.zoom, pace.jitter), -0.7, 0.7)
    stretch = np.clip(wander(rng, length, pace.stretch, pace.jitter), -0.4, 0.4)
    shear = np.clip(wander(rng, length, pace.shear, pace.jitter), -0.3, 0.3)
    tilts = [np.clip(wander(rng, length, pace.tilt, pace.jitter), -0.25, 0.25) for _ in range(2)]
    matrices = np.empty((length, 3, 3))
    for frame in range(length):
        perspective = np.eye(3)
        perspective[2, 0] = tilts[0][frame] / max(extent, 1.0)
        perspective[2, 1] = tilts[1][frame] / max(extent, 1.0)
        matrices[frame] = (
            translation(dx[frame], dy[frame])
            @ linear(turn[frame], float(np.exp(zoom[frame])), shear[frame])
            @ np.diag([np.exp(stretch[frame] / 2), np.exp(-stretch[frame] / 2), 1.0])
            @ perspective
        )
    return matrices


def bending(
    rng: np.random.Generator, length: int, size: tuple[int, int], amount: float
) -> np.ndarray:
    """Lattices of a smoothly changing bend, T x LATTICE x LATTICE x 2 float32, source pixels.

    size: height and width of the source; amount: of the spacing of the nodes (0.15 is strong;
    beyond about 0.3 the picture would fold over).
    """
    shape = (NODES, NODES, 2)
    spacing = np.array([size[1], size[0]]) / (NODES - 1)
    current = rng.normal(0.0, amount, shape)
    velocity = rng.normal(0.0, 0.4 * amount, shape)
    nodes = np.empty((length, *shape))
    for frame in range(length):
        nodes[frame] = np.clip(current, -0.35, 0.35) * spacing
        velocity = 0.8 * velocity + rng.normal(0.0, 0.2 * amount, shape)
        current = 0.92 * current + velocity
    return bent_plate(nodes, LATTICE)


def swinging(rng: np.random.Generator, length: int, size: tuple[int, int]) -> np.ndarray:
    """Lattices of one part that swings about a joint, as a limb, T x LATTICE x LATTICE x 2.

    size: height and width of the source. What lies on one side of a line through the joint turns
    by up to about 30 degrees; the turn fades in over two spacings, so nothing folds over.
    """
    joint = rng.uniform(0.25, 0.75, 2) * (size[1], size[0])
    angle = rng.uniform(0.0, 2.0 * np.pi)
    along = np.linspace(0.0, 1.0, NODES)
    nodes = np.stack(np.meshgrid(along * (size[1] - 1), along * (size[0] - 1)), -1) - joint
    fade = 2.0 * max(size) / (NODES - 1)
    share = np.clip((nodes @ [np.cos(angle), np.sin(angle)]) / fade, 0.0, 1.0)[..., None]
    phase, speed = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(0.3, 1.6)
    swing = rng.uniform(0.1, 0.5) * np.sin(phase + speed * np.arange(length))
    moved = np.stack([share * (nodes @ linear(turn, 1.0)[:2, :2].T - nodes) for turn in swing])
    return bent_plate(moved, LATTICE)


def leave_and_return(rng: np.random.Generator, length: int, distance: float) -> np.ndarray:
    """Offsets T x 2 that carry a thing `distance` pixels away about some frame, then back again."""
    angle = rng.uniform(0.0, 2.0 * np.pi)
    peak = rng.uniform(1.0, max(1.0, length - 2.0))
    half = rng.uniform(1.0, max(1.2, 0.4 * length))
    away = np.clip(1.6 - np.abs(np.arange(length) - peak) / half * 1.6, 0.0, 1.0)
    away[0] = 0.0
    return away[:, None] * distance * np.array([np.cos(angle), np.sin(angle)])


def cover(
    rng: np.random.Generator, source: tuple[int, int], size: tuple[int, int], zoom: float
) -> np.ndarray:
    """A matrix that fills a frame of `size` with a part of the source, `zoom` >= 1 times enlarged.

    Both sizes are height, width. The part is placed at random, the picture mirrored half the time.
    """
    scale = zoom * max(size[0] / source[0], size[1] / source[1])
    spare_x = source[1] * scale - size[1]
    spare_y = source[0] * scale - size[0]
    flip = bool(rng.random() < 0.5)
    mirrored = translation(source[1] - 1, 0) @ linear(0.0, 1.0, flip=True) if flip else np.eye(3)
    corner = translation(-rng.uniform(0, 1) * spare_x, -rng.uniform(0, 1) * spare_y)
    return corner @ linear(0.0, scale) @ mirrored


def stretched(
    rng: np.random.Generator, source: tuple[int, int], size: tuple[int, int]
) -> np.ndarray:
    """A matrix that lays the whole source over a frame of `size`, each side by its own factor.

    Both sizes are height, width. The picture is mirrored half the time.
    """
    x, y = ((size[side] - 1) / max(source[side] - 1, 1) for side in (1, 0))
    if rng.random() < 0.5:
        return translation(size[1] - 1, 0) @ np.diag([-x, y, 1.0])
    return np.diag([x, y, 1.0])


def keep_inside(matrix: np.ndarray, source: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """The matrix shifted, and enlarged if it must be, so that the frame shows only the source."""
    height, width = size
    corners = np.array([[0, width - 1, 0, width - 1], [0, 0, height - 1, height - 1], [1] * 4])
    limits = np.array([source[1] - 1.0, source[0] - 1.0])
    for _ in range(3):
        points = np.linalg.inv(matrix) @ corners
        points = points[:2] / points[2]
        low, high = points.min(1), points.max(1)
        grow = float(((high - low) / limits).max())
        if grow > 1.0:
            centre = translation((width - 1) / 2, (height - 1) / 2)
            matrix = centre @ linear(0.0, grow * 1.001) @ np.linalg.inv(centre) @ matrix
            continue
        shift = np.maximum(-low, 0.0) - np.maximum(high - limits, 0.0)
        if np.abs(shift).max() < 1e-6:
            break
        matrix = matrix @ translation(-shift[0], -shift[1])
    return matrix


def source_points(
    matrix: np.ndarray,
    lattice: np.ndarray | None,
    source: tuple[int, int],
    xs: np.ndarray,
    ys: np.ndarray,
) -> np.ndarray:
    """Where the frame's points xs x ys lie in the source: len(ys) x len(xs) x 2 float32."""
    inverse = np.linalg.inv(matrix)
    grid = inverse[:, 0] * xs[None, :, None] + inverse[:, 1] * ys[:, None, None] + inverse[:, 2]
    points = (grid[..., :2] / np.maximum(grid[..., 2:], 1e-3)).astype(np.float32)
    if lattice is None:
        return points
    where_x = points[..., 0] * ((LATTICE - 1) / max(source[1] - 1, 1))
    where_y = points[..., 1] * ((LATTICE - 1) / max(source[0] - 1, 1))
    return points + cv2.remap(
        lattice, where_x, where_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
