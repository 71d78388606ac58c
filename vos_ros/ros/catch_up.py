# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which of the frames since a mask's frame to go through, to reach the present in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

FrameT = TypeVar("FrameT")


def catch_up(
    since: Callable[[int], Sequence[FrameT]],
    stamp_of: Callable[[FrameT], int],
    start: int,
    limit: int,
) -> Iterator[FrameT]:
    """Yield frames later than `start`, oldest first, ending with the newest there is.

    Each frame asked for takes time, in which the camera sends more. So this goes in rounds: each
    spends at most half of the frames still allowed on what has come by then, evenly picked, and
    the last one always is the newest. With a step faster than the camera, or slower by any factor
    up to about `limit`, the gap closes; and there are never more than `limit` steps.

    Args:
        since: returns the frames later than a stamp, oldest first.
        stamp_of: the stamp of a frame, in nanoseconds.
        start: stamp of the frame to start after, in nanoseconds.
        limit: the most frames to yield.
    """
    while limit > 0:
        waiting = since(start)
        if not waiting:
            return
        chosen = evenly(waiting, (limit + 1) // 2)
        yield from chosen
        if len(waiting) == 1:
            # Level with the camera: what comes now is an ordinary frame.
            return
        limit -= len(chosen)
        start = stamp_of(chosen[-1])


def evenly(items: Sequence[FrameT], count: int) -> list[FrameT]:
    """Pick at most `count` items in equal strides, the last item always among them.

    Raises:
        ValueError: `count` is not positive.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, and was {count}")
    count = min(count, len(items))
    return [items[(place + 1) * len(items) // count - 1] for place in range(count)]
