# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recent frames, kept for a mask that was drawn on one of them."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Sized
from typing import Any, Generic, NamedTuple, TypeVar

FrameT = TypeVar("FrameT")


class FrameGoneError(LookupError):
    """No such frame is held; the text says which are."""


class HeldRange(NamedTuple):
    """What a buffer holds.

    Attributes:
        oldest: stamp of the oldest frame, in nanoseconds.
        newest: stamp of the newest frame, in nanoseconds.
        count: number of frames.
    """

    oldest: int
    newest: int
    count: int  # type: ignore[assignment]  # instead of a tuple's method of that name


class FrameBuffer(Generic[FrameT]):
    """The newest frames by their stamps, bounded in number and bytes. Any thread may call it.

    Invariant: stamps rise strictly in the order of arrival. A frame with the stamp of the newest
    takes its place. A frame with an earlier stamp means that time went back, as when a recording
    starts over or a simulation is reset; what was held belongs to a time that is gone, and a stamp
    would no longer name one frame, so all of it is dropped and the buffer begins anew.

    Args:
        capacity: the most frames to hold, at least 1.
        max_bytes: the most bytes to hold, at least 1. The newest frame is held in any case, even
            if it alone is larger. Counted are arrays (`nbytes`), messages (the length of `data`)
            and what holds a message as `message`; anything else counts as nothing.

    Raises:
        ValueError: `capacity` or `max_bytes` is below 1.
    """

    def __init__(self, capacity: int, max_bytes: int) -> None:
        if capacity < 1 or max_bytes < 1:
            raise ValueError(
                f"capacity and max_bytes must be at least 1, and were {capacity} and {max_bytes}"
            )
        self._capacity = capacity
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._frames: OrderedDict[int, FrameT] = OrderedDict()
        self._bytes = 0

    def push(self, stamp_ns: int, frame: FrameT) -> bool:
        """Take in the newest frame and let go of the oldest beyond the bounds.

        Args:
            stamp_ns: its stamp, in nanoseconds.
            frame: kept as it is, not copied.

        Returns:
            Whether time went back, so that all earlier frames were dropped.
        """
        # What is let go is kept alive until the lock is free: freeing megabytes takes time.
        dropped: list[FrameT] = []
        with self._lock:
            newest = next(reversed(self._frames), None)
            went_back = newest is not None and stamp_ns < newest
            if went_back:
                dropped.extend(self._frames.values())
                self._forget()
            elif stamp_ns == newest:
                dropped.append(self._pop(stamp_ns))
            self._frames[stamp_ns] = frame
            self._bytes += frame_bytes(frame)
            while len(self._frames) > 1 and self._is_over():
                dropped.append(self._pop(next(iter(self._frames))))
        return went_back

    def newest(self) -> FrameT:
        """The newest frame.

        Raises:
            FrameGoneError: none is held.
        """
        with self._lock:
            if not self._frames:
                raise FrameGoneError(self._describe_held())
            return next(reversed(self._frames.values()))

    def at(self, stamp_ns: int) -> FrameT:
        """The frame with exactly this stamp, in nanoseconds.

        Raises:
            FrameGoneError: none with this stamp is held.
        """
        with self._lock:
            if stamp_ns in self._frames:
                return self._frames[stamp_ns]
            if not self._frames:
                raise FrameGoneError(self._describe_held())
            raise FrameGoneError(
                f"No frame with the stamp {format_stamp(stamp_ns)} is held:"
                f" {self._describe_miss(stamp_ns)}. {self._describe_held()}"
            )

    def since(self, stamp_ns: int) -> list[FrameT]:
        """The frames strictly later than this stamp (nanoseconds), oldest first."""
        with self._lock:
            newer = itertools.takewhile(
                lambda held: held[0] > stamp_ns, reversed(self._frames.items())
            )
            return [frame for _, frame in newer][::-1]

    @property
    def held(self) -> HeldRange | None:
        """What is held: the oldest and newest stamp and the count, or None for nothing."""
        with self._lock:
            return self._held()

    def clear(self) -> None:
        """Let go of every frame."""
        with self._lock:
            self._forget()

    def _is_over(self) -> bool:
        return len(self._frames) > self._capacity or self._bytes > self._max_bytes

    def _pop(self, stamp_ns: int) -> FrameT:
        frame = self._frames.pop(stamp_ns)
        self._bytes -= frame_bytes(frame)
        return frame

    def _forget(self) -> None:
        self._frames = OrderedDict()
        self._bytes = 0

    def _held(self) -> HeldRange | None:
        if not self._frames:
            return None
        oldest, newest = next(iter(self._frames)), next(reversed(self._frames))
        return HeldRange(oldest, newest, len(self._frames))

    def _describe_miss(self, stamp_ns: int) -> str:
        oldest, newest, _ = self._held() or HeldRange(0, 0, 0)
        if stamp_ns < oldest:
            return "it is older than every frame that is kept"
        if stamp_ns > newest:
            return "it is later than every frame that came"
        return "no frame between those held has exactly it"

    def _describe_held(self) -> str:
        held = self._held()
        if held is None:
            return "No frame has come yet; wait until the camera's images arrive."
        frames = "1 frame is" if held.count == 1 else f"{held.count} frames are"
        return (
            f"{frames} held, stamps {format_stamp(held.oldest)} to {format_stamp(held.newest)};"
            " use the stamp of one of them, or 0 for the newest."
        )


def frame_bytes(frame: Any) -> int:
    """The bytes a frame keeps: an array's, the data of a message or of what wraps one, else 0."""
    frame = getattr(frame, "message", frame)
    size = getattr(frame, "nbytes", None)
    if size is None:
        data = getattr(frame, "data", None)
        size = len(data) if isinstance(data, Sized) else 0
    return int(size)


def format_stamp(stamp_ns: int) -> str:
    """Write a stamp in nanoseconds as seconds with all its digits, such as 12.000000345 s."""
    seconds, rest = divmod(abs(stamp_ns), 10**9)
    return f"{'-' if stamp_ns < 0 else ''}{seconds}.{rest:09d} s"
