# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images, and the masks that come for them somewhat later, brought together again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from sensor_msgs.msg import Image

from vos_msgs.msg import ObjectPresenceArray
from vos_ros.ros.frame_buffer import FrameBuffer, FrameGoneError
from vos_ros.ros.frames import CameraFrame, ImageMessage
from vos_ros.ros.requests import nanoseconds

_PATIENCE = 1.0  # s without a mask, after which images are shown without one
_HELD = 90, 128_000_000  # images and bytes: a mask comes no later than this
_OTHER_CLOCK = 60.0  # s; as `health` has it
_WINDOW = 3.0  # s, of which rates and latency tell


@dataclass(frozen=True, eq=False)
class Sight:
    """One image, and its mask unless there is none.

    Attributes:
        serial: rises from one to the next, from 1.
        frame: the image.
        mask: of the image.
        presence: the newest there is; None while nothing was ever followed.
    """

    serial: int
    frame: CameraFrame
    mask: Image | None
    presence: ObjectPresenceArray | None


class Sights:
    """Decides what is shown: images with their masks while masks come, else the newest image.

    All times are seconds of one steady clock. On one thread.

    Args:
        show: given every sight.
    """

    def __init__(self, show: Callable[[Sight], None]) -> None:
        self._show = show
        self._held: FrameBuffer[CameraFrame] = FrameBuffer(*_HELD)
        self._serial = 0
        self._mask_came = float("-inf")
        self._image_times: deque[float] = deque()
        self._mask_times: deque[tuple[float, float]] = deque()  # when it came, its latency
        self.presence: ObjectPresenceArray | None = None

    def take_image(self, message: ImageMessage, now: float) -> None:
        """An image of the camera has come."""
        frame = CameraFrame(message, arrived=now)
        self._image_times.append(now)
        self._forget(now)
        self._held.push(frame.stamp_ns, frame)
        followed = self.presence is not None and bool(self.presence.objects)
        if not followed or now - self._mask_came > _PATIENCE:
            self._send(frame, None)

    def take_mask(self, message: Image, now: float, latency: float) -> None:
        """A mask has come, so many seconds after its image's stamp."""
        self._mask_came = now
        self._mask_times.append((now, latency))
        self._forget(now)
        try:
            frame = self._held.at(nanoseconds(message.header.stamp))
        except FrameGoneError:
            return  # the image was lost on its way here, though not on its way to the node
        self._send(frame, message)

    def take_presence(self, message: ObjectPresenceArray) -> None:
        """The node has told of its objects."""
        self.presence = message

    def clear(self) -> None:
        """Let go of the images; numbers go on."""
        self._held.clear()
        self._image_times.clear()
        self._mask_times.clear()

    def image_rate(self, now: float) -> float:
        """Images a second, lately."""
        self._forget(now)
        return _rate(list(self._image_times))

    def image_age(self, now: float) -> float | None:
        """Seconds since the last image; None when there was none lately."""
        return now - self._image_times[-1] if self._image_times else None

    def mask_rate(self, now: float) -> float:
        """Masks a second, lately."""
        self._forget(now)
        return _rate([came for came, _ in self._mask_times])

    def latency(self, now: float) -> float | None:
        """Seconds from stamp to arrival, the median of the last masks.

        None without masks, and where it cannot be: then the camera's clock is another one.
        """
        self._forget(now)
        middle = median(late for _, late in self._mask_times) if self._mask_times else -1.0
        return middle if 0.0 <= middle <= _OTHER_CLOCK else None

    def _send(self, frame: CameraFrame, mask: Image | None) -> None:
        self._serial += 1
        self._show(Sight(self._serial, frame, mask, self.presence))

    def _forget(self, now: float) -> None:
        # One of each stays, so that its age can be told.
        while len(self._image_times) > 1 and self._image_times[0] < now - _WINDOW:
            self._image_times.popleft()
        while self._mask_times and self._mask_times[0][0] < now - _WINDOW:
            self._mask_times.popleft()


def _rate(times: list[float]) -> float:
    long = times[-1] - times[0] if times else 0.0
    return (len(times) - 1) / long if long > 0 else 0.0
