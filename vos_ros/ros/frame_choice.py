# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which of the camera's frames a request is about."""

from __future__ import annotations

from vos_ros.ros.frame_buffer import FrameBuffer, FrameGoneError
from vos_ros.ros.frames import CameraFrame
from vos_ros.ros.requests import InitOrder, RequestError


def frame_of(order: InitOrder, buffer: FrameBuffer[CameraFrame], topic: str) -> CameraFrame:
    """The frame that the mask of an order belongs to.

    Args:
        order: may bring its own.
        buffer: of the camera's recent frames.
        topic: the camera's.

    Raises:
        RequestError: there is no such frame.
    """
    if order.image is not None:
        return CameraFrame(order.image)
    if buffer.held is None:
        raise RequestError(
            f"No image has come on {topic} yet; wait until one has, or send the image together"
            " with the mask."
        )
    try:
        return buffer.at(order.stamp_ns) if order.stamp_ns else buffer.newest()
    except FrameGoneError as error:
        raise RequestError(f"{error} Or send the image together with the mask.") from error


def newest_frame(buffer: FrameBuffer[CameraFrame], topic: str) -> CameraFrame:
    """The camera's newest frame.

    Raises:
        RequestError: none has come.
    """
    if buffer.held is None:
        raise RequestError(f"No image has come on {topic} yet; wait until one has.")
    return buffer.newest()
