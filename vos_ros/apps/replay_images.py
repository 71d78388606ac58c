# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The images of a bag, each with its number and its stamp, and which of them a mask belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vos_ros.recordings.bag import Bag, Record, Topic
from vos_ros.recordings.errors import RecordingError
from vos_ros.recordings.messages import stamp_ns, stamp_text
from vos_ros.recordings.types import COMPRESSED
from vos_ros.ros.images import compressed_to_rgb, image_to_rgb


@dataclass(frozen=True)
class BagImage:
    """One image of a bag: its number on its topic, as it lies there, and the message it is."""

    number: int
    record: Record
    message: Any

    @property
    def stamp(self) -> int:
        """Of its header, ns."""
        return stamp_ns(self.message.header)

    def rgb(self) -> np.ndarray:
        """H x W x 3 uint8 RGB.

        Raises:
            ImageError: it holds no image that is understood.
        """
        compressed = self.record.connection.msgtype == COMPRESSED
        return (compressed_to_rgb if compressed else image_to_rgb)(self.message)


class FirstImage:
    """Tells which image the mask belongs to.

    Args:
        frame: its number.
        stamp: its stamp in seconds with nine decimals, or how that begins; "" for the number.
    """

    def __init__(self, frame: int, stamp: str) -> None:
        self._frame, self._stamp = frame, stamp
        self._seen: list[int] = []

    def check(self, topic: Topic) -> None:
        """Raise RecordingError where the topic is known not to have it."""
        if not self._stamp and self._frame >= topic.count:
            raise self.missing(topic)

    def is_it(self, image: BagImage) -> bool:
        """Whether it is this one; asked of one image after the other."""
        self._seen = [*self._seen[:1], image.stamp]
        if self._stamp:
            return stamp_text(image.stamp).startswith(self._stamp)
        return image.number == self._frame

    def missing(self, topic: Topic) -> RecordingError:
        """What to say when it was none of them."""
        if not self._stamp:
            return RecordingError(
                f"{topic.name} has {topic.count} images, so that there is no number {self._frame},"
                " counted from 0"
            )
        first, last = (stamp_text(self._seen[place]) for place in (0, -1))
        return RecordingError(
            f"no image on {topic.name} has the stamp {self._stamp}; they go from {first} to {last}"
        )


def images(bag: Bag, topic: Topic) -> Iterator[BagImage]:
    """Yield the images of a topic in order."""
    for number, record in enumerate(bag.records([topic.name])):
        yield BagImage(number, record, bag.message(record))
