# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The camera's calibration in a bag, for each of its images."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from vos_ros.calibrations import Calibrations, camera_info_topic
from vos_ros.recordings.bag import Bag, Record
from vos_ros.recordings.messages import stamp_ns
from vos_ros.recordings.types import CAMERA_INFO

_AHEAD = 250_000_000
"""Nanoseconds that an image's calibration may be received after the image."""


class CameraInfos:
    """Goes through the calibrations of a bag beside its images; a context manager.

    Attributes:
        found: whether the bag has any, beside the images by custom.

    Args:
        bag: that the images are in. It is opened a second time, to be read ahead of the images.
        images: name of the images' topic.
    """

    def __init__(self, bag: Bag, images: str) -> None:
        beside = camera_info_topic(f"/{images.lstrip('/')}")
        names = [
            topic.name
            for topic in bag.topics
            if f"/{topic.name.lstrip('/')}" == beside and topic.type == CAMERA_INFO and topic.count
        ]
        self.found = bool(names)
        self._bag = Bag(bag.path)
        self._records: Iterator[Record] = self._bag.records(names)
        self._next = next(self._records, None)
        self._known = Calibrations()

    def __enter__(self) -> CameraInfos:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bag.close()

    def of_image(self, received: int, header: Any, width: int, height: int) -> Any | None:
        """The calibration of an image with the image's header, as the node sends it.

        Args:
            received: when the image was, in ns; never earlier than at the call before.
            header: of the image.
            width, height: of the image, in pixels.

        Returns:
            None when there is none for images of this size.

        Raises:
            RecordingError: the bag is damaged there.
        """
        while self._next is not None and self._next.time <= received + _AHEAD:
            message = self._bag.message(self._next)
            self._known.push(stamp_ns(message.header), message)
            self._next = next(self._records, None)
        info = self._known.of_image(stamp_ns(header), width, height)
        return None if info is None else dataclasses.replace(info, header=header)
