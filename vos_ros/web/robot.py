# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the server knows of the camera and of the node that follows: all that stands behind it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class SeenObject:
    """One followed object, as the node last told of it; `vos_ros.drawing` can draw its tag."""

    id: int
    name: str
    present: bool
    score: float  # 0..1
    doubtful: bool = False  # whether it may be something else


@dataclass(frozen=True, eq=False)
class View:
    """One image of the camera, with the mask that belongs to it if there is one.

    Attributes:
        serial: rises from view to view, from 1.
        stamp_ns: of the image, nanoseconds.
        image: reads the image: H x W x 3 uint8 RGB, not to be written to. ValueError, with a
            sentence, when it is none. It takes time, and may be called from any thread.
        labels: H x W uint8 of the image's own size, or None.
        objects: those followed, by ascending id.
    """

    serial: int
    stamp_ns: int
    image: Callable[[], np.ndarray]
    labels: np.ndarray | None
    objects: tuple[SeenObject, ...]


@dataclass(frozen=True)
class Status:
    """How camera and node are. What is not known is None.

    Attributes:
        node: full name of the node.
        node_there: whether it is.
        topic: of the camera's images.
        image_age: seconds since the last one came.
        image_rate: images that came here in a second.
        mask_rate: masks that came here in a second.
        latency: seconds from an image's stamp to its mask's arrival here, median.
        dropped: images that the node passed over for newer ones, since it was configured.
        problems: sentences on what is wrong.
        objects: those followed, by ascending id.
    """

    node: str
    node_there: bool
    topic: str
    image_age: float | None
    image_rate: float
    mask_rate: float
    latency: float | None
    dropped: int | None
    problems: tuple[str, ...]
    objects: tuple[SeenObject, ...]


@dataclass(frozen=True)
class Answer:
    """What the node says to a request."""

    success: bool
    message: str


class Robot(Protocol):
    """Camera and node. Everything here is called on the thread of the server's event loop."""

    def watching(self) -> AbstractContextManager[None]:
        """Inside, images are taken in; they cost time that is not spent for nobody."""
        ...

    async def newer_than(self, serial: int) -> View:
        """The newest view, waiting for one with a higher number than this."""
        ...

    def status(self) -> Status:
        """How camera and node are now."""
        ...

    async def follow(self, view: View, labels: np.ndarray, name: str) -> Answer:
        """Have the node follow the object in a mask of a view's image, besides the others.

        Args:
            view: whose image was drawn on.
            labels: H x W uint8 of the image's size, 0 or the object's id.
            name: of the object, or "".
        """
        ...

    async def remove(self, object_id: int) -> Answer:
        """Have the node forget one object."""

    async def reset(self) -> Answer:
        """Have the node forget all objects."""

    async def save(self, name: str) -> Answer:
        """Have the node write what it has learned of its objects under a name."""

    async def load(self, name: str, keep_existing: bool) -> Answer:
        """Have the node take up what was saved, beside the objects it has or in their place."""
