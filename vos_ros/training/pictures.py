# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clips of a batch as one picture: what should have been found, and what was."""

from __future__ import annotations

import cv2
import numpy as np

from vos_ros.drawing import colour_of, contact_sheet

#: at most so many clips of a batch and frames of a clip are drawn
CLIPS, FRAMES = 4, 8
TILE_WIDTH = 224
"""Of one frame in the picture, pixels."""
_TRUTH = (255, 255, 255)


def clips_picture(images: np.ndarray, truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """A row for each clip, a column for each frame.

    What was found is filled and outlined in the colour of its object, the truth outlined in white.
    Of a long clip the frames shown are spread evenly from the first to the last.

    Args:
        images: B x T x 3 x H x W uint8.
        truth: B x T x H x W uint8, 0 background, else the object.
        found: the same, of the network.

    Returns:
        A picture, uint8 RGB.
    """
    length = images.shape[1]
    shown = np.linspace(0, length - 1, min(length, FRAMES)).round().astype(int)
    tiles = [
        _tile(images[clip, frame], truth[clip, frame], found[clip, frame])
        for clip in range(min(len(images), CLIPS))
        for frame in shown
    ]
    return contact_sheet(tiles, columns=len(shown), tile_width=TILE_WIDTH)


def _tile(image: np.ndarray, truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """One frame, shrunk before it is drawn on: lines would be lost if it were shrunk after."""
    scale = TILE_WIDTH / image.shape[2]
    size = (TILE_WIDTH, max(1, round(image.shape[1] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = cv2.resize(np.ascontiguousarray(image.transpose(1, 2, 0)), size, interpolation=how)
    truth, found = (cv2.resize(m, size, interpolation=cv2.INTER_NEAREST) for m in (truth, found))
    for number in np.unique(found[found > 0]).tolist():
        inside = found == number
        colour = colour_of(number)
        canvas[inside] = canvas[inside] // 2 + np.array(colour, np.uint8) // 2
        _outline(canvas, inside, colour)
    for number in np.unique(truth[truth > 0]).tolist():
        _outline(canvas, truth == number, _TRUTH)
    return canvas


def _outline(canvas: np.ndarray, inside: np.ndarray, colour: tuple[int, int, int]) -> None:
    lines, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, lines, -1, colour, 1)
