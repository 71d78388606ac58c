# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What light and camera do to a clip: colour, uneven light, defocus, noise, compression."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vos_ros.data.shares import happens

GREY = np.array([0.299, 0.587, 0.114])


def colour_change(image: np.ndarray, rng: np.random.Generator, amount: float) -> np.ndarray:
    """Change brightness, contrast, gamma, cast and saturation of an H x W x 3 uint8 RGB image.

    amount: 0 none, 1 strong.
    """
    if amount <= 0.0:
        return image
    levels = np.arange(256, dtype=np.float32) / 255.0
    gamma = np.exp(rng.normal(0.0, 0.22 * amount))
    gain = np.exp(rng.normal(0.0, 0.16 * amount)) * np.exp(rng.normal(0.0, 0.05 * amount, 3))
    offset = rng.normal(0.0, 0.06 * amount)
    tables = (levels[:, None] ** gamma - 0.5) * gain + 0.5 + offset
    tables = np.clip(tables * 255.0 + 0.5, 0, 255).astype(np.uint8)
    image = cv2.LUT(image, tables[None])
    saturation = float(np.clip(1.0 + rng.normal(0.0, 0.3 * amount), 0.1, 2.0))
    if abs(saturation - 1.0) > 0.03:
        mixing = saturation * np.eye(3) + (1.0 - saturation) * GREY[None, :]
        image = cv2.transform(image, mixing)
    return image


def light_field(rng: np.random.Generator, size: tuple[int, int], amount: float) -> np.ndarray:
    """Uneven light or a soft shadow: H x W x 3 uint8 to multiply by, 128 meaning unchanged."""
    coarse = np.exp(rng.normal(0.0, amount, (3, 4))).astype(np.float32)
    field = cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_CUBIC)
    return cv2.merge([np.clip(field * 128.0, 20, 255).astype(np.uint8)] * 3)


def noise_bank(height: int, width: int) -> np.ndarray:
    """A sheet of grain, height x width x 3 uint8 about 128 with standard deviation 32.

    Drawing grain anew for each frame would take longer than all the rest; a frame takes a random
    part of this sheet instead.
    """
    rng = np.random.default_rng(20260101)
    grain = rng.normal(0.0, 1.0, (height, width, 3)) + rng.normal(0.0, 0.7, (height, width, 1))
    return np.clip(128.0 + grain * (32.0 / np.hypot(1.0, 0.7)), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Camera:
    """What a clip's camera does to all of its frames; a zero or None leaves a step out."""

    colour: int  # seed of the colour change of the whole clip
    colour_amount: float
    flicker: float  # amount of the change per frame
    first: float  # amount of the change of frame 0 alone
    light: float
    defocus: float  # standard deviation of the blur, pixels
    focus_frames: np.ndarray  # T bool: the frames it applies to
    noise: float  # standard deviation, grey levels
    quality: int | None  # of JPEG


def draw_camera(rng: np.random.Generator, length: int, strength: float = 1.0) -> Camera:
    """A random camera. strength scales the changes of colour; 1 suits clips from stills."""
    blurred = rng.random() < 0.15
    return Camera(
        colour=int(rng.integers(2**31)),
        colour_amount=float(rng.uniform(0.2, 1.0)),
        flicker=strength * float(rng.choice([0.0, 0.1, 0.25, 0.45], p=[0.2, 0.4, 0.25, 0.15])),
        first=strength * float(rng.uniform(0.0, 0.7)),
        light=strength * float(rng.uniform(0.1, 0.3)) if rng.random() < 0.3 else 0.0,
        defocus=float(rng.uniform(0.6, 2.0)) if blurred else 0.0,
        focus_frames=rng.random(length) < rng.uniform(0.3, 1.0),
        noise=float(np.exp(rng.uniform(np.log(1.5), np.log(10.0)))) if rng.random() < 0.4 else 0.0,
        quality=int(rng.integers(25, 85)) if rng.random() < 0.25 else None,
    )


def spared(camera: Camera, rng: np.random.Generator, light: float, lens: float) -> Camera:
    """The camera, some of whose faults are left out in most clips.

    Only in a share `light` of them does it change colour and brightness, and only in a share `lens`
    does it blur, add noise and compress.
    """
    if not happens(rng, light):
        camera = replace(camera, colour_amount=0.0, flicker=0.0, first=0.0, light=0.0)
    if not happens(rng, lens):
        camera = replace(camera, defocus=0.0, noise=0.0, quality=None)
    return camera


def photograph(
    image: np.ndarray, camera: Camera, frame: int, rng: np.random.Generator, bank: np.ndarray
) -> np.ndarray:
    """One frame (H x W x 3 uint8 RGB) as the camera would give it."""
    size = image.shape[:2]
    image = colour_change(image, np.random.default_rng(camera.colour), camera.colour_amount)
    if camera.light > 0.0:
        # The field belongs to the scene; a little of it moves from frame to frame.
        still = light_field(np.random.default_rng(camera.colour + 1), size, camera.light)
        image = cv2.multiply(image, still, scale=1 / 128)
    image = colour_change(image, rng, camera.first if frame == 0 else camera.flicker)
    if camera.defocus > 0.0 and camera.focus_frames[frame]:
        image = cv2.GaussianBlur(image, (0, 0), camera.defocus)
    if camera.noise > 0.0:
        image = _with_grain(image, camera.noise, rng, bank)
    if camera.quality is not None:
        _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, camera.quality])
        image = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    return image


def _with_grain(
    image: np.ndarray, sigma: float, rng: np.random.Generator, bank: np.ndarray
) -> np.ndarray:
    height, width = image.shape[:2]
    top = int(rng.integers(bank.shape[0] - height + 1))
    left = int(rng.integers(bank.shape[1] - width + 1))
    grain = bank[top : top + height, left : left + width]
    return cv2.addWeighted(image, 1.0, grain, sigma / 32.0, -128.0 * sigma / 32.0)
