# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures in the encodings of cameras. Written without `vos_ros.ros`, which has to read them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np


def _bayer(image: np.ndarray) -> np.ndarray:
    """The first row red, green, ..., the second green, blue, ..."""
    mosaic = image[..., 1].copy()
    mosaic[::2, ::2] = image[::2, ::2, 0]
    mosaic[1::2, 1::2] = image[1::2, 1::2, 2]
    return mosaic


def _yuyv(image: np.ndarray) -> np.ndarray:
    """Two bytes a pixel: brightness, and in turn the one and the other colour."""
    yuv = cv2.cvtColor(image, cv2.COLOR_RGB2YUV)
    packed = np.empty((*image.shape[:2], 2), np.uint8)
    packed[..., 0] = yuv[..., 0]
    packed[:, ::2, 1], packed[:, 1::2, 1] = yuv[:, ::2, 1], yuv[:, ::2, 2]
    return packed


def _nv12(image: np.ndarray) -> np.ndarray:
    """A plane of brightness, then one of colour at half the size."""
    height, width = image.shape[:2]
    planes = cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420)
    both = planes[height:].reshape(2, height // 2, width // 2)
    colour = np.moveaxis(both, 0, -1).reshape(height // 2, width)
    return np.concatenate([planes[:height], colour])


ENCODERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "rgb8": lambda image: image,
    "bgr8": lambda image: image[..., ::-1],
    "bgra8": lambda image: cv2.cvtColor(image, cv2.COLOR_RGB2BGRA),
    "mono8": lambda image: cv2.cvtColor(image, cv2.COLOR_RGB2GRAY),
    "mono16": lambda image: cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype("<u2") * 257,
    "rgb16": lambda image: image.astype("<u2") * 257,
    "bayer_rggb8": _bayer,
    "yuyv": _yuyv,
    "nv12": _nv12,
}
"""Encoding -> what makes the rows of a message of height x width x 3 uint8 RGB; both are even."""


def encode(image: np.ndarray, encoding: str) -> tuple[bytes, int]:
    """The bytes of an image and of one row of it.

    Args:
        image: height x width x 3 uint8 RGB, width and height even.
        encoding: one of `ENCODERS`.
    """
    rows = np.ascontiguousarray(ENCODERS[encoding](image))
    return rows.tobytes(), rows[0].nbytes
