# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Invented objects: shapes filled from photographs, poles, haze, thin parts, colour matching.

An object to be followed may be anything; these keep a network from learning what objects are like.
"""

from __future__ import annotations

import cv2
import numpy as np

from vos_ros.data.appearance import colour_change
from vos_ros.data.cutouts import Cutout

SIDE = 160  # pixels of an invented shape's canvas


def blob(rng: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """A smooth random outline, filled: side x side uint8 opacity."""
    angles = np.linspace(0.0, 2.0 * np.pi, 90, endpoint=False)
    radius = np.ones_like(angles)
    for wave in range(2, 7):
        radius += rng.normal(0.0, 0.45 / wave) * np.cos(wave * angles + rng.uniform(0, 2 * np.pi))
    radius = np.clip(radius, 0.2, None)
    stretch = np.exp(rng.normal(0.0, 0.4))
    points = np.stack([radius * np.cos(angles) * stretch, radius * np.sin(angles)], 1)
    return _filled(points, side)


def polygon(rng: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """A random polygon of 3 to 7 corners, filled."""
    angles = np.sort(rng.uniform(0.0, 2.0 * np.pi, int(rng.integers(3, 8))))
    points = rng.uniform(0.4, 1.0, len(angles))[:, None] * np.stack(
        [np.cos(angles), np.sin(angles)], 1
    )
    return _filled(points, side)


def stroke(rng: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """A pole, rope or hoop: a curve of even width."""
    bend = rng.normal(0.0, 0.4) if rng.random() < 0.5 else 0.0
    along = np.linspace(-1.0, 1.0, 40)
    points = np.stack([along, bend * np.cos(np.pi * along * rng.uniform(0.3, 1.2))], 1)
    turn = rng.uniform(0.0, np.pi)
    points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    alpha = np.zeros((side, side), np.uint8)
    width = int(np.exp(rng.uniform(np.log(3.0), np.log(0.2 * side))))
    pixels = (points / max(1.0, np.abs(points).max()) * (0.42 * side) + side / 2) * 16
    cv2.polylines(alpha, [pixels.astype(np.int32)], False, 255, width, cv2.LINE_AA, shift=4)
    return alpha


def _filled(points: np.ndarray, side: int) -> np.ndarray:
    alpha = np.zeros((side, side), np.uint8)
    pixels = (points / np.abs(points).max() * (side / 2 - 4) + side / 2) * 16
    cv2.fillPoly(alpha, [pixels.astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return alpha


def invented(rng: np.random.Generator, photograph: np.ndarray) -> Cutout:
    """A random shape filled with a random part of a photograph (H x W x 3 uint8 RGB)."""
    kind = rng.choice(3, p=[0.5, 0.25, 0.25])
    alpha = (blob, polygon, stroke)[kind](rng)
    reach = int(rng.integers(min(48, *photograph.shape[:2]), min(photograph.shape[:2]) + 1))
    top = int(rng.integers(photograph.shape[0] - reach + 1))
    left = int(rng.integers(photograph.shape[1] - reach + 1))
    part = photograph[top : top + reach, left : left + reach]
    part = cv2.resize(part, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return Cutout(colour_change(part, rng, 1.0), cv2.GaussianBlur(alpha, (0, 0), 0.6))


def haze(rng: np.random.Generator) -> Cutout:
    """Spray, smoke or dust: pale, soft and never opaque, so that it hides no label."""
    shade = rng.uniform(150, 255) + rng.normal(0, 8, 3)
    image = np.broadcast_to(np.clip(shade, 0, 255).astype(np.uint8), (SIDE, SIDE, 3)).copy()
    grain = rng.normal(0.6, 0.4, (10, 10)).astype(np.float32)
    grain = np.clip(cv2.resize(grain, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), 0, 1)
    soft = cv2.GaussianBlur(blob(rng), (0, 0), 10.0)
    return Cutout(image, (soft * grain * rng.uniform(0.2, 0.49)).astype(np.uint8))


def with_rods(cutout: Cutout, rng: np.random.Generator) -> Cutout:
    """The object with one to three thin straight parts: sticks, poles, strings."""
    height, width = cutout.alpha.shape
    pad = round(0.4 * max(height, width))
    image = cv2.copyMakeBorder(cutout.image, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    alpha = cv2.copyMakeBorder(cutout.alpha, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    rows, columns = np.nonzero(alpha > 200)
    if not rows.size:
        return cutout
    middle = np.array([columns.mean(), rows.mean()])
    for _ in range(int(rng.integers(1, 4))):
        pick = int(rng.integers(rows.size))
        start = np.array([columns[pick], rows[pick]], float)
        outward = start - middle
        angle = np.arctan2(outward[1], outward[0]) + rng.normal(0.0, 0.6)
        reach = rng.uniform(0.3, 0.9) * max(height, width)
        end = start + reach * np.array([np.cos(angle), np.sin(angle)])
        end = np.clip(end, 2, [alpha.shape[1] - 3, alpha.shape[0] - 3])
        thick = int(np.clip(round(0.012 * max(height, width) * np.exp(rng.normal(0, 0.5))), 1, 9))
        line = np.zeros_like(alpha)
        tips = [(int(x), int(y)) for x, y in (start, end)]
        cv2.line(line, tips[0], tips[1], 255, thick + 1, cv2.LINE_AA)
        if rng.random() < 0.5:
            colour = image[rows[pick], columns[pick]]
        else:
            colour = rng.integers(0, 256, 3)
        image[cv2.dilate(line, np.ones((3, 3), np.uint8)) > 0] = colour
        alpha = np.maximum(alpha, line)
    return Cutout(image, alpha)


def camouflaged(cutout: Cutout, scenery: np.ndarray, amount: float) -> Cutout:
    """The object with mean and spread of its colours brought towards those of the scenery."""
    inside = cutout.image[cutout.alpha > 127].astype(np.float32)
    if inside.shape[0] < 16:
        return cutout
    around = scenery[::4, ::4].reshape(-1, 3).astype(np.float32)
    gain = np.clip((around.std(0) + 8.0) / (inside.std(0) + 8.0), 0.5, 2.0)
    levels = np.arange(256, dtype=np.float32)[:, None]
    wanted = (levels - inside.mean(0)) * gain + around.mean(0)
    tables = np.clip(levels + amount * (wanted - levels) + 0.5, 0, 255).astype(np.uint8)
    return Cutout(cv2.LUT(cutout.image, tables[None]), cutout.alpha)
