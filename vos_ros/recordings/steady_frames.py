# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures that come when they come, as the frames of a video at a steady rate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

MOST_STILL = 10.0
"""Seconds for which a picture stands at most; a longer silence is cut to this."""


class SteadyFrames:
    """Repeats and leaves out pictures, so that the video lasts as long as what it shows.

    Args:
        rate: frames a second of the video.
    """

    def __init__(self, rate: float) -> None:
        self._period = 1e9 / rate
        self._shown: np.ndarray | None = None
        self._stamp = 0  # of the picture shown, ns
        self._due = 0.0  # from that stamp to the next frame, ns

    def until(self, stamp: int, picture: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the frames up to a picture's stamp (ns), which is shown from then on.

        A stamp that goes back, as when a recording starts over, follows at once.
        """
        if self._shown is not None:
            passed = min(max(0, stamp - self._stamp), MOST_STILL * 1e9)
            while self._due < passed:
                yield self._shown
                self._due += self._period
            self._due -= passed
        self._shown, self._stamp = picture, stamp

    def rest(self) -> Iterator[np.ndarray]:
        """Yield the last picture, if there was one."""
        if self._shown is not None:
            yield self._shown
