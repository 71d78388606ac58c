# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From pixels and depth to points in front of a camera.

Points are in the camera's optical frame (REP 103): x to the right, y down, z forward, in metres. A
depth is the point's z, not its distance (REP 118). No ROS here: a calibration is anything with the
fields of a `sensor_msgs/CameraInfo`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

_FISHEYE = "equidistant"
_DISTORTIONS = {"": (0,), "plumb_bob": (0, 4, 5), "rational_polynomial": (8,), _FISHEYE: (4,)}
"""Model -> how many coefficients it may have."""

_EXACT = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-12)


class CalibrationError(ValueError):
    """A calibration that cannot be used; its text says what is wrong and what would be right."""


@dataclass(frozen=True)
class Pinhole:
    """How a camera sees.

    Attributes:
        width, height: of its images, in pixels.
        fx, fy: focal lengths, in pixels.
        cx, cy: the pixel on the optical axis; the centre of the upper left one is 0, 0.
        model: how the lens distorts; "" where it does not, or was undone.
        distortion: the coefficients of the model.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    model: str = ""
    distortion: tuple[float, ...] = ()

    @classmethod
    def read(cls, info: Any, rectified: bool = False) -> Pinhole:
        """Read a calibration, its binning and region of interest included.

        Args:
            info: with the fields of a `sensor_msgs/CameraInfo`.
            rectified: whether the images have had their distortion undone, as `image_rect` has:
                then the projection matrix `p` holds, else `k` and the distortion.

        Raises:
            CalibrationError: the camera is not calibrated, or distorts in a way not known here.
        """
        matrix = np.array(info.p, float).reshape(3, 4) if rectified else None
        if matrix is None or matrix[0, 0] == 0.0:
            matrix = np.array(info.k, float).reshape(3, 3)
        fx, fy, cx, cy = (float(matrix[place]) for place in ((0, 0), (1, 1), (0, 2), (1, 2)))
        if not (np.isfinite(matrix).all() and fx > 0 and fy > 0):
            raise CalibrationError(
                "The camera is not calibrated: the focal lengths in its camera_info are"
                f" {fx:g} and {fy:g}, and must be above 0. Calibrate it, or have its driver send"
                " the calibration it was made with."
            )
        coefficients = tuple(float(value) for value in info.d)
        model = "" if rectified or not any(coefficients) else info.distortion_model
        _check_model(model, () if model == "" else coefficients)
        across, down = (max(1, int(value)) for value in (info.binning_x, info.binning_y))
        width, height = image_size(info)
        left, top = (info.roi.x_offset, info.roi.y_offset) if _has_region(info) else (0, 0)
        return cls(
            width=width,
            height=height,
            fx=fx / across,
            fy=fy / down,
            cx=(cx - left) / across,
            cy=(cy - top) / down,
            model=model,
            distortion=coefficients if model else (),
        )

    def point(self, column: float, row: float, depth: float) -> tuple[float, float, float]:
        """The point, in metres, that is seen at a pixel and lies at a depth in metres."""
        x, y = self._ray(column, row)
        return x * depth, y * depth, depth

    def _ray(self, column: float, row: float) -> tuple[float, float]:
        """Where the light that reaches a pixel crosses the plane one metre in front."""
        if not self.model:
            return (column - self.cx) / self.fx, (row - self.cy) / self.fy
        matrix = np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]])
        pixel = np.array([[[column, row]]])
        distortion = np.array(self.distortion)
        if self.model == _FISHEYE:
            x, y = cv2.fisheye.undistortPoints(pixel, matrix, distortion).ravel()
        else:  # by as many iterations as it takes: five, as by itself, err at wide edges
            same = np.eye(3)  # neither turned nor projected
            found = cv2.undistortPointsIter(pixel, matrix, distortion, same, same, _EXACT)
            x, y = found.ravel()
        return float(x), float(y)


def image_size(info: Any) -> tuple[int, int]:
    """Width and height, in pixels, of the images that a calibration belongs to.

    Its own size is that of the whole sensor; less of it may be read out, and pixels be combined.
    """
    region = info.roi if _has_region(info) else info
    across, down = (max(1, int(value)) for value in (info.binning_x, info.binning_y))
    return int(region.width) // across, int(region.height) // down


def _has_region(info: Any) -> bool:
    # All zeros mean the whole image.
    return bool(info.roi.width and info.roi.height)


def _check_model(model: str, coefficients: tuple[float, ...]) -> None:
    if model not in _DISTORTIONS:
        known = ", ".join(name for name in _DISTORTIONS if name)
        raise CalibrationError(
            f"The camera's distortion model is {model[:40]!r}; known here are {known}. Have the"
            " images rectified, and say so."
        )
    if len(coefficients) not in _DISTORTIONS[model] or not np.isfinite(coefficients).all():
        counts = " or ".join(str(count) for count in _DISTORTIONS[model] if count)
        raise CalibrationError(
            f"The camera's distortion model {model} has {counts} coefficients, all of them finite;"
            f" its camera_info has {len(coefficients)}."
        )
