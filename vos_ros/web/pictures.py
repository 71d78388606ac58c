# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pictures that the page shows, as JPEG and PNG."""

from __future__ import annotations

import time
from dataclasses import dataclass

import cv2
import numpy as np

from vos_ros import masks
from vos_ros.drawing import colour_of, draw_overlay
from vos_ros.thumbnails import thumbnails_of
from vos_ros.web.robot import View

_ALPHA = 0.4  # of an object's colour over the live image
_MASK_ALPHA = 110  # of 255, of the mask that is being drawn
_FROZEN_QUALITY = 92
_THUMBNAIL_SECONDS = 2.0


@dataclass(frozen=True)
class Look:
    """How large and how good the live picture is."""

    width: int = 960  # pixels at most
    quality: int = 80  # of the JPEG, 1..100


def live_jpeg(view: View, image: np.ndarray, look: Look) -> bytes:
    """The image of a view, made smaller, with the mask and the names over it."""
    height, width = image.shape[:2]
    scale = min(1.0, look.width / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
    if view.labels is not None:
        names = {item.id: item.name for item in view.objects if item.name}
        labels = masks.resize(view.labels, size[::-1])
        small = draw_overlay(small, labels, view.objects, _ALPHA, names)
    return jpeg(small, look.quality)


def frozen_jpeg(image: np.ndarray) -> bytes:
    """An image to draw on, at its own size."""
    return jpeg(image, _FROZEN_QUALITY)


def jpeg(image: np.ndarray, quality: int) -> bytes:
    """H x W x 3 uint8 RGB as JPEG."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    coded, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not coded:
        raise ValueError(f"An image of {image.shape[1]} x {image.shape[0]} pixels is no JPEG.")
    return data.tobytes()


def mask_png(mask: np.ndarray, object_id: int) -> bytes:
    """A mask to lay over its image: filled lightly and outlined in the object's colour.

    Args:
        mask: H x W uint8 of 0 and 1.
        object_id: gives the colour.
    """
    height, width = mask.shape
    layer = np.zeros((height, width, 4), np.uint8)
    red, green, blue = colour_of(object_id)
    layer[mask > 0] = blue, green, red, _MASK_ALPHA
    outlines, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    thickness = max(1, round(min(height, width) / 240))
    cv2.drawContours(layer, outlines, -1, (blue, green, red, 255), thickness)
    return cv2.imencode(".png", layer, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


class Thumbnails:
    """A small picture of each object as it was last seen."""

    def __init__(self) -> None:
        self._made = -_THUMBNAIL_SECONDS
        self._pictures: dict[int, tuple[int, bytes]] = {}  # by id: the view's number, JPEG

    def note(self, view: View, image: np.ndarray) -> None:
        """Take new ones from a view, every other second."""
        known = {item.id for item in view.objects}
        for object_id in self._pictures.keys() - known:
            del self._pictures[object_id]
        due = time.monotonic() - self._made >= _THUMBNAIL_SECONDS
        if view.labels is None or not (due or known - self._pictures.keys()):
            return
        self._made = time.monotonic()
        present = [item.id for item in view.objects if item.present]
        for object_id, picture in thumbnails_of(image, view.labels, present).items():
            self._pictures[object_id] = view.serial, jpeg(picture, 85)

    def version(self, object_id: int) -> int | None:
        """Changes with the picture; None where there is none."""
        found = self._pictures.get(object_id)
        return found[0] if found else None

    def jpeg(self, object_id: int) -> bytes | None:
        """The picture."""
        found = self._pictures.get(object_id)
        return found[1] if found else None
