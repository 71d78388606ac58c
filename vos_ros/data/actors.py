# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cut-out objects given a size, a place and a way through the clip."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vos_ros.data.appearance import colour_change
from vos_ros.data.cutouts import Cutout, box_of, cut_out
from vos_ros.data.layers import Layer, shrink_for
from vos_ros.data.motion import (
    Motion,
    bending,
    changes,
    draw_pace,
    leave_and_return,
    linear,
    swinging,
    translation,
)
from vos_ros.data.still_mix import StillMix

LARGEST_ENLARGEMENT = 2.2  # beyond it an object looks washed out beside its scenery


@dataclass(frozen=True)
class Actor:
    """The target: its layer, and its cut-out at the layer's source size where there is one."""

    layer: Layer
    cutout: Cutout | None

    def look_alike(self, rng: np.random.Generator) -> Cutout:
        """The same object once more, most often mirrored and in slightly different light."""
        cutout = self.cutout
        if cutout is None:
            cutout = cut_out(self.layer.image, self.layer.inside)
        if rng.random() < 0.6:
            cutout = cutout.mirrored()
        return Cutout(colour_change(cutout.image, rng, rng.uniform(0.0, 0.4)), cutout.alpha)

    def middles(self) -> np.ndarray:
        """Where the middle of the object is in each frame: T x 2, pixels."""
        top, bottom, left, right = box_of(self.layer.inside)
        middle = np.array([(left + right) / 2, (top + bottom) / 2, 1.0])
        points = self.layer.motion.matrices @ middle
        return points[:, :2] / points[:, 2:]

    def width(self) -> float:
        """The square root of the object's area in frame 0, pixels."""
        area = np.count_nonzero(self.layer.inside)
        matrix = self.layer.motion.matrices[0]
        return float(np.sqrt(area * abs(np.linalg.det(matrix[:2, :2]))))


def drawn_scale(
    rng: np.random.Generator, cutout: Cutout, size: tuple[int, int], low: float, high: float
) -> float:
    """A scale that gives the object a share of the frame between low and high, evenly by log."""
    share = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    scale = np.sqrt(share * size[0] * size[1] / max(cutout.area, 1))
    # Most of even a long object is to fit into the frame.
    height, width = cutout.alpha.shape
    scale = min(scale, LARGEST_ENLARGEMENT, 1.4 * size[0] / height, 1.4 * size[1] / width)
    return float(scale)


def camera_steps(scene: Motion) -> np.ndarray:
    """What the camera did since frame 0, as matrices from frame 0's pixels: T x 3 x 3."""
    return scene.matrices @ np.linalg.inv(scene.matrices[0])


def cast(
    rng: np.random.Generator,
    cutout: Cutout,
    scene: Motion,
    size: tuple[int, int],
    mix: StillMix,
    shutter: float,
    *,
    label: int,
    place: np.ndarray | None = None,
) -> Actor:
    """Give the target its part: over any scenery, or, with its mask as `place`, where it stood."""
    length = len(scene.matrices)
    height, width = size
    if place is None:
        scale = drawn_scale(rng, cutout, size, 0.003, 0.5)
        turn = float(rng.normal(0.0, 0.25))
        centre = np.array([rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height])
        start = linear(turn, scale)
    else:
        top, bottom, left, right = box_of(place)
        middle = scene.matrices[0] @ np.array([(left + right - 1) / 2, (top + bottom - 1) / 2, 1.0])
        centre = middle[:2] / middle[2]
        start = np.eye(3)
        start[:2, :2] = scene.matrices[0][:2, :2]
        scale = float(np.sqrt(abs(np.linalg.det(start[:2, :2]))))
    # In its own photograph it stays near its place, whose filling is not to be seen as a whole.
    pace = draw_pace(rng, mix.fast) if place is None else draw_pace(rng, 0.0, 0.6)
    steps = changes(rng, length, pace, height, max(cutout.alpha.shape) * scale)
    offsets = np.zeros((length, 2))
    if place is None and length > 2 and rng.random() < mix.excursion:
        offsets = leave_and_return(rng, length, rng.uniform(0.6, 1.1) * width)
    layer = staged(
        rng, cutout, start, centre + offsets, steps, camera_steps(scene), scale, mix, shutter, label
    )
    return Actor(layer, cutout)


