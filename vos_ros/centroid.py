# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where an object is, out of its mask and a depth image of the same view."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vos_ros.pinhole import Pinhole


class DepthError(ValueError):
    """Mask, depth and calibration do not fit one another; the text says how."""


@dataclass(frozen=True)
class Centroid:
    """The middle of what is seen of an object.

    Attributes:
        point: x, y, z in the camera's optical frame, in metres. It is on the object's near side:
            what is behind is not seen.
        pixels: how many pixels the object has that were looked at.
        measured: how many of these have a depth.
    """

    point: tuple[float, float, float]
    pixels: int
    measured: int


def find_centroid(
    labels: np.ndarray,
    object_id: int,
    depth: np.ndarray,
    camera: Pinhole,
    *,
    erode: int = 0,
    fewest: int = 1,
) -> Centroid | None:
    """Find an object's middle: the mean of its pixels, at the median of their depths.

    The median stands for the object even where up to half of its depths are of something else. At
    the object's edge depths are often of what is behind, or of nothing between the two: `erode`
    leaves the edge out.

    Args:
        labels: H x W integers; 0 background, else ids.
        object_id: whose middle.
        depth: H x W in metres; NaN, infinity, 0 and less where nothing was measured.
        camera: of the view.
        erode: how many pixels to leave out all along the object's edge, but not along the image's.
            An object of which nothing would be left is taken whole.
        fewest: pixels with a depth that are needed.

    Returns:
        The middle; None when the object is not there or too few of its pixels have a depth.

    Raises:
        DepthError: the three are not of one size.
    """
    _check_sizes(labels, depth, camera)
    inside = (labels == object_id).astype(np.uint8)
    left, top, width, height = cv2.boundingRect(inside)
    if not width:
        return None
    window = slice(top, top + height), slice(left, left + width)
    kept = _eroded(inside, erode)[window] > 0
    near = depth[window][kept]
    near = near[np.isfinite(near) & (near > 0)]
    if near.size < max(1, fewest):
        return None
    rows, columns = np.nonzero(kept)
    point = camera.point(
        left + float(columns.mean()), top + float(rows.mean()), float(np.median(near))
    )
    return Centroid(point, int(rows.size), int(near.size))


def _eroded(inside: np.ndarray, pixels: int) -> np.ndarray:
    if pixels <= 0:
        return inside
    # Beyond the image's edge the object may go on: OpenCV counts that as inside.
    smaller = cv2.erode(inside, np.ones((3, 3), np.uint8), iterations=pixels)
    return smaller if smaller.any() else inside


def _check_sizes(labels: np.ndarray, depth: np.ndarray, camera: Pinhole) -> None:
    height, width = labels.shape
    if depth.shape != labels.shape:
        raise DepthError(
            f"The depth image is {depth.shape[1]} x {depth.shape[0]} pixels and the mask {width} x"
            f" {height}; the depth must be of the same view: have it registered to the colour"
            " camera."
        )
    if (camera.width, camera.height) != (width, height):
        raise DepthError(
            f"The camera_info is of images of {camera.width} x {camera.height} pixels and the mask"
            f" is {width} x {height}; both must be of the same camera."
        )