def echo(rng: np.random.Generator, target: Layer) -> Layer:
    """A reflection or a shadow of the target at its foot; it moves with it but is background."""
    assert target.alpha is not None  # what stands somewhere has an outline
    height = target.alpha.shape[0]
    bottom = box_of(target.inside)[1]
    if rng.random() < 0.5:
        image = target.image
        down = np.diag([1.0, -rng.uniform(0.7, 1.0), 1.0])
        most = rng.uniform(0.25, 0.49)
    else:
        image = np.full_like(target.image, int(rng.integers(0, 40)))
        down = np.array([[1.0, rng.normal(0.0, 0.8), 0.0], [0.0, -rng.uniform(0.15, 0.5), 0.0]])
        down = np.vstack([down, [0.0, 0.0, 1.0]])
        most = rng.uniform(0.25, 0.49)
    foot = translation(target.image.shape[1] / 2, min(bottom, height - 1))
    alpha = cv2.GaussianBlur((target.alpha * most).astype(np.uint8), (0, 0), rng.uniform(0.5, 2.5))
    matrices = target.motion.matrices @ (foot @ down @ np.linalg.inv(foot))
    return Layer(image, alpha, Motion(matrices, target.motion.lattices), 0, target.shutter)


def companion(
    rng: np.random.Generator,
    cutout: Cutout,
    target: Actor,
    scene: Motion,
    size: tuple[int, int],
    mix: StillMix,
    shutter: float,
    label: int,
) -> Layer:
    """Another object: on a way of its own, or on one that crosses the target's."""
    length = len(scene.matrices)
    height, width = size
    base = target.width() / np.sqrt(max(cutout.area, 1))
    scale = float(np.clip(base * np.exp(rng.normal(-0.1, 0.45)), 0.05, LARGEST_ENLARGEMENT))
    scale = min(scale, 1.1 * height / cutout.alpha.shape[0])
    steps = changes(rng, length, draw_pace(rng, mix.fast), height, max(cutout.alpha.shape) * scale)
    start = linear(float(rng.normal(0.0, 0.2)), scale)
    if rng.random() < mix.crossing:
        # Relative to the target: past it at a random moment, at about a width of it per frame.
        angle = rng.uniform(0.0, 2.0 * np.pi)
        speed = target.width() * np.exp(rng.uniform(np.log(0.35), np.log(1.5)))
        moment = rng.uniform(0.7, max(1.2, length - 0.5))
        way = (np.arange(length) - moment)[:, None] * speed
        aside = rng.normal(0.0, 0.25) * target.width()
        direction = np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-direction[1], direction[0]])
        centres = target.middles() + way * direction + aside * across
        camera = np.broadcast_to(np.eye(3), (length, 3, 3))
        steps = steps.copy()
        steps[:, :2, 2] *= 0.2
    else:
        centres = np.array([rng.uniform(0.0, width), rng.uniform(0.0, height)]) + np.zeros(
            (length, 2)
        )
        camera = camera_steps(scene)
    return staged(rng, cutout, start, centres, steps, camera, scale, mix, shutter, label)


def staged(
    rng: np.random.Generator,
    cutout: Cutout,
    start: np.ndarray,
    centres: np.ndarray,
    steps: np.ndarray,
    camera: np.ndarray,
    scale: float,
    mix: StillMix,
    shutter: float,
    label: int,
) -> Layer:
    """The layer of a cut-out that starts as `start` and takes `steps` about `centres` (T x 2)."""
    length = len(steps)
    image, alpha, back = shrink_for(cutout.image, cutout.alpha, scale)
    to_middle = translation(-cutout.centre[0], -cutout.centre[1]) @ back
    matrices = np.stack(
        [camera[k] @ translation(*centres[k]) @ steps[k] @ start @ to_middle for k in range(length)]
    )
    lattices = None
    if rng.random() < mix.bending:
        amount = float(np.exp(rng.uniform(np.log(0.02), np.log(0.14))))
        lattices = bending(rng, length, image.shape[:2], amount)
        if rng.random() < mix.swinging:
            lattices += swinging(rng, length, image.shape[:2])
    return Layer(image, alpha, Motion(matrices, lattices), label, shutter)
